package delivery_test

import (
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
)

// newList gives a tool that keeps one list of mail addresses, which are the column
// plan of what is published.
func newList(t *testing.T, name string) *place {
	p := newPlace(t, t.TempDir(), "a")
	p.config.Destination = destination(name)
	p.config.Destination.MinRows = 0
	email := p.config.Destination.Identifiers[0][0]
	p.config.Columns = []delivery.Column{{Name: email, From: "plan"}}
	return p
}

// addresses are those of the tests.
var addresses = []string{"anna@x", "bert@x", "cleo@x"}

// expectList says which addresses a delivery adds, with a plus, and removes, sorted.
func (p *place) expectList(t *testing.T, i *delivery.Intent, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), p.list(i)); diff != "" {
		t.Errorf("delivery %d: %s", i.N, diff)
	}
	if c := i.Counts; c.Previous+c.Entered-c.Left != c.Now || c.Entered+c.Stayed+c.Moved != c.Now {
		t.Errorf("delivery %d: counts %+v", i.N, c)
	}
}

// list gives the signs and addresses in the files of a delivery.
func (p *place) list(i *delivery.Intent) []string {
	p.t.Helper()
	names := map[string]string{}
	for _, k := range addresses {
		names[fmt.Sprintf("%x", sha256.Sum256([]byte(k)))] = k
	}
	rows := []string{}
	for _, f := range i.Files {
		records, err := csv.NewReader(strings.NewReader(p.staged(f))).ReadAll()
		if err != nil {
			p.t.Fatal(err)
		}
		sign := "+"
		if f.Removes {
			sign = "-"
		}
		for _, r := range records[1:] {
			rows = append(rows, sign+names[r[0]])
		}
	}
	slices.Sort(rows)
	return rows
}

// onLists runs a test with every tool that keeps lists.
func onLists(t *testing.T, test func(t *testing.T, p *place)) {
	for _, name := range []string{"google-customer-match", "meta-custom-audience"} {
		t.Run(name, func(t *testing.T) { test(t, newList(t, name)) })
	}
}

// giveUp publishes a night of which nothing is ever sent.
func (p *place) giveUp(t *testing.T, n int, audiences members) {
	t.Helper()
	p.publish(day(n), audiences)
	p.interrupt(t, ".00000.claim")
}

// Who was to be removed by a file that was given up is still on the list.
func TestRemovalsThatWereGivenUp(t *testing.T) {
	onLists(t, func(t *testing.T, p *place) {
		p.publish(day(0), members{"a": "anna=anna@x bert=bert@x"})
		p.deliver()
		p.giveUp(t, 1, members{"a": "anna=anna@x"})
		p.publish(day(2), members{"a": "anna=anna@x"})
		i := p.deliver().Intent
		p.expectList(t, i, "-bert@x")
		if want := (delivery.Counts{Previous: 2, Left: 1, Stayed: 1, Now: 1}); i.Counts != want {
			t.Errorf("counts %+v, expected %+v", i.Counts, want)
		}
		p.publish(day(3), members{"a": "anna=anna@x"})
		p.expectList(t, p.deliver().Intent)
	})
}

// The same of a file that became stale while another one was sent.
func TestRemovalsThatBecameStale(t *testing.T) {
	onLists(t, func(t *testing.T, p *place) {
		p.config.Destination.MaxRows = 1
		p.publish(day(0), members{"a": "anna=anna@x bert=bert@x cleo=cleo@x"})
		p.deliver()
		p.publish(day(1), members{"a": "anna=anna@x"})
		out, err := p.deliverUnder(func(d objstore.Driver) objstore.Driver {
			return &afterPut{d, "_1_0_remove.csv", func() { p.publish(day(2), members{"a": "anna=anna@x"}) }}
		})
		if err != nil || !slices.Equal(out.Fates, []delivery.Fate{delivery.Delivered, delivery.Abandoned}) {
			t.Fatalf("%+v, %v", out, err)
		}
		told := p.list(out.Intent)
		next := p.deliver().Intent
		if again := p.list(next); len(told) != 2 || len(again) != 1 || next.Counts.Left != 1 {
			t.Errorf("removed %q, of which one file was sent, then %q, %+v", told, again, next.Counts)
		}
	})
}

// An address that went to another user who was never added stays known.
func TestAddressOfAMemberWhoWasGivenUp(t *testing.T) {
	onLists(t, func(t *testing.T, p *place) {
		p.publish(day(0), members{"a": "anna=anna@x"})
		p.deliver()
		p.giveUp(t, 1, members{"a": "bert=anna@x"})
		p.publish(day(2), members{"a": "cleo=cleo@x"})
		p.expectList(t, p.deliver().Intent, "+cleo@x", "-anna@x")
	})
}

// A list of nobody cannot be written: who was on it is removed.
func TestListOfNobody(t *testing.T) {
	onLists(t, func(t *testing.T, p *place) {
		for at, changes := range []bool{true, false} {
			p.config.Changes, p.config.FullEvery, p.config.Name = changes, 1, fmt.Sprint("changes-", changes)
			p.publish(day(3*at), members{"a": "anna=anna@x bert=bert@x"})
			p.deliver()
			p.publish(day(3*at+1), members{"a": ""})
			i := p.deliver().Intent
			p.expectList(t, i, "-anna@x", "-bert@x")
			if i.Kind != delivery.Full || i.Counts.Left != 2 {
				t.Errorf("%s, %+v", i.Kind, i.Counts)
			}
			p.publish(day(3*at+2), members{"a": "cleo=cleo@x"})
			p.expectList(t, p.deliver().Intent, "+cleo@x")
		}
	})
}
