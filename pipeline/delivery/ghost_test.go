package delivery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/delivery"
)

// days gives the day of the cadence on which everyone in one arm is after a delivery,
// as its state says.
func (p *place) days(i *delivery.Intent, control bool) map[string]int32 {
	p.t.Helper()
	days := map[string]int32{}
	for _, f := range i.State {
		table, err := pqarrow.ReadTable(ctx, strings.NewReader(p.bytes(f.Key)), parquet.NewReaderProperties(nil), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		if err != nil {
			p.t.Fatal(err)
		}
		column := func(name string) arrow.Array {
			return table.Column(table.Schema().FieldIndices(name)[0]).Data().Chunk(0)
		}
		for row := range int(table.NumRows()) {
			if column("control").(*array.Boolean).Value(row) == control && column("in").(*array.Boolean).Value(row) {
				days[column("id").ValueStr(row)] = column("day").(*array.Int32).Value(row)
			}
		}
	}
	return days
}

// The control arm goes through the same days as the members, and is in no file.
func TestControlArmHasGhostDays(t *testing.T) {
	p := newPlace(t, t.TempDir(), "a")
	p.config.Cadence = &delivery.Cadence{Days: 2, Cooldown: 3, OnExit: delivery.Stop}
	for n, want := range []map[string]int32{
		{"ghost": 1}, {"ghost": 2}, {}, {}, {"ghost": 1},
	} {
		p.publish(day(n), members{"a": "anna | ghost"})
		out := p.deliver()
		if diff := cmp.Diff(want, p.days(out.Intent, true)); diff != "" {
			t.Errorf("night %d: %s", n, diff)
		}
		if sent := fmt.Sprint(p.rows(out.Intent)); strings.Contains(sent, "ghost") {
			t.Errorf("night %d: sent %s", n, sent)
		}
		if c := out.Intent.Counts; c.Now > 1 || c.Previous > 1 {
			t.Errorf("night %d: counted %+v", n, c)
		}
	}
}

// When what the members should have had was given up, the control arm had no day
// either.
func TestGhostsOfAFileThatWasGivenUp(t *testing.T) {
	for _, changes := range []bool{true, false} {
		p := newPlace(t, t.TempDir(), "a")
		p.config.Changes, p.config.Cadence = changes, &delivery.Cadence{Days: 5, Cooldown: 3, OnExit: delivery.Stop}
		p.publish(day(0), members{"a": "anna | ghost"})
		p.deliver()
		p.publish(day(1), members{"a": "anna | ghost"})
		p.interrupt(t, ".00000.claim")
		p.publish(day(2), members{"a": "anna | ghost"})
		i := p.deliver().Intent
		if a, g := p.days(i, false)["anna"], p.days(i, true)["ghost"]; a != 2 || g != 2 {
			t.Errorf("changes %v: the member is on day %d, the ghost on day %d; expected 2", changes, a, g)
		}
	}
}

// A night of which there are only removals counts for the control arm as it does for
// the members: not at all where it was given up.
func TestGhostsOfRemovalsThatWereGivenUp(t *testing.T) {
	onLists(t, func(t *testing.T, p *place) {
		p.config.Cadence = &delivery.Cadence{Days: 5, Cooldown: 3, OnExit: delivery.Stop}
		p.publish(day(0), members{"a": "anna=anna@x | ghost=ghost@x"})
		p.deliver()
		p.giveUp(t, 1, members{"a": "| ghost=ghost@x"})
		p.publish(day(2), members{"a": "anna=anna@x | ghost=ghost@x"})
		i := p.deliver().Intent
		if a, g := p.days(i, false)["anna"], p.days(i, true)["ghost"]; a != 2 || g != 2 {
			t.Errorf("the member is on day %d, the ghost on day %d; expected 2", a, g)
		}
	})
}

// One who went out in a delivery that was given up never did, in either arm.
func TestGhostWhoseLeavingWasGivenUp(t *testing.T) {
	for _, name := range []string{"jsonl", "google-customer-match", "braze-cdi"} {
		for _, night := range []string{"anna=anna@x |", "|"} {
			p := newPlace(t, t.TempDir(), "a")
			switch name {
			case "google-customer-match":
				p = newList(t, name)
			case "braze-cdi":
				p.config.Columns = []delivery.Column{{Name: "external_id", From: "user_id"}, {Name: "plan", From: "plan"}}
			}
			p.config.Destination = destination(name)
			p.config.Cadence = &delivery.Cadence{Days: 5, Cooldown: 3, OnExit: delivery.Stop}
			everyone := members{"a": "anna=anna@x bert=bert@x | ghost=ghost@x"}
			p.publish(day(0), everyone)
			p.deliver()
			p.giveUp(t, 1, members{"a": night})
			p.publish(day(2), everyone)
			i := p.deliver().Intent
			if b, g := p.days(i, false)["bert"], p.days(i, true)["ghost"]; b != 2 || g != 2 {
				t.Errorf("%s, %q: the member is on day %d, the ghost on day %d; expected 2", name, night, b, g)
			}
		}
	}
}
