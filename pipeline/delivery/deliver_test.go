package delivery_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
)

func (p *place) expect(t *testing.T, out *delivery.Outcome, kind delivery.Kind, want ...string) {
	t.Helper()
	if out.Intent == nil {
		t.Fatalf("nothing was sent: %s", out.Why)
	}
	if diff := cmp.Diff(append([]string{}, want...), p.rows(out.Intent)); out.Intent.Kind != kind || diff != "" {
		t.Errorf("%s, expected %s; rows: %s", out.Intent.Kind, kind, diff)
	}
	if c := out.Intent.Counts; c.Previous+c.Entered-c.Left != c.Now || c.Entered+c.Stayed+c.Moved != c.Now {
		t.Errorf("counts %+v", c)
	}
}

func expectNothing(t *testing.T, out *delivery.Outcome, why string) {
	t.Helper()
	if out.Did != delivery.DidNothing || !strings.Contains(out.Why, why) {
		t.Errorf("%s, %s; expected nothing, because %q", out.Did, out.Why, why)
	}
}

func TestChanges(t *testing.T) {
	p := newPlace(t, t.TempDir(), "big", "small")
	p.publish(day(1), members{"big": "anna=pro bert=free | cleo=pro", "small": "dora=free emil=free"})
	p.expect(t, p.deliver(), delivery.Full, "big anna entered pro", "big bert entered free", "small dora entered free", "small emil entered free")
	p.publish(day(2), members{"big": "anna=basic dora=free", "small": "emil=free finn=free"})
	out := p.deliver()
	p.expect(t, out, delivery.Changes, "big anna updated basic", "big bert left", "big dora moved free", "small dora left", "small finn entered free")
	if want := (delivery.Counts{Previous: 4, Entered: 1, Left: 1, Moved: 1, Stayed: 2, Now: 4}); out.Intent.Counts != want {
		t.Errorf("counts %+v, expected %+v", out.Intent.Counts, want)
	}
	if diff := cmp.Diff(map[delivery.Reason]int64{delivery.Filter: 1}, out.Intent.Reasons); diff != "" {
		t.Error(diff)
	}
	expectNothing(t, p.deliver(), "was delivered as number 1")
	p.consume()
	expectNothing(t, p.deliver(), "was delivered as number 1")
}

// One who leaves two audiences at once has one reason.
func TestReasonsAreOfUsers(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a", "b")
	p.publish(day(1), members{"a": "anna bert", "b": "anna bert"})
	p.deliver()
	p.publish(day(2), members{"a": "bert", "b": ""})
	out := p.deliver()
	p.expect(t, out, delivery.Changes, "a anna left", "b anna left", "b bert left")
	if c := out.Intent.Counts; c.Left != 1 || out.Intent.Reasons[delivery.Filter] != 1 {
		t.Errorf("%+v, reasons %v", c, out.Intent.Reasons)
	}
}

// A tool that gets all members gets nobody twice for one date, whatever happens to it.
func TestCorrectionsOfAFullTool(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	p.config.Changes = false
	p.publish(day(1), members{"a": "anna=pro bert=pro"})
	p.expect(t, p.deliver(), delivery.Full, "a anna pro", "a bert pro")
	p.publish(day(1), members{"a": "anna=free cleo=free"})
	p.expect(t, p.deliver(), delivery.Correction, "a cleo free")
	if _, err := p.ledger.Withdraw(ctx, day(1), "wrong"); err != nil {
		t.Fatal(err)
	}
	p.expect(t, p.deliver(), delivery.Correction)
	expectNothing(t, p.deliver(), "delivered as number 2")
	p.publish(day(1), members{"a": "anna=pro bert=pro cleo=pro dora=pro"})
	p.expect(t, p.deliver(), delivery.Correction, "a dora pro")
	p.publish(day(2), members{"a": "anna=pro"})
	p.expect(t, p.deliver(), delivery.Full, "a anna pro")
}

// Where the full file was given up, its correction holds everybody.
func TestCorrectionOfAFileThatWasGivenUp(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	p.config.Changes = false
	p.publish(day(1), members{"a": "anna=pro bert=pro"})
	p.deliver()
	p.publish(day(2), members{"a": "anna=pro bert=pro"})
	p.interrupt(t, ".00000.claim")
	p.publish(day(2), members{"a": "anna=pro cleo=pro"})
	p.expect(t, p.deliver(), delivery.Correction, "a anna pro", "a cleo pro")
	if unsent := p.log()[1].Unsent; len(unsent) != 1 {
		t.Errorf("not sent are %q", unsent)
	}
}

// interrupt lets an attempt die before it writes an object whose key holds a text.
func (p *place) interrupt(t *testing.T, before string) {
	t.Helper()
	_, err := p.deliverUnder((&dying{at: -1, before: before}).wrap)
	if past := p.log(); err == nil || len(past) == 0 || past[0].Done {
		t.Fatalf("got %v, %+v, expected a delivery that was interrupted", err, past)
	}
}

func TestInterruptedDelivery(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a", "b")
	p.config.Destination.MaxRows = 1
	p.publish(day(1), members{"a": "anna bert cleo", "b": "dora"})
	p.interrupt(t, "_0_1.")
	p.consume()
	p.config.Destination = destination("csv") // what is pending stays as it was
	out := p.deliver()
	if out.Did != delivery.DidResume || !slices.Equal(out.Fates, []delivery.Fate{delivery.Delivered, delivery.Uncertain, delivery.Delivered, delivery.Delivered}) {
		t.Errorf("%s, %v", out.Did, out.Fates)
	}
	if past := p.log()[0]; !past.Done || !slices.Equal(past.Uncertain, []string{out.Intent.Files[1].Name}) || past.Rows != 3 {
		t.Errorf("%+v", past)
	}
	if len(p.puts) != 3 {
		t.Errorf("put were %q", p.puts)
	}
}

// What is pending is given up when a newer date is there, and its members enter then.
func TestPendingIsGivenUpForANewerDate(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	p.config.Destination.MaxRows = 1
	p.config.Cadence = &delivery.Cadence{Days: 3, Cooldown: 5, OnExit: delivery.Stop}
	p.publish(day(1), members{"a": "anna bert cleo"})
	p.interrupt(t, "_0_1.")
	p.publish(day(2), members{"a": "anna bert cleo"})
	// The first was delivered, the second may have been, the third never was.
	p.expect(t, p.deliver(), delivery.Changes, "a anna updated 2", "a bert updated 2", "a cleo entered 1")
}

func TestWithdrawn(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	p.publish(day(1), members{"a": "anna bert"})
	p.deliver()
	if _, err := p.ledger.Withdraw(ctx, day(1), "wrong"); err != nil {
		t.Fatal(err)
	}
	out := p.deliver()
	p.expect(t, out, delivery.Correction, "a anna left", "a bert left")
	if out.Intent.Reasons[delivery.Withdrawn] != 2 {
		t.Errorf("reasons %v", out.Intent.Reasons)
	}
	p.publish(day(2), members{"a": "anna"})
	if _, err := p.ledger.Withdraw(ctx, day(2), "wrong"); err != nil {
		t.Fatal(err)
	}
	expectNothing(t, p.deliver(), "withdrawn, and nothing of it was delivered")
}

func TestAudienceRemovedAndAdded(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a", "b")
	p.publish(day(1), members{"a": "anna", "b": "bert"})
	p.deliver()
	p.config.Audiences = p.config.Audiences[:1]
	p.publish(day(2), members{"a": "anna", "b": "bert"})
	out := p.deliver()
	p.expect(t, out, delivery.Changes, "b bert left")
	if out.Intent.Reasons[delivery.AudienceRemoved] != 1 {
		t.Errorf("reasons %v", out.Intent.Reasons)
	}
	p.config.Audiences = append(p.config.Audiences, delivery.Audience{Name: "c", ID: "user_id"})
	expectNothing(t, p.deliver(), "was delivered")
	p.publish(day(3), members{"a": "anna"})
	if _, err := p.deliverUnder(unchanged); !errors.Is(err, delivery.ErrColumns) {
		t.Errorf("got %v, expected %v", err, delivery.ErrColumns)
	}
	p.publish(day(4), members{"a": "anna", "c": "bert"})
	p.expect(t, p.deliver(), delivery.Changes, "c bert entered")
}

func TestEveryThirdIsFull(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	p.config.FullEvery = 3
	var kinds []string
	for n := range 7 {
		p.publish(day(n), members{"a": "anna"})
		kinds = append(kinds, string(p.deliver().Intent.Kind))
	}
	if got := strings.Join(kinds, " "); got != "full changes changes full changes changes full" {
		t.Error(got)
	}
}

// The members are those of the newest delivery even when a whole list was given up.
func TestLeaverOfAFullFileThatWasGivenUp(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	p.config.FullEvery = 2
	for n, who := range []string{"anna bert", "anna bert"} {
		p.publish(day(n), members{"a": who})
		p.deliver()
	}
	p.publish(day(2), members{"a": "anna"})
	p.interrupt(t, ".00000.claim")
	p.publish(day(3), members{"a": "anna"})
	p.expect(t, p.deliver(), delivery.Changes, "a bert left")
}

func TestRedeliver(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	p.config.Destination.MaxRows = 1
	refused := func(why string) {
		t.Helper()
		if _, err := p.redeliver(day(1)); !errors.Is(err, delivery.ErrAgain) || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, expected %v: %s", err, delivery.ErrAgain, why)
		}
	}
	refused("delivered nothing")
	p.publish(day(1), members{"a": "anna bert"})
	first := p.deliver()
	again, err := p.redeliver(day(1))
	if err != nil || again.Intent.Kind != delivery.Again || len(again.Intent.Files) != 2 || again.Intent.Files[0].Name == first.Intent.Files[0].Name {
		t.Fatalf("%+v, %v", again, err)
	}
	expectNothing(t, p.deliver(), "was delivered")
	p.now = p.now.Add(48 * time.Hour)
	refused("max_age")
	p.publish(day(2), members{"a": "anna"})
	refused("not what is published now")
	p.deliver()
	refused("newest delivery is of")
	p.publish(day(3), members{"a": "anna"})
	p.deliver()
	if _, err := p.redeliver(day(3)); !errors.Is(err, delivery.ErrAgain) || !strings.Contains(err.Error(), "no file") {
		t.Errorf("got %v", err)
	}
}

// Only what is uncertain is sent again, and one that is given up takes nothing back.
func TestRedeliverWhatIsUncertain(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	p.config.Destination.MaxRows = 1
	p.publish(day(1), members{"a": "anna bert"})
	p.interrupt(t, "_0_1.")
	p.deliver()
	for at := 0; len(p.log()) == 1; at++ {
		j, err := p.job((&dying{fault: crashBefore, at: at}).wrap)
		if err == nil {
			_, err = j.Redeliver(ctx, day(1), "asked")
		}
		if err == nil {
			t.Fatal("it was not interrupted")
		}
	}
	if f := p.log()[0].Files; len(f) != 1 || f[0].Rows != 1 {
		t.Errorf("sent again are %+v", f)
	}
	p.publish(day(2), members{"a": "anna bert"})
	p.expect(t, p.deliver(), delivery.Changes)
}

func TestDamagedState(t *testing.T) {
	for name, damage := range map[string]func(*testing.T, *objstore.Bucket, string){
		"gone": func(t *testing.T, b *objstore.Bucket, key string) {
			if err := b.Delete(ctx, key, objstore.Any); err != nil {
				t.Fatal(err)
			}
		},
		"other bytes": func(t *testing.T, b *objstore.Bucket, key string) {
			a, err := b.Stat(ctx, key)
			if err == nil {
				_, err = b.Replace(ctx, key, make([]byte, a.Size), a.Generation)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		p := newPlace(t, t.TempDir(), "a")
		p.publish(day(1), members{"a": "anna"})
		damage(t, p.ledger.Bucket(), p.deliver().Intent.State[0].Key)
		p.publish(day(2), members{"a": "anna bert"})
		if out, err := p.deliverUnder(unchanged); err == nil || out != nil && out.Intent != nil {
			t.Errorf("%s: %+v was sent from a damaged state", name, out)
		}
		if len(p.puts) != 1 {
			t.Errorf("%s: put were %q", name, p.puts)
		}
	}
}

// No file is over its limits, every row is in one of them, in order, below a header.
func TestFilesWithinLimits(t *testing.T) {
	var all []string
	for n := range 1000 {
		all = append(all, fmt.Sprintf("u%04d=%s", n, strings.Repeat("x", 1+n%97)))
	}
	for _, limits := range []struct {
		destination string
		rows, bytes int64
	}{
		{"csv", 7, 0}, {"csv", 0, 300}, {"csv", 3, 300}, {"csv", 0, 0},
		{"jsonl", 333, 0}, {"jsonl", 0, 4000}, {"csv", 1000, 0}, {"csv", 999, 0},
	} {
		f := destination(limits.destination)
		f.MaxRows, f.MaxBytes = limits.rows, limits.bytes
		p := newPlace(t, t.TempDir(), "a")
		p.config.Changes, p.config.Destination = false, f
		p.publish(day(1), members{"a": strings.Join(all, " ")})
		out := p.deliver()
		var rows, want []string
		to := int64(0)
		for _, file := range out.Intent.Files {
			text := p.staged(file)
			if f.MaxRows > 0 && file.Rows > f.MaxRows || f.MaxBytes > 0 && file.Bytes > f.MaxBytes || int64(len(text)) != file.Bytes || file.From != to || file.To <= to {
				t.Errorf("%+v: %+v of %d bytes, after %d", limits, file, len(text), to)
			}
			to = file.To
			if f.Format == "csv" {
				header, rest, _ := strings.Cut(text, "\n")
				if strings.TrimSpace(header) != "user_id,plan" {
					t.Fatalf("header %q", header)
				}
				text = rest
			}
			if lines(text) != int(file.Rows) {
				t.Errorf("%+v: %d rows, said %d", limits, lines(text), file.Rows)
			}
			rows = append(rows, strings.Fields(text)...)
		}
		for _, u := range all {
			id, plan, _ := strings.Cut(u, "=")
			line := id + "," + plan
			if f.Format == "jsonl" {
				line = fmt.Sprintf(`{"user_id":%q,"plan":%q}`, id, plan)
			}
			want = append(want, line)
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("%+v: %s", limits, diff)
		}
	}
}

func TestARowOverTheLimit(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	p.config.Destination.MaxBytes = 100
	p.publish(day(1), members{"a": "anna bert=" + strings.Repeat("x", 90)})
	if _, err := p.deliverUnder(unchanged); !errors.Is(err, delivery.ErrColumns) || !strings.Contains(err.Error(), "at most 100") {
		t.Errorf("got %v", err)
	}
	if len(p.log()) > 0 {
		t.Error("an intent was written")
	}
}
