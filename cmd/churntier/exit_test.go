package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

func TestExitCodes(t *testing.T) {
	terminated := &interrupted{syscall.SIGTERM}
	for _, c := range []struct {
		err    error
		code   int
		status string
	}{
		{errors.New("anything"), 1, "failed"},
		{objstore.ErrPermission, 1, "failed"},
		{fmt.Errorf("%w: %w", jobs.ErrUsage, objstore.ErrNotExist), 2, "failed"},
		{publish.ErrForeign, 2, "failed"},
		{fmt.Errorf("claim: %w", objstore.ErrUnsafe), 2, "failed"},
		{snapshot.ErrNotReady, 3, "not-ready"},
		{objstore.ErrChanged, 3, "not-ready"},
		{fmt.Errorf("%w: %w", pipeline.ErrStaged, objstore.ErrChanged), 1, "failed"}, // not an input
		{pipeline.ErrGate, 4, "refused"},
		{fmt.Errorf("%w: %w", pipeline.ErrRefused, snapshot.ErrDamaged), 4, "refused"},
		{publish.ErrSuperseded, 5, "superseded"},
		{pipeline.ErrProjection, 1, "published"},
		{publish.ErrUnknown, 1, "failed"},
		{errors.Join(terminated, context.Canceled), 143, "failed"},
		{errors.Join(&interrupted{syscall.SIGINT}, context.Canceled), 130, "failed"},
		{errors.Join(terminated, pipeline.ErrProjection), 143, "published"}, // it is, whatever came after
	} {
		if f := classify(c.err); f.code != c.code || f.status != c.status {
			t.Errorf("%v: %d %s, want %d %s", c.err, f.code, f.status, c.code, c.status)
		}
	}
	if f := classify(errors.Join(terminated, publish.ErrUnknown)); f.kind != "unknown" {
		t.Errorf("an interruption hides that the night may be published: %+v", f)
	}
}

// A signal in the middle: nothing visible, the code of the signal, and JSON that
// says so.
func TestInterruptedRun(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 1000)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&interrupted{syscall.SIGTERM})
	c := runCommand{configFlags: configFlags{Config: p.path("churntier.yaml")}, Date: "latest", Timeout: time.Hour, workFlags: workFlags{Memory: "256MiB"}}
	_, _, _, err := c.publish(&terminal{ctx: ctx, stderr: t.Output()})
	if status, form := errorOf(err); classify(err).code != 143 || status != "failed" || form.Kind != "interrupted" {
		t.Errorf("%v: %s %+v", err, status, form)
	}
	if len(p.visible()) > 0 {
		t.Errorf("something became visible: %v", p.visible())
	}
}

func TestFailuresAreJSONToo(t *testing.T) {
	p := newPlace(t)
	config := p.path("churntier.yaml")
	for _, args := range [][]string{{"show", "-c", config}, {"files", "-c", config}, {"check", "-c", config}, {"try", p.path("none.parquet")}} {
		r := p.churntier(append(args, "--json")...)
		if r.code == exitDone || r.stderr != "" {
			t.Errorf("%v: exit %d, standard error %q", args, r.code, r.stderr)
		}
		r.expect(t, r.code, `"status":"failed"`, `"message":`)
	}
}

// A run that takes too long ends by itself, and leaves nothing visible.
func TestTimeout(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 1000)
	out, r := p.runJSON("--timeout", "1ns")
	r.expect(t, exitFailed)
	if out.Status != "failed" || out.Error.Kind != "timeout" || !strings.Contains(out.Error.Message, "gave up after 1ns (--timeout)") {
		t.Errorf("%+v", out.Error)
	}
	if len(p.visible()) > 0 {
		t.Errorf("something became visible: %v", p.visible())
	}
	p.night().expect(t, exitDone)
}
