package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// world is one prediction, its users and its tools.
type world struct {
	*rand.Rand
	seed, number uint64
	temp         string
	report       *report

	zone      *time.Location
	night     int
	today     date.Date // whose end was last
	now       time.Time
	names     int
	users     []*user
	digests   map[string]string // ids by their SHA-256
	audiences []string          // of the config now

	store     *mem.Driver // of publish.url
	published *objstore.Bucket
	ledger    *publish.Ledger
	runs      map[string]*publication
	effective map[date.Date]*publication   // nil where withdrawn
	entries   map[date.Date][]*publication // of each log; nil where the entry publishes no run
	missed    []date.Date                  // not published in their time

	tools []*tool
	trace []string
}

var zones = []string{"UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"}

func newWorld(seed, number uint64, temp string, r *report) (*world, error) {
	w := &world{
		Rand: rand.New(rand.NewPCG(seed, number)), seed: seed, number: number, temp: temp, report: r,
		store: mem.New(), digests: map[string]string{}, runs: map[string]*publication{}, effective: map[date.Date]*publication{}, entries: map[date.Date][]*publication{},
	}
	var err error
	if w.zone, err = time.LoadLocation(zones[w.IntN(len(zones))]); err != nil {
		return w, err
	}
	w.today = date.Of(time.Date(2026, time.Month(1+w.IntN(12)), 1+w.IntN(28), 0, 0, 0, 0, time.UTC))
	w.published = objstore.New(w.store, "mem://out")
	if w.ledger, err = publish.Open(context.Background(), w.published, prediction); err != nil {
		return w, err
	}
	w.audiences = slices.Clone(audienceNames[:3])
	for i := range 20 + w.IntN(41) {
		u := &user{id: fmt.Sprintf("u%03d", i), plan: "free", points: "1", wants: map[string]bool{}, heldOut: w.chance(0.1)}
		for _, name := range audienceNames {
			u.wants[name] = w.chance(0.4)
		}
		w.users = append(w.users, u)
		w.digests[fmt.Sprintf("%x", sha256.Sum256([]byte(u.id)))] = u.id
	}
	w.tools = newTools(w)
	return w, w.ledger.Claim(context.Background())
}

func (w *world) chance(p float64) bool { return w.Float64() < p }

// name gives a name of the shape of a ULID, never given before.
func (w *world) name() string {
	w.names++
	return fmt.Sprintf("01J%023d", w.names)
}

func (w *world) has(audience string) bool { return slices.Contains(w.audiences, audience) }

// note adds to what is printed when something is wrong.
func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("night %d %s: ", w.night, w.now.In(w.zone).Format("01-02 15:04"))+fmt.Sprintf(format, args...))
}

// violate counts what must not be.
func (w *world) violate(n int, kind, format string, args ...any) {
	if n == 0 {
		return
	}
	w.report.violations[kind] += n
	if len(w.report.traces) < tracesShown {
		recent := w.trace[max(0, len(w.trace)-12):]
		w.report.traces = append(w.report.traces, fmt.Sprintf("world %d of seed %d, night %d: %s: %s\n  %s",
			w.number, w.seed, w.night, kind, fmt.Sprintf(format, args...), strings.Join(recent, "\n  ")))
	}
}

// at sets the clock to so many hours after the end of the newest date.
func (w *world) at(hours float64) {
	w.now = w.today.End(w.zone).Add(time.Duration(hours * float64(time.Hour)))
}

// live goes through nights.
func (w *world) live(nights int) error {
	for until := w.night + nights; w.night < until; {
		out := 0
		if w.chance(0.06) {
			out = 1 + w.IntN(5)
		}
		for range min(out, until-w.night-1) {
			w.nightFalls()
			w.missed = append(w.missed, w.today)
		}
		w.nightFalls()
		if err := w.liveOne(); err != nil {
			return err
		}
	}
	for _, t := range w.tools {
		t.oracle.checkReported(len(t.oracle.deliveries))
	}
	return nil
}

// nightFalls ends a date.
func (w *world) nightFalls() {
	w.night++
	w.report.nights++
	w.today = w.today.AddDays(1)
	for _, u := range w.users {
		w.change(u)
	}
	w.at(0)
}

// change lets a user live for a day.
func (w *world) change(u *user) {
	for _, name := range audienceNames {
		if w.chance(0.15) {
			u.wants[name] = !u.wants[name]
		}
	}
	if w.chance(0.1) {
		u.plan = []string{"free", "basic", "pro"}[w.IntN(3)]
	}
	if w.chance(0.2) {
		u.points = fmt.Sprint(w.IntN(100))
	}
	if w.chance(0.02) {
		u.heldOut = !u.heldOut
	}
	u.suppressed = u.suppressed || w.chance(0.01)
}

// liveOne publishes and delivers one night, with all that happens on the day after.
func (w *world) liveOne() error {
	w.at(4.5)
	late := w.chance(0.08)
	w.missed = append(w.missed, w.today)
	if err := w.catchUp(late); err != nil {
		return err
	}
	w.deliverAll()
	w.consume()
	events := []func() error{w.editAtNoon, w.force, w.rollback, w.withdraw, w.backfill, w.lateRun, w.again, w.prune}
	for hour := 6.0; hour < 23; hour += 1 + 6*w.Float64() {
		w.at(hour)
		if w.chance(0.35) {
			if err := events[w.IntN(len(events))](); err != nil {
				return err
			}
		}
		if w.chance(0.5) {
			w.deliverAll()
		}
		w.consume()
	}
	w.at(23.5)
	w.deliverClean()
	return nil
}

// catchUp publishes the dates that were missed, oldest first; a late one stays out.
func (w *world) catchUp(late bool) error {
	var kept []date.Date
	for _, d := range w.missed {
		if d == w.today && late || d != w.today && w.chance(0.3) {
			kept = append(kept, d)
			continue
		}
		if err := w.publish(d); err != nil {
			return err
		}
	}
	w.missed = kept
	return nil
}

// lateRun publishes a date that was missed, after its time.
func (w *world) lateRun() error {
	if len(w.missed) == 0 {
		return nil
	}
	at := w.IntN(len(w.missed))
	d := w.missed[at]
	w.missed = slices.Delete(w.missed, at, at+1)
	return w.publish(d)
}

// force publishes the newest date again, from what is now.
func (w *world) force() error {
	d, found := w.newest()
	if !found {
		return nil
	}
	if w.chance(0.7) {
		for range 1 + w.IntN(5) {
			w.change(w.users[w.IntN(len(w.users))])
		}
	}
	return w.publish(d)
}

// backfill publishes an older date again.
func (w *world) backfill() error {
	d, found := w.newest()
	if !found {
		return nil
	}
	return w.publish(d.AddDays(-1 - w.IntN(20)))
}

func (w *world) rollback() error {
	d, found := w.newest()
	if !found {
		return nil
	}
	to := w.IntN(len(w.entries[d]))
	p := w.entries[d][to]
	if p == nil {
		return nil
	}
	e, err := w.ledger.Rollback(context.Background(), d, to, "simulated")
	w.operated(d, e, p)
	return err
}

func (w *world) withdraw() error {
	d, found := w.newest()
	if !found {
		return nil
	}
	e, err := w.ledger.Withdraw(context.Background(), d, "simulated")
	w.operated(d, e, nil)
	return err
}

// operated takes an entry of an operator, which may have been there before.
func (w *world) operated(d date.Date, e publish.Entry, now *publication) {
	if e.Seq == len(w.entries[d]) {
		w.entries[d] = append(w.entries[d], nil)
	}
	w.effective[d] = now
	w.note("%s of %s", e.Kind(), d)
}

// newest gives the newest date that has a log.
func (w *world) newest() (newest date.Date, found bool) {
	for d := range w.entries {
		if !found || d.After(newest) {
			newest, found = d, true
		}
	}
	return newest, found
}

// editAtNoon changes the config: its audiences, or what a tool receives.
func (w *world) editAtNoon() error {
	if w.chance(0.4) {
		name := audienceNames[w.IntN(len(audienceNames))]
		if at := slices.Index(w.audiences, name); at < 0 {
			w.audiences = append(w.audiences, name)
		} else if len(w.audiences) > 2 {
			w.audiences = slices.Delete(w.audiences, at, at+1)
		}
		w.note("audiences are %v now", w.audiences)
	}
	for _, t := range w.tools {
		t.edit()
	}
	return nil
}

// again lets an operator look at what is uncertain.
func (w *world) again() error {
	for _, t := range w.tools {
		if len(t.oracle.uncertain(1)) > 0 && w.chance(0.8) || w.chance(0.3) {
			t.redeliver()
		}
	}
	return nil
}

// prune deletes what is old of every delivery, by the clock of the store.
func (w *world) prune() error {
	var newest time.Time
	found, err := w.published.List(context.Background(), "deliveries/")
	for _, a := range found {
		if a.Modified.After(newest) {
			newest = a.Modified
		}
	}
	before := newest.Add(-time.Duration(w.IntN(60)) * time.Second) // a second is one write
	for _, t := range w.tools {
		if err == nil {
			_, err = delivery.Open(w.published, t.name).Retire(context.Background(), objstore.New(t.store, "mem://"+t.name), before)
		}
	}
	w.note("pruned: %v", err)
	return err
}

// deliverAll lets every tool be delivered to, by attempts that may die.
func (w *world) deliverAll() {
	for _, t := range w.tools {
		t.deliver(w.someFault(t))
		if w.chance(0.3) {
			t.deliver(w.someFault(t))
		}
	}
}

// deliverClean lets every tool be delivered to, by an attempt that meets no fault.
func (w *world) deliverClean() {
	for _, t := range w.tools {
		t.deliverClean()
	}
}

// someFault gives an attempt a fault, or none.
func (w *world) someFault(t *tool) *process {
	p := &process{at: -1}
	if !w.chance(0.4) {
		return p
	}
	p.fault, p.writes = fault(w.IntN(int(faults))), w.chance(0.6)
	p.at = w.IntN(90)
	if p.writes {
		p.at = w.IntN(16)
	}
	p.meet = func() { _ = t.attempt(&process{at: -1}) }
	if w.chance(0.4) {
		p.meet = func() { t.overtake(w.force, w.withdraw, w.lateRun) }
	}
	return p
}

// consume lets tools take files away.
func (w *world) consume() {
	for _, t := range w.tools {
		if w.chance(0.5) {
			t.consume()
		}
	}
}
