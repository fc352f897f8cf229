package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// tool takes files and may delete them when it likes.
type tool struct {
	*world
	name   string
	store  *mem.Driver
	config config
	puts   []put
	faults int  // that befell attempts
	flying bool // a file may be on its way while what is published changes
	oracle *oracle
}

// config is what the config says of one tool now.
type config struct {
	format    string // name of the destination
	maxRows   int64
	changes   bool
	fullEvery int
	cadence   *delivery.Cadence
	points    bool // whether that column is sent
	audiences []string
	window    *delivery.Window
	maxAge    time.Duration
}

// put is one file that arrived, and what was in effect then.
type put struct {
	name      string
	data      []byte
	at        time.Time
	newest    date.Date
	effective *publication // nil where withdrawn
}

func newTools(w *world) []*tool {
	all := []*tool{
		{name: "mailer", config: config{format: "csv", audiences: []string{"winback"}}},
		{name: "journeys", config: config{format: "jsonl", changes: true, fullEvery: 5, audiences: []string{"winback", "content"}}},
		{name: "push", config: config{format: "csv", changes: true, audiences: []string{"weekly", "winback", "content"}}},
		{name: "profiles", config: config{format: "braze-cdi", changes: w.chance(0.7), fullEvery: 7, audiences: []string{"content", "weekly", "winback"}}},
		{name: "ads", config: config{format: listed, changes: w.chance(0.7), fullEvery: 6, audiences: []string{"weekly", "content"}}},
	}
	for _, t := range all {
		t.world, t.store = w, mem.New()
		t.oracle = newOracle(t)
		t.config.maxAge = []time.Duration{12 * time.Hour, 36 * time.Hour, 60 * time.Hour}[w.IntN(3)]
		t.config.maxRows = int64(w.IntN(3) * 7)
		if w.chance(0.5) {
			t.config.window = &delivery.Window{From: w.IntN(24 * 60), To: w.IntN(24 * 60)}
		}
	}
	all[1].config.cadence = all[1].someCadence()
	if w.chance(0.5) {
		all[4].config.cadence = all[4].someCadence()
	}
	return all
}

func (t *tool) someCadence() *delivery.Cadence {
	return &delivery.Cadence{Days: 1 + t.IntN(5), Cooldown: t.IntN(9), OnExit: []delivery.Exit{delivery.Stop, delivery.Pause}[t.IntN(2)]}
}

// edit changes what the tool receives; audiences that are no more are dropped.
func (t *tool) edit() {
	c := &t.config
	change := t.IntN(6)
	if t.lists() {
		change = max(change, 2) // its rows do not say on which day of a cadence a user is
	}
	switch change {
	case 0:
		c.cadence = t.someCadence()
	case 1:
		c.cadence = nil
	case 2:
		c.points = !c.points
	case 3:
		name := t.world.audiences[t.IntN(len(t.world.audiences))]
		if at := slices.Index(c.audiences, name); at < 0 {
			c.audiences = append(slices.Clone(c.audiences), name)
		} else if len(c.audiences) > 1 {
			c.audiences = slices.Delete(slices.Clone(c.audiences), at, at+1)
		}
	}
	c.audiences = slices.DeleteFunc(slices.Clone(c.audiences), func(name string) bool { return !t.has(name) })
	if len(c.audiences) == 0 {
		c.audiences = t.world.audiences[:1:1]
	}
	t.note("%s gets %v, cadence %v, points %v now", t.name, c.audiences, c.cadence, c.points)
}

// destination is what the tool takes.
func (c config) destination() delivery.Destination {
	d, _ := delivery.DestinationOf(c.format)
	d.MaxRows = c.maxRows
	return d
}

// listed is the destination of the tool that keeps lists: its files hold nothing but
// hashes of ids, to be added or to be removed.
const listed = "google-customer-match"

func (t *tool) lists() bool { return t.config.format == listed }

// columns are those of the tool's files.
func (c config) columns() []delivery.Column {
	if c.format == listed {
		return []delivery.Column{{Name: "Email", From: "user_id"}}
	}
	all := []delivery.Column{{Name: "id", From: "user_id"}, {Name: "plan", From: "plan"}, {Name: "day", From: delivery.WordDay}}
	if c.points {
		all = append(all, delivery.Column{Name: "points", From: "points"})
	}
	if c.destination().Merged {
		all[0].Name = "external_id"
		all = append(all, delivery.Column{Name: "of", From: delivery.WordAudience}, delivery.Column{Name: "change", From: delivery.WordChange})
	} else if c.changes {
		all = append(all, delivery.Column{Name: "change", From: delivery.WordChange}, delivery.Column{Name: "why", From: delivery.WordReason})
	}
	return append(all, delivery.Column{Name: "night", From: delivery.WordDate})
}

// job gives an attempt by a process.
func (t *tool) job(p *process) (*delivery.Job, error) {
	c := t.config
	ledger, err := publish.Open(context.Background(), objstore.New(p.wrap(t.world.store), "mem://out"), prediction)
	if err != nil {
		return nil, err
	}
	d := delivery.Delivery{
		Name: t.name, To: objstore.New(p.wrap(&inbox{t.store, t}), "mem://"+t.name), Columns: c.columns(),
		Destination: c.destination(), Changes: c.changes, FullEvery: c.fullEvery, Cadence: c.cadence,
		Rules: delivery.Rules{Window: c.window, MaxAge: c.maxAge, Zone: t.zone},
	}
	for _, name := range c.audiences {
		d.Audiences = append(d.Audiences, delivery.Audience{Name: name, ID: "user_id", Keep: true})
	}
	explain := func(_ context.Context, _ *publish.Published, leavers []delivery.Leaver) (delivery.Explanation, error) {
		return delivery.Explanation{Reasons: slices.Repeat([]delivery.Reason{delivery.Filter}, len(leavers)), From: delivery.FromSnapshot}, nil
	}
	return &delivery.Job{Delivery: d, Ledger: ledger, Now: t.now, By: t.world.name(), Temp: t.temp, Memory: 1 << 20, Workers: 3, Explain: explain}, nil
}

// attempt is one process that delivers.
func (t *tool) attempt(p *process) error {
	t.report.attempts++
	job, err := t.job(p)
	if err != nil {
		return err
	}
	out, err := job.Deliver(context.Background())
	if out != nil && out.Did == delivery.DidGiveUp {
		t.report.givenUp++
	}
	if out != nil && out.Did != delivery.DidNothing || err != nil {
		t.note("%s: %+v: %v, %v", t.name, p, what(out), err)
	}
	return err
}

func what(out *delivery.Outcome) string {
	if out == nil || out.Intent == nil {
		return "nothing"
	}
	return out.Did + ", " + out.Why
}

// deliver makes an attempt and looks at what the tool received.
func (t *tool) deliver(p *process) {
	_ = t.attempt(p)
	if p.fired && p.fault != meets {
		t.faults++
		t.report.faults++
	}
	t.oracle.look()
	t.flying = false
}

// overtake changes what is published in the middle of an attempt.
func (t *tool) overtake(events ...func() error) {
	t.flying = true
	if err := events[t.IntN(len(events))](); err != nil {
		panic(err) // a store in memory does not fail
	}
}

// deliverClean makes an attempt without a fault, which must do what is due.
func (t *tool) deliverClean() {
	err := t.attempt(&process{at: -1})
	t.oracle.look()
	t.oracle.checkReported(4)
	missing := errors.Is(err, delivery.ErrColumns) && t.lacksAudience()
	if err != nil && !missing {
		t.violate(1, unexpectedError, "%s: %v", t.name, err)
	}
	if err == nil {
		t.oracle.checkDelivered()
	}
}

// lacksAudience says whether what is in effect was published without an audience of
// the tool.
func (t *tool) lacksAudience() bool {
	d, _ := t.newest()
	p := t.effective[d]
	return p != nil && slices.ContainsFunc(t.config.audiences, func(name string) bool { return p.members[name] == nil })
}

// redeliver sends the newest delivery once more, by an operator.
func (t *tool) redeliver() {
	last := t.oracle.last()
	if last == nil {
		return
	}
	p := t.someFault(t)
	job, err := t.job(p)
	if err == nil {
		_, err = job.Redeliver(context.Background(), last.Date, "simulated")
	}
	t.note("%s: again %s: %+v: %v", t.name, last.Date, p, err)
	if p.fired && p.fault != meets {
		t.faults++
		t.report.faults++
	}
	t.oracle.look()
	t.flying = false
}

// consume deletes some of what is there.
func (t *tool) consume() {
	b := objstore.New(t.store, "mem://"+t.name)
	found, err := b.List(context.Background(), "")
	for _, a := range found {
		if err == nil && t.chance(0.7) {
			t.report.deleted++
			err = b.Delete(context.Background(), a.Key, objstore.Any)
		}
	}
	if err != nil {
		panic(err) // a store in memory does not fail
	}
}

// inbox keeps every file at the moment when it arrives.
type inbox struct {
	*mem.Driver
	tool *tool
}

func (b *inbox) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	u, err := b.Driver.Put(ctx, key, cond)
	return &arriving{Upload: u, tool: b.tool, key: key}, err
}

type arriving struct {
	objstore.Upload
	tool *tool
	key  string
	data []byte
}

func (u *arriving) Write(p []byte) (int, error) {
	n, err := u.Upload.Write(p)
	u.data = append(u.data, p[:n]...)
	return n, err
}

func (u *arriving) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	a, err := u.Upload.Commit(sum)
	if err == nil {
		newest, _ := u.tool.newest()
		u.tool.puts = append(u.tool.puts, put{u.key, u.data, u.tool.now, newest, u.tool.effective[newest]})
	}
	return a, err
}

// ends says when a date has ended.
func (t *tool) ends(d date.Date) time.Time { return d.End(t.zone) }
