package publish_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// nth gives a bucket on d whose nth operation meets the fault, and tells whether
// there was one.
func nth(d objstore.Driver, n int, what faulty.Fault) (*objstore.Bucket, func() bool) {
	return deciding(d, func(faulty.Operation) faulty.Fault {
		if n--; n == -1 {
			return what
		}
		return faulty.None
	}), func() bool { return n < 0 }
}

// Every operation of a run fails in turn, in every way; then the invariants hold,
// and one clean run publishes and converges (I7).
func TestEveryOperationFailsInTurn(t *testing.T) {
	for _, what := range []faulty.Fault{faulty.Error, faulty.Lost, faulty.Refused, forbidden} {
		operations := 0
		for reached := true; reached; operations++ {
			d := mem.New()
			mustPublish(t, open(t, bucket(d)), day.AddDays(-1), 0, false)
			b, hit := nth(d, operations, what)
			out, err := publishUnder(b)
			reached = hit()
			at := fmt.Sprintf("operation %d: %s", operations, what)
			checkTruth(t, at, d, out, err)
			checkRerun(t, at, d)
		}
		if operations < 12 {
			t.Errorf("%s: a run has %d operations, expected more", what, operations)
		}
	}
}

func publishUnder(b *objstore.Bucket) (publish.Outcome, error) {
	l, err := publish.Open(ctx, b, prediction)
	if err != nil {
		return publish.Outcome{}, err
	}
	return publishNight(l, day, runNamed(1), hexOf("tonight"), false)
}

// checkTruth checks I1 and I8: what is committed is whole, and what the runner was
// told is so.
func checkTruth(t *testing.T, at string, d *mem.Driver, out publish.Outcome, err error) {
	t.Helper()
	_, published, readErr := open(t, bucket(d)).Published(ctx, day)
	switch {
	case readErr != nil:
		t.Errorf("%s: committed, and not whole: %v", at, readErr)
	case out.Ours && !published:
		t.Errorf("%s: told published, and it is not", at)
	case published && !out.Ours && !errors.Is(err, publish.ErrUnknown):
		t.Errorf("%s: published, and told %+v, %v", at, out, err)
	}
}

func checkRerun(t *testing.T, at string, d *mem.Driver) {
	t.Helper()
	b := bucket(d)
	if _, err := publishNight(open(t, b), day, runNamed(2), hexOf("tonight"), false); err != nil {
		t.Errorf("%s: rerun: %v", at, err)
		return
	}
	log, err := open(t, b).Log(ctx, day)
	if err != nil || log.Next() != 1 {
		t.Errorf("%s: after a rerun the log is %+v, %v; expected one entry", at, log, err)
		return
	}
	if got := latestOf(t, b); got.Run != log.Entries[0].Run || got.Date != day.String() {
		t.Errorf("%s: after a rerun latest shows %+v, expected run %s", at, got, log.Entries[0].Run)
	}
}
