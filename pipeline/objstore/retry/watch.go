package retry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
)

var errSilent = errors.New("the store did not answer")

// watch ends its context when the store is waited for and says nothing.
type watch struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	silence time.Duration
}

// watching begins to wait.
func watching(ctx context.Context, silence time.Duration) *watch {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(silence, func() { cancel(errSilent) })
	return &watch{ctx, cancel, timer, silence}
}

// wait begins to wait anew.
func (w *watch) wait() { w.timer.Reset(w.silence) }

// rest ends the waiting: it is not the store that we wait for.
func (w *watch) rest() { w.timer.Stop() }

// end releases what the watch holds. It ends the context.
func (w *watch) end() {
	w.timer.Stop()
	w.cancel(nil)
}

// explain says of a failure that it came of silence. That is no cancellation
// by the caller, and of no kind: the operation may have happened.
func (w *watch) explain(err error) error {
	if err != nil && errors.Is(context.Cause(w.ctx), errSilent) {
		return fmt.Errorf("%w for %s", errSilent, w.silence)
	}
	return err
}

// upload is an object on its way to a store that is watched.
type upload struct {
	below objstore.Upload
	watch *watch
}

func (u *upload) Write(p []byte) (int, error) {
	u.watch.wait()
	defer u.watch.rest()
	n, err := u.below.Write(p)
	return n, u.watch.explain(err)
}

func (u *upload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	u.watch.wait()
	defer u.watch.end()
	a, err := u.below.Commit(sum)
	return a, u.watch.explain(err)
}

func (u *upload) Abort() {
	u.below.Abort()
	u.watch.end()
}
