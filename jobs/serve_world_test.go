package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/dial"
)

// handClock is a clock that a test moves on.
type handClock struct {
	mu     sync.Mutex
	armed  *sync.Cond // a timer was added
	now    time.Time
	timers []*handTimer
	count  int // of timers, ever
}

type handTimer struct {
	at    time.Time
	rings chan time.Time
}

func newHandClock(now time.Time) *handClock {
	c := &handClock{now: now}
	c.armed = sync.NewCond(&c.mu)
	return c
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Timer(d time.Duration) (<-chan time.Time, func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &handTimer{c.now.Add(d), make(chan time.Time, 1)}
	c.timers = append(c.timers, t)
	c.count++
	c.armed.Broadcast()
	return t.rings, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		before := len(c.timers)
		c.timers = slices.DeleteFunc(c.timers, func(o *handTimer) bool { return o == t })
		return len(c.timers) < before
	}
}

// idle returns once n wait for the clock.
func (c *handClock) idle(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.timers) < n {
		c.armed.Wait()
	}
}

// later does something and returns once n more wait for the clock than ever before.
func (c *handClock) later(n int, do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n += c.count
	c.mu.Unlock()
	do()
	c.mu.Lock()
	for c.count < n {
		c.armed.Wait()
	}
}

// until moves on to t, from one ring to the next, whenever n wait for it.
func (c *handClock) until(t time.Time, n int) {
	for {
		c.idle(n)
		if !c.ring(t) {
			return
		}
	}
}

// ring lets the next timer ring unless it is after t: then it is t.
func (c *handClock) ring(t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := slices.MinFunc(c.timers, func(a, b *handTimer) int { return a.at.Compare(b.at) })
	if next.at.After(t) {
		c.now = t
		return false
	}
	c.now = next.at
	next.rings <- c.now
	c.timers = slices.DeleteFunc(c.timers, func(o *handTimer) bool { return o == next })
	return true
}

// world is what is around a server: a clock, stores in memory and who is told.
type world struct {
	t      *testing.T
	place  string // of its stores, no other world's
	clock  *handClock
	atOnce int
	engine pipeline.Engine
	runs   atomic.Int64

	mu    sync.Mutex
	heard []string // prediction date status, of all attempts
	told  func(jobs.Attempt)

	reloads chan []*config.Config
	served  int
	stop    context.CancelFunc
	ended   chan error
}

func newWorld(t *testing.T, now string) *world {
	t.Helper()
	return &world{t: t, place: "mem://" + t.TempDir(), clock: newHandClock(momentOf(t, now)), atOnce: 1, engine: engine, reloads: make(chan []*config.Config)}
}

// config gives a prediction of this world.
func (w *world) config(prediction string, lines ...string) *config.Config {
	w.t.Helper()
	cfg := configOf(w.t, lines...)
	cfg.Prediction = prediction
	cfg.Snapshot.URL, cfg.Publish.URL = w.url("in"), w.url(prediction)
	for i := range cfg.Deliveries {
		cfg.Deliveries[i].To = w.url("tool")
	}
	return cfg
}

func (w *world) url(name string) string { return w.place + "/" + name }

func (w *world) bucket(name string) *objstore.Bucket {
	w.t.Helper()
	b, err := dial.Open(w.t.Context(), w.url(name), dial.Options{Output: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// start starts a server and returns once it waits.
func (w *world) start(cfgs ...*config.Config) {
	ctx, stop := context.WithCancel(w.t.Context())
	w.stop, w.ended, w.served = stop, make(chan error, 1), len(cfgs)
	ended := w.ended
	go func() {
		ended <- jobs.Serve(ctx, cfgs, w.options())
	}()
	w.clock.idle(w.served)
}

func (w *world) options() jobs.ServeOptions {
	return jobs.ServeOptions{
		Clock: w.clock, AtOnce: w.atOnce, Engine: w.engine, Memory: engine.Memory, Temp: w.t.TempDir(), Version: "test",
		NewRun: func() string { return fmt.Sprintf("%026d", w.runs.Add(1)) }, Told: w.hear, Reloads: w.reloads,
	}
}

// reload gives other configs to a server that waits, and returns when it waits again.
func (w *world) reload(cfgs ...*config.Config) {
	w.clock.idle(w.served)
	w.clock.later(len(cfgs), func() { w.reloads <- cfgs })
}

// end ends the server as a signal does.
func (w *world) end() {
	w.t.Helper()
	w.stop()
	if err := <-w.ended; err != nil {
		w.t.Error(err)
	}
}

func (w *world) until(t string) { w.t.Helper(); w.clock.until(momentOf(w.t, t), w.served) }

func (w *world) hear(_ *config.Config, a jobs.Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, fmt.Sprintf("%s %s %s", a.Started.UTC().Format("02T15:04"), a.Date, a.Status()))
	if w.told != nil {
		w.told(a)
	}
}

// news gives what was heard since it was asked last.
func (w *world) news() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.heard = nil }()
	return w.heard
}

// snapshot puts the snapshot of a date, ready, of users whose scores are spread evenly;
// salt makes it another one.
func (w *world) snapshot(d string, users int, salt float64) {
	w.t.Helper()
	put(w.t, w.bucket("in"), "dt="+d+"/part-0.parquet", usersOf(w.t, dayOf(w.t, d), users, salt))
	put(w.t, w.bucket("in"), "dt="+d+"/_SUCCESS", nil)
}

func put(t *testing.T, b *objstore.Bucket, key string, data []byte) {
	t.Helper()
	generation := ""
	switch there, err := b.Stat(t.Context(), key); {
	case err == nil:
		generation = there.Generation
	case !errors.Is(err, objstore.ErrNotExist):
		t.Fatal(err)
	}
	if _, err := b.Replace(t.Context(), key, data, generation); err != nil {
		t.Fatal(err)
	}
}

// remove removes an object that is there.
func remove(t *testing.T, b *objstore.Bucket, key string) {
	t.Helper()
	there, err := b.Stat(t.Context(), key)
	if err == nil {
		err = b.Delete(t.Context(), key, objstore.IfGeneration(there.Generation))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func usersOf(t *testing.T, d date.Date, users int, salt float64) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "user_id", Type: arrow.BinaryTypes.String}, {Name: "s", Type: arrow.PrimitiveTypes.Float64}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range users {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("u%d-%04d", d.Days(), i))
		b.Field(1).(*array.Float64Builder).Append((float64(i) + salt) / float64(users))
	}
	record := b.NewRecordBatch()
	defer record.Release()
	var file bytes.Buffer
	out, err := pqarrow.NewFileWriter(schema, &file, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err == nil {
		err = out.Write(record)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// committed gives the dates that a prediction has published, and fails where one has
// more than one entry in its log.
func (w *world) committed(prediction string) []string {
	w.t.Helper()
	all, err := w.bucket(prediction).List(w.t.Context(), "commits/")
	if err != nil {
		w.t.Fatal(err)
	}
	var dates []string
	for _, a := range all {
		var d, entry string
		if _, err := fmt.Sscanf(a.Key, "commits/%10s/%s", &d, &entry); err != nil || entry != "00000000.json" {
			w.t.Errorf("the log has %s", a.Key)
		}
		dates = append(dates, d)
	}
	return dates
}
