package publish_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

func TestOpenWritesNothing(t *testing.T) {
	_, l := newStore(t)
	if found, err := l.Bucket().List(ctx, ""); err != nil || len(found) > 0 {
		t.Fatalf("after Open the store holds %v, %v", found, err)
	}
}

func TestOpenKnowsWhoseThePlaceIs(t *testing.T) {
	for name, c := range map[string]struct {
		owner string
		says  string // "": it is ours
	}{
		"ours":               {`{"format":1,"prediction":"churn-14d"}`, ""},
		"another prediction": {`{"format":1,"prediction":"upsell"}`, `"upsell"`},
		"a newer format":     {`{"format":2,"prediction":"churn-14d"}`, "upgrade"},
		"no format":          {`{"prediction":"churn-14d"}`, "format 0"},
		"another program":    {`<html>`, "publish.url"},
		"two values":         {`{"format":1,"prediction":"churn-14d"}{}`, "more than one"},
		"unknown key":        {`{"format":1,"prediction":"churn-14d","x":1}`, `"x"`},
		"too large":          {strings.Repeat(" ", 1<<17), "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bucket(mem.New())
			put(t, b, "_CHURNTIER.json", c.owner)
			_, err := publish.Open(ctx, b, prediction)
			if c.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, publish.ErrForeign) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected ErrForeign with %q", err, c.says)
			}
		})
	}
}

func TestOpenReportsAStoreThatFails(t *testing.T) {
	_, err := publish.Open(ctx, failing(mem.New(), faulty.List, "_CHURNTIER", forbidden), prediction)
	if !errors.Is(err, objstore.ErrPermission) || errors.Is(err, publish.ErrForeign) {
		t.Errorf("got %v, expected ErrPermission", err)
	}
}

func TestClaimIsWrittenOnce(t *testing.T) {
	b, l := newStore(t)
	for range 2 {
		if err := l.Claim(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, b).Claim(ctx); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, b, "_CHURNTIER.json"), "{\n  \"format\": 1,\n  \"prediction\": \"churn-14d\"\n}\n"; got != want {
		t.Errorf("owner object:\n%s\nexpected:\n%s", got, want)
	}
}

func TestOnePredictionWinsTheClaim(t *testing.T) {
	b := bucket(mem.New())
	errs, ledgers := make([]error, 24), make([]*publish.Ledger, 24)
	for i := range ledgers {
		var err error
		if ledgers[i], err = publish.Open(ctx, b, fmt.Sprint("prediction-", i%3)); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for i, l := range ledgers {
		wg.Go(func() { errs[i] = l.Claim(ctx) })
	}
	wg.Wait()
	won := map[int]int{}
	for i, err := range errs {
		if err == nil {
			won[i%3]++
		} else if !errors.Is(err, publish.ErrForeign) {
			t.Errorf("racer %d: %v", i, err)
		}
	}
	if len(won) != 1 {
		t.Errorf("claims by prediction: %v, expected all 8 of one", won)
	}
	for _, n := range won {
		if n != 8 {
			t.Errorf("%d of 8 racers of the owner succeeded", n)
		}
	}
}

func TestClaimAfterALostReply(t *testing.T) {
	for what, want := range map[*faulty.Fault]error{&faulty.Lost: nil, &faulty.Error: faulty.ErrReset, &forbidden: objstore.ErrPermission} {
		l := open(t, failing(mem.New(), faulty.Put, "_CHURNTIER", *what))
		if err := l.Claim(ctx); !errors.Is(err, want) {
			t.Errorf("%s: got %v, expected %v", what, err, want)
		}
	}
}

// A store that ignores conditions is found out before anything is written to it.
func TestClaimOfAnUnsafeStore(t *testing.T) {
	d := careless{mem.New()}
	if err := open(t, bucket(d)).Claim(ctx); !errors.Is(err, objstore.ErrUnsafe) {
		t.Errorf("got %v, expected %v", err, objstore.ErrUnsafe)
	}
	if listed, err := bucket(d).List(ctx, ""); err != nil || len(listed) != 0 {
		t.Errorf("the store holds %v, %v", listed, err)
	}
}

// careless is a store that ignores every condition.
type careless struct{ *mem.Driver }

func (c careless) Put(ctx context.Context, key string, _ objstore.Condition) (objstore.Upload, error) {
	return c.Driver.Put(ctx, key, objstore.Any)
}
