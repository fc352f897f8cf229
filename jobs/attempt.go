package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// The values of Attempt.Status besides those of pipeline.Status, which are that of
// the outcome where there is no error.
const (
	StatusDelivered   = "delivered"   // a try at the deliveries alone, which ended well, maybe with nothing to send
	StatusUndelivered = "undelivered" // published, and not delivered everywhere: ErrDelivery
	StatusNotReady    = "not-ready"   // the snapshot is not there yet, or changed while it was read
	StatusLate        = "late"        // the same, past the deadline of the date
	StatusRefused     = "refused"     // by a gate or by the content of the inputs
	StatusSuperseded  = "superseded"  // another run with other inputs, or an operator, was first
	StatusInterrupted = "interrupted" // told to stop, and as if it had not begun
	StatusFailed      = "failed"      // anything else
)

// Attempt is one try at a night, or at its deliveries, and how it ended.
type Attempt struct {
	Prediction string
	Date       date.Date
	Started    time.Time
	Seconds    float64
	Outcome    *pipeline.Outcome   // nil where there is none
	Deliveries []*delivery.Outcome // one for each delivery that was looked at
	Err        error               // nil, or of the kinds of Nightly and Deliver
	Late       bool                // the deadline of the date has passed
}

// Status sums the attempt up in one word of the closed list above. A night whose
// publication took effect is "published", also when latest/ does not show it yet;
// Err says so then.
func (a Attempt) Status() string {
	is := func(kind error) bool { return errors.Is(a.Err, kind) }
	switch {
	case a.Err == nil && a.Outcome != nil:
		return string(a.Outcome.Status)
	case a.Err == nil:
		return StatusDelivered
	case is(pipeline.ErrProjection):
		return string(pipeline.Published)
	case is(ErrDelivery):
		return StatusUndelivered
	case is(publish.ErrUnknown):
		return StatusFailed
	case is(context.Canceled):
		return StatusInterrupted
	case is(snapshot.ErrNotReady), is(objstore.ErrChanged):
		if a.Late {
			return StatusLate
		}
		return StatusNotReady
	case is(pipeline.ErrRefused), isContent(a.Err):
		return StatusRefused
	case is(publish.ErrSuperseded):
		return StatusSuperseded
	}
	return StatusFailed
}

// isContent says whether an input breaks its contract.
func isContent(err error) bool {
	return slices.ContainsFunc(pipeline.ContentFaults, func(kind error) bool { return errors.Is(err, kind) })
}
