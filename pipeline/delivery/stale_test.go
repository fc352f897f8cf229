package delivery_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
)

// afterPut does something once a file of this name is in the place of the tool.
type afterPut struct {
	objstore.Driver
	name string
	do   func()
}

func (d *afterPut) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	u, err := d.Driver.Put(ctx, key, cond)
	if strings.HasSuffix(key, d.name) {
		u = &afterCommit{u, d.do}
	}
	return u, err
}

type afterCommit struct {
	objstore.Upload
	do func()
}

func (u *afterCommit) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	defer u.do()
	return u.Upload.Commit(sum)
}

// What is published while a delivery is sent ends it: nothing of it is sent any more,
// and the next one tells what is true of those who were told of.
func TestStaleDeliveryIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(p *place)
		why       string
		kind      delivery.Kind
		rows      []string
	}{
		"withdrawn": {func(p *place) {
			if _, err := p.ledger.Withdraw(ctx, day(1), "complaint"); err != nil {
				p.t.Fatal(err)
			}
		}, "was withdrawn", delivery.Correction, []string{"a anna left"}},
		"replaced": {func(p *place) { p.publish(day(1), members{"a": "anna bert dora"}) },
			"was replaced", delivery.Correction, []string{"a bert entered", "a dora entered"}},
		"newer": {func(p *place) { p.publish(day(2), members{"a": "anna bert cleo"}) },
			day(2).String() + " was published", delivery.Changes, []string{"a bert entered", "a cleo entered"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, t.TempDir(), "a")
			p.config.Destination.MaxRows = 1
			p.publish(day(1), members{"a": "anna bert cleo"})
			out, err := p.deliverUnder(func(d objstore.Driver) objstore.Driver {
				return &afterPut{d, "_0_0.jsonl", func() { c.meanwhile(p) }}
			})
			if err != nil || out.Did != delivery.DidGiveUp || !strings.Contains(out.Why, c.why) ||
				!slices.Equal(out.Fates, []delivery.Fate{delivery.Delivered, delivery.Abandoned, delivery.Abandoned}) {
				t.Fatalf("got %+v, %v", out, err)
			}
			if past := p.log()[0]; !past.Done || len(past.Unsent) != 2 || !strings.Contains(past.Why, c.why) || len(p.puts) != 1 {
				t.Errorf("put %q, log %+v", p.puts, past)
			}
			p.expect(t, p.deliver(), c.kind, c.rows...)
		})
	}
}
