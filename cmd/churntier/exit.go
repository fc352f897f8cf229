package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitNotReady   = 3
	exitRefused    = 4
	exitSuperseded = 5
	exitSignal     = 128 // plus the signal
)

const exitCodes = `Exit codes: 0 done (also already published); 1 failed; 2 usage, config or model;
3 snapshot not ready, try again later; 4 refused by a gate or by the snapshot's content;
5 superseded by another run; 130, 143 interrupted.`

// failure is what an error means to the caller: an exit code, a kind for
// machines and a hint for people.
type failure struct {
	code   int
	status string
	kind   string
	hint   string
}

// classify turns an error into its meaning. An interruption decides the exit code,
// but never hides that the night is published, or may be.
func classify(err error) failure {
	f := kindOf(err)
	var signalled *interrupted
	if !errors.As(err, &signalled) {
		return f
	}
	f.code = exitSignal + int(signalled.signal)
	if !errors.Is(err, pipeline.ErrProjection) && !errors.Is(err, publish.ErrUnknown) {
		f.status, f.kind, f.hint = "failed", "interrupted", "run again"
	}
	return f
}

// kindOf is the one place that gives every kind of error its exit code.
func kindOf(err error) failure {
	is := func(kind error) bool { return errors.Is(err, kind) }
	switch {
	case is(pipeline.ErrProjection):
		return failure{exitFailed, "published", "projection", "it is in the log; churntier repair, or the next run, updates latest/"}
	case is(publish.ErrUnknown):
		return failure{exitFailed, "failed", "unknown", "run again: it finds out whether the commit took effect"}
	case is(config.ErrConfig):
		return failure{exitUsage, "failed", "config", "correct the config; churntier schema describes every key"}
	case is(pipeline.ErrBaseline):
		return failure{exitUsage, "failed", "config", "correct gates.psi.baseline; churntier show lists the dates that are published"}
	case is(score.ErrOptions):
		return failure{exitUsage, "failed", "config", "correct score in the config; churntier check prints the features of the model"}
	case is(score.ErrModel):
		return failure{exitUsage, "failed", "model", "export the model again in a supported form"}
	case is(publish.ErrForeign):
		return failure{exitUsage, "failed", "owner", "give every prediction a publish.url of its own"}
	case is(publish.ErrTarget), is(publish.ErrExpired):
		return failure{exitUsage, "failed", "usage", "churntier show lists the entries of a date"}
	case is(pipeline.ErrDamage), is(publish.ErrDamaged), is(publish.ErrLog), is(publish.ErrLatest):
		return failure{exitFailed, "failed", "damage", "churntier repair puts latest/ right; what else is damaged, publish again with run --force, or roll it back"}
	case is(objstore.ErrUnsafe):
		return failure{exitUsage, "failed", "store", "publish to a store that honours conditional writes (If-None-Match and If-Match), or upgrade this one; nothing was published"}
	case is(pipeline.ErrMemory):
		return failure{exitUsage, "failed", "memory", "allow more with --memory, or lower the limits of the audiences"}
	case is(jobs.ErrUsage), is(objstore.ErrScheme):
		return failure{exitUsage, "failed", "usage", "see churntier --help"}
	case is(pipeline.ErrStaged):
		return failure{exitFailed, "failed", "staged", "run again; if it was a clean-up that deleted the files, prune with a longer --older-than than a run takes"}
	case is(snapshot.ErrNotReady), is(objstore.ErrChanged):
		return failure{exitNotReady, "not-ready", "not-ready", "run again when the snapshot is complete"}
	case is(pipeline.ErrGate):
		return failure{exitRefused, "refused", "gate", "nothing was published and the last publication stands; once you know that the night is right, let the gate pass with --accept GATE --reason TEXT"}
	case is(pipeline.ErrRefused), is(snapshot.ErrSchema), is(score.ErrSchema), is(filter.ErrType), is(snapshot.ErrDamaged), is(snapshot.ErrEmpty), is(pipeline.ErrList):
		return failure{exitRefused, "refused", "refused", "correct the data or the config; nothing of it was published"}
	case is(publish.ErrSuperseded):
		return failure{exitSuperseded, "superseded", "superseded", "see churntier show; --force publishes these inputs instead"}
	case is(objstore.ErrNoBucket):
		return failure{exitFailed, "failed", "bucket", "check the url and that the bucket or folder exists"}
	case is(objstore.ErrPermission), is(syscall.EACCES), is(syscall.EPERM):
		return failure{exitFailed, "failed", "permission", "give this user the rights to read the snapshot and to create under publish.url"}
	case is(objstore.ErrNoSpace), is(syscall.ENOSPC):
		return failure{exitFailed, "failed", "disk", "free some space, or choose another folder with --temp"}
	case is(syscall.EMFILE):
		return failure{exitFailed, "failed", "files", "allow more open files (ulimit -n): a run keeps one open for each part"}
	case is(context.DeadlineExceeded):
		return failure{exitFailed, "failed", "timeout", "run again"}
	}
	return failure{exitFailed, "failed", "failed", ""}
}

// report prints an error for people, unless a command printed it as JSON, and
// gives the exit code.
func (t *terminal) report(err error) int {
	if err == nil {
		return exitDone
	}
	f := classify(err)
	var printed *printedError
	if !errors.As(err, &printed) {
		_, _ = fmt.Fprintf(t.stderr, "churntier: %v\n", err)
		if f.hint != "" {
			_, _ = fmt.Fprintf(t.stderr, "hint: %s\n", f.hint)
		}
	}
	return f.code
}

// printedError is an error that the command has already shown.
type printedError struct{ error }

func (p *printedError) Unwrap() error { return p.error }
