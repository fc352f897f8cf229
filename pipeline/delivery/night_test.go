package delivery_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

const prediction = "churn-14d"

var ctx = context.Background()

func day(n int) date.Date { return date.FromDays(int32(20_000 + n)) }

// fataler is what a test and a property have in common.
type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// place is publish.url and the place of a tool.
type place struct {
	t      fataler
	temp   string
	store  objstore.Driver // of publish.url
	inbox  objstore.Driver
	ledger *publish.Ledger
	config delivery.Delivery
	now    time.Time
	runs   *atomic.Int64

	mu   sync.Mutex
	puts []string // names that became visible in the inbox, in order
}

// newPlace gives a tool that gets the changes of the audiences as JSON lines.
func newPlace(t fataler, temp string, audiences ...string) *place {
	p := &place{t: t, temp: temp, store: mem.New(), inbox: mem.New(), runs: &atomic.Int64{}}
	p.config = delivery.Delivery{
		Name: "tool", Destination: destination("jsonl"), Changes: true,
		Rules: delivery.Rules{MaxAge: 36 * time.Hour, Zone: time.UTC},
	}
	for _, name := range audiences {
		p.config.Audiences = append(p.config.Audiences, delivery.Audience{Name: name, ID: "user_id"})
	}
	var err error
	if p.ledger, err = publish.Open(ctx, objstore.New(p.store, "mem://out"), prediction); err != nil {
		t.Fatal(err)
	}
	return p
}

// destination gives the one of that name, which must be there.
func destination(name string) delivery.Destination {
	d, found := delivery.DestinationOf(name)
	if !found {
		panic("no destination " + name)
	}
	return d
}

// members is an audience's members and, from the first "|" on, its control arm: words
// such as "anna=pro", whose value is a column of the file.
type members map[string]string

// publish publishes a date and lets the clock be four hours after its end.
func (p *place) publish(d date.Date, audiences members) {
	p.t.Helper()
	p.now = d.End(time.UTC).Add(4 * time.Hour)
	log, err := p.ledger.Log(ctx, d)
	if err != nil {
		p.t.Fatal(err)
	}
	run := p.run()
	m := &publish.Manifest{
		Format: publish.Format, Prediction: prediction, Date: d, Run: run, Mode: "live", Engine: "local", Version: "v1",
		Fingerprint: fmt.Sprintf("%x", sha256.Sum256([]byte(run))), Distribution: make([]int64, 20),
	}
	for _, name := range slices.Sorted(maps.Keys(audiences)) {
		arms := strings.SplitN(audiences[name]+"|", "|", 3)
		a := publish.Audience{Name: name}
		for i, file := range []string{"part-00000.parquet", "control-00000.parquet"} {
			f := p.writeArm(publish.RunPrefix(d, run)+"/audiences/"+name+"/"+file, strings.Fields(arms[i]))
			a.Files = append(a.Files, f)
			*[]*int64{&a.Members, &a.Control}[i] = f.Rows
		}
		m.Audiences = append(m.Audiences, a)
	}
	sum, err := p.ledger.Seal(ctx, m)
	if err == nil {
		_, err = p.ledger.Commit(ctx, log, publish.Entry{Run: run, Fingerprint: m.Fingerprint, ManifestSHA256: sum})
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) run() string { return fmt.Sprintf("01J%023d", p.runs.Add(1)) }

func (p *place) writeArm(key string, users []string) publish.File {
	p.t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "user_id", Type: arrow.BinaryTypes.String}, {Name: "plan", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	rows := make([]int32, len(users))
	for i, u := range users {
		id, plan, _ := strings.Cut(u, "=")
		b.Field(0).(*array.StringBuilder).Append(id)
		b.Field(1).(*array.StringBuilder).Append(plan)
		rows[i] = int32(i)
	}
	l := audience.Layout{ID: "user_id", Columns: []audience.Column{{Name: "user_id", Column: "user_id"}, {Name: "plan", Column: "plan"}}}
	out, err := p.ledger.Bucket().Create(ctx, key)
	if err != nil {
		p.t.Fatal(err)
	}
	e, err := audience.NewParquet(out, l, schema, audience.ParquetOptions{Compression: "snappy"})
	if err == nil && len(users) > 0 {
		err = e.Write(&audience.Block{Batch: b.NewRecordBatch()}, rows)
	}
	if err == nil {
		err = e.Close()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	w, err := out.Commit()
	if err != nil {
		p.t.Fatal(err)
	}
	return publish.File{Key: key, Format: "parquet", Rows: int64(len(users)), Bytes: w.Size, SHA256: w.SHA256, CRC32C: publish.Checksum(w.CRC32C)}
}

// job gives an attempt whose stores are as wrap gives them.
func (p *place) job(wrap func(objstore.Driver) objstore.Driver) (*delivery.Job, error) {
	ledger, err := publish.Open(ctx, objstore.New(wrap(p.store), "mem://out"), prediction)
	j := &delivery.Job{Delivery: p.config, Ledger: ledger, Now: p.now, By: p.run(), Temp: p.temp, Memory: 1 << 20}
	j.To = objstore.New(wrap(&watched{p.inbox, p}), "mem://tool")
	j.Explain = func(_ context.Context, _ *publish.Published, l []delivery.Leaver) (delivery.Explanation, error) {
		return delivery.Explanation{Reasons: slices.Repeat([]delivery.Reason{delivery.Filter}, len(l)), From: delivery.FromSnapshot}, nil
	}
	return j, err
}

func unchanged(d objstore.Driver) objstore.Driver { return d }

func (p *place) deliverUnder(wrap func(objstore.Driver) objstore.Driver) (*delivery.Outcome, error) {
	j, err := p.job(wrap)
	if err != nil {
		return nil, err
	}
	return j.Deliver(ctx)
}

// deliver is an attempt that has to succeed.
func (p *place) deliver() *delivery.Outcome {
	p.t.Helper()
	out, err := p.deliverUnder(unchanged)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// redeliver is deliver on purpose.
func (p *place) redeliver(d date.Date) (*delivery.Outcome, error) {
	j, err := p.job(unchanged)
	if err != nil {
		return nil, err
	}
	return j.Redeliver(ctx, d, "asked")
}

// log gives the deliveries so far, newest first.
func (p *place) log() []delivery.Past {
	p.t.Helper()
	past, err := delivery.Open(p.ledger.Bucket(), p.config.Name).History(ctx, 1000)
	if err != nil {
		p.t.Fatal(err)
	}
	return past
}

// rows are the rows of an intent's files as "audience user change plan day", sorted.
func (p *place) rows(i *delivery.Intent) []string {
	p.t.Helper()
	rows := []string{}
	for _, f := range i.Files {
		for line := range strings.Lines(p.staged(f)) {
			var r map[string]any
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				p.t.Fatal(err)
			}
			words := []string{f.Audience}
			for _, name := range []string{"user_id", "change", "plan", "cadence_day"} {
				if r[name] != nil && r[name] != "" {
					words = append(words, fmt.Sprint(r[name]))
				}
			}
			rows = append(rows, strings.Join(words, " "))
		}
	}
	slices.Sort(rows)
	return rows
}

// staged gives the bytes that were staged for a file.
func (p *place) staged(f delivery.File) string {
	p.t.Helper()
	return p.bytes(f.Key)
}

// bytes gives an object below publish.url.
func (p *place) bytes(key string) string {
	p.t.Helper()
	data, _, err := p.ledger.Bucket().Read(ctx, key, 1<<24)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// consume lets the tool take all files away.
func (p *place) consume() {
	p.t.Helper()
	b := objstore.New(p.inbox, "mem://tool")
	found, err := b.List(ctx, "")
	for _, a := range found {
		err = errors.Join(err, b.Delete(ctx, a.Key, objstore.Any))
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// putOnce returns an error unless no name was put twice.
func (p *place) putOnce() error {
	seen := map[string]bool{}
	for _, name := range p.puts {
		if seen[name] {
			return fmt.Errorf("%s was put twice", name)
		}
		seen[name] = true
	}
	return nil
}

// watched keeps the name of every object that becomes visible.
type watched struct {
	objstore.Driver
	place *place
}

func (w *watched) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	u, err := w.Driver.Put(ctx, key, cond)
	return &watchedUpload{u, w.place, key}, err
}

type watchedUpload struct {
	objstore.Upload
	place *place
	key   string
}

func (u *watchedUpload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	a, err := u.Upload.Commit(sum)
	if err == nil {
		u.place.mu.Lock()
		u.place.puts = append(u.place.puts, u.key)
		u.place.mu.Unlock()
	}
	return a, err
}

// fault is what becomes of one operation of a store.
type fault int

const (
	fails fault = iota
	replyLost
	crashBefore
	crashAfter
)

var faults = map[fault]string{fails: "fails", replyLost: "reply lost", crashBefore: "crash before", crashAfter: "crash after"}

var errFault = errors.New("connection reset")

// dying is a process whose operation number at meets a fault, or which dies before it
// writes an object whose key holds a text.
type dying struct {
	fault  fault
	at     int
	before string

	mu   sync.Mutex
	done int
	dead bool
}

func (d *dying) do(run func() error) error {
	meets, err := d.next()
	if err != nil {
		return err
	}
	err = run()
	if meets {
		err = errors.Join(err, errFault)
	}
	return err
}

// next counts an operation: whether it meets the fault after it is done, or why it is not.
func (d *dying) next() (meets bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done++
	switch {
	case d.dead:
		return false, errFault
	case d.done != d.at+1:
		return false, nil
	}
	d.dead = d.fault == crashBefore || d.fault == crashAfter
	if d.fault == fails || d.fault == crashBefore {
		return false, errFault
	}
	return true, nil
}

func (d *dying) die() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
}

func (d *dying) wrap(s objstore.Driver) objstore.Driver { return &dyingStore{s, d} }

type dyingStore struct {
	objstore.Driver
	process *dying
}

func (s *dyingStore) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	return s.process.do(func() error { return s.Driver.List(ctx, prefix, folders, yield) })
}

func (s *dyingStore) Open(ctx context.Context, key, generation string, offset, length int64) (r io.ReadCloser, err error) {
	err = s.process.do(func() error {
		r, err = s.Driver.Open(ctx, key, generation, offset, length)
		return err
	})
	return r, err
}

func (s *dyingStore) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	u, err := s.Driver.Put(ctx, key, cond)
	return &dyingUpload{u, s.process, key}, err
}

type dyingUpload struct {
	objstore.Upload
	process *dying
	key     string
}

func (u *dyingUpload) Commit(sum objstore.Checksum) (a objstore.Attrs, err error) {
	if before := u.process.before; before != "" && strings.Contains(u.key, before) {
		u.process.die()
	}
	err = u.process.do(func() error {
		a, err = u.Upload.Commit(sum)
		return err
	})
	return a, err
}

func lines(data string) int { return bytes.Count([]byte(data), []byte("\n")) }
