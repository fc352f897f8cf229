package delivery_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// intended gives a delivery of n files that nobody has sent yet.
func (p *place) intended(n int) *delivery.Intent {
	p.t.Helper()
	i := &delivery.Intent{Format: delivery.Format, Date: day(1), Previous: -1}
	for k := range n {
		key := fmt.Sprintf("deliveries/tool/00000000/x-%05d.csv", k)
		w, err := p.ledger.Bucket().CreateBytes(ctx, key, []byte(strings.Repeat("row\n", k+1)))
		if err != nil {
			p.t.Fatal(err)
		}
		f := publish.File{Key: key, Format: "csv", Rows: int64(k + 1), Bytes: w.Size, SHA256: w.SHA256, CRC32C: publish.Checksum(w.CRC32C)}
		i.Files = append(i.Files, delivery.File{K: k, Audience: "a", Name: fmt.Sprintf("a/a_%d.csv", k), From: int64(k), To: int64(k + 1), File: f})
	}
	there, err := delivery.Open(p.ledger.Bucket(), "tool").Intend(ctx, i)
	if err != nil {
		p.t.Fatal(err)
	}
	return there
}

// sender is one process that sends.
func (p *place) sender(wrap func(objstore.Driver) objstore.Driver) *delivery.Sender {
	return &delivery.Sender{
		Log: delivery.Open(objstore.New(wrap(p.store), "mem://out"), "tool"), To: objstore.New(wrap(&watched{p.inbox, p}), "mem://tool"), By: p.run(),
	}
}

// racers is how many processes send at once.
const racers = 24

func race(do func() error) error {
	errs := make([]error, racers)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range errs {
		all.Go(func() {
			<-start
			errs[i] = do()
		})
	}
	close(start)
	all.Wait()
	return errors.Join(errs...)
}

func onStores(t *testing.T, test func(t *testing.T, p *place)) {
	t.Run("mem", func(t *testing.T) { test(t, newPlace(t, t.TempDir(), "a", "b")) })
	t.Run("file", func(t *testing.T) {
		p := newPlace(t, t.TempDir(), "a", "b")
		p.store, p.inbox = file.NewOutput(t.TempDir()), file.NewOutput(t.TempDir())
		var err error
		if p.ledger, err = publish.Open(ctx, objstore.New(p.store, "file://out"), prediction); err != nil {
			t.Fatal(err)
		}
		test(t, p)
	})
}

// Any number of senders put every file once, and whoever gives up at the same time
// puts none.
func TestSendersAtOnce(t *testing.T) {
	onStores(t, func(t *testing.T, p *place) {
		i := p.intended(8)
		if err := race(func() error { return p.sender(unchanged).Send(ctx, i) }); err != nil {
			t.Fatal(err)
		}
		names := slices.Sorted(slices.Values(p.puts))
		if len(names) != 8 || p.putOnce() != nil {
			t.Errorf("put were %q", names)
		}
		if past := p.log()[0]; !past.Done || past.Rows != 36 {
			t.Errorf("%+v", past)
		}
	})
}

func TestSendersAgainstGivingUp(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	i := p.intended(30)
	err := race(func() error {
		s := p.sender(unchanged)
		if len(s.By)%2 == 0 && s.By[len(s.By)-1]%2 == 0 {
			return s.Abandon(ctx, i, "no reason")
		}
		return s.Send(ctx, i)
	})
	past := p.log()[0]
	if err != nil || p.putOnce() != nil || !past.Done || len(past.Unsent)+len(p.puts) != 30 || len(past.Uncertain) > 0 {
		t.Errorf("%v: put %d, not sent %d, uncertain %d", err, len(p.puts), len(past.Unsent), len(past.Uncertain))
	}
	for _, name := range past.Unsent {
		if slices.Contains(p.puts, name) {
			t.Errorf("%s was put, and is said not to have been", name)
		}
	}
}

// Whole attempts at once make one delivery.
func TestDeliverersAtOnce(t *testing.T) {
	onStores(t, func(t *testing.T, p *place) {
		p.config.Destination.MaxRows = 1
		p.publish(day(1), members{"a": "anna bert cleo", "b": "dora"})
		err := race(func() error {
			_, err := p.deliverUnder(unchanged)
			return err
		})
		if past := p.log(); err != nil || len(p.puts) != 4 || p.putOnce() != nil || len(past) != 1 || past[0].Rows != 4 {
			t.Errorf("%v: put %q, log %+v", err, p.puts, past)
		}
	})
}

// Every operation of a sender fails in turn, in every way. The tool takes its files
// away; the next one sends the rest, and no name twice. At most one file is uncertain,
// and it is reported.
func TestSenderDiesAtEveryOperation(t *testing.T) {
	for what, name := range faults {
		for at := 0; ; at++ {
			p := newPlace(t, t.TempDir(), "a")
			i := p.intended(3)
			process := &dying{fault: what, at: at}
			err := p.sender(process.wrap).Send(ctx, i)
			p.consume()
			if again := p.sender(unchanged).Send(ctx, i); again != nil {
				t.Fatalf("%s at %d: rerun: %v", name, at, again)
			}
			p.checkEnded(t, fmt.Sprintf("%s at %d (%v)", name, at, err), 3)
			if process.done <= at {
				if at < 15 || err != nil {
					t.Errorf("%s: only %d operations, %v", name, at, err)
				}
				break
			}
		}
	}
}

// checkEnded says that all n files of the newest delivery were put once, but for one
// that is uncertain.
func (p *place) checkEnded(t *testing.T, at string, n int) {
	t.Helper()
	past := p.log()[0]
	missing := n
	for _, f := range past.Files {
		if slices.Contains(p.puts, f.Name) {
			missing--
		} else if !slices.Contains(past.Uncertain, f.Name) {
			t.Errorf("%s: %s never came, and is not reported: %+v", at, f.Name, past)
		}
	}
	if err := p.putOnce(); err != nil || !past.Done || past.Waiting > 0 || len(past.Unsent) > 0 || len(past.Uncertain) > 1 || missing > len(past.Uncertain) {
		t.Errorf("%s: %v, put %q, %+v", at, err, p.puts, past)
	}
}

// The same of whole attempts: whatever dies, the tool knows the right members in the
// end, and is told of none twice.
func TestDelivererDiesAtEveryOperation(t *testing.T) {
	for what, name := range faults {
		for at := 0; ; at += 1 + at/16 {
			p := newPlace(t, t.TempDir(), "a", "b")
			p.config.Destination.MaxRows = 1
			p.publish(day(1), members{"a": "anna bert", "b": "cleo"})
			p.deliver()
			p.publish(day(2), members{"a": "anna dora", "b": "bert"})
			process := &dying{fault: what, at: at}
			_, err := p.deliverUnder(process.wrap)
			p.consume()
			out := p.deliver()
			if out.Intent == nil && err != nil && !errors.Is(err, delivery.ErrUnknown) && !p.log()[0].Done {
				t.Errorf("%s at %d: nothing was done: %s", name, at, out.Why)
			}
			i := p.log()[0].Intent
			want := []string{"a bert left", "a dora entered", "b bert moved", "b cleo left"}
			if i.N != 1 || !slices.Equal(p.rows(i), want) {
				t.Errorf("%s at %d: delivery %d sends %q", name, at, i.N, p.rows(i))
			}
			p.checkEnded(t, fmt.Sprintf("%s at %d (%v)", name, at, err), 4)
			if process.done <= at {
				break
			}
		}
	}
}

// A file that was staged and is not what it was is not put, and not claimed.
func TestDamagedStagedFile(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	i := p.intended(2)
	b := p.ledger.Bucket()
	a, err := b.Stat(ctx, i.Files[0].Key)
	if err == nil {
		_, err = b.Replace(ctx, a.Key, []byte("raw\n"), a.Generation)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := p.sender(unchanged).Send(ctx, i); !errors.Is(err, objstore.ErrChecksum) {
		t.Errorf("got %v, expected %v", err, objstore.ErrChecksum)
	}
	if past := p.log()[0]; len(p.puts) > 0 || past.Waiting != 2 {
		t.Errorf("put %q, %+v", p.puts, past)
	}
}

// A place that is not there fails before anything is claimed.
func TestNoPlace(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	i := p.intended(1)
	p.inbox = file.New(t.TempDir() + "/nowhere")
	if err := p.sender(unchanged).Send(ctx, i); !errors.Is(err, delivery.ErrPut) {
		t.Errorf("got %v, expected %v", err, delivery.ErrPut)
	}
	if past := p.log()[0]; past.Waiting != 1 {
		t.Errorf("%+v", past)
	}
	p.inbox = mem.New()
	if err := p.sender(unchanged).Send(ctx, i); err != nil || len(p.puts) != 1 {
		t.Errorf("%v, put %q", err, p.puts)
	}
}
