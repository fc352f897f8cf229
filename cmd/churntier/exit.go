package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
	"github.com/churntier/churntier/pipeline/spill"
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

// kindOf gives the meaning of the first kind that err is of.
func kindOf(err error) failure {
	for _, m := range meanings {
		if slices.ContainsFunc(m.kinds, func(kind error) bool { return errors.Is(err, kind) }) {
			return m.failure
		}
	}
	return failure{exitFailed, "failed", "failed", ""}
}

// meanings is the one place that gives every kind of error its exit code. An error
// may be of several; the first here decides.
var meanings = []struct {
	kinds []error
	failure
}{
	{[]error{pipeline.ErrProjection}, failure{exitFailed, "published", "projection", "it is in the log; churntier repair, or the next run, updates latest/"}},
	{[]error{publish.ErrUnknown}, failure{exitFailed, "failed", "unknown", "run again: it finds out whether the commit took effect"}},
	{[]error{config.ErrConfig, distribution.ErrRules}, failure{exitUsage, "failed", "config", "correct the config; churntier schema describes every key"}},
	{[]error{pipeline.ErrBaseline}, failure{exitUsage, "failed", "config", "correct gates.psi.baseline; churntier show lists the dates that are published"}},
	{[]error{score.ErrOptions}, failure{exitUsage, "failed", "config", "correct score in the config; churntier check prints the features of the model"}},
	{[]error{score.ErrModel}, failure{exitUsage, "failed", "model", "export the model again in a supported form"}},
	{[]error{publish.ErrForeign}, failure{exitUsage, "failed", "owner", "give every prediction a publish.url of its own"}},
	{[]error{delivery.ErrColumns, delivery.ErrTooFew}, failure{exitFailed, "failed", "delivery", "correct the delivery or its audiences, and run churntier deliver"}},
	{[]error{delivery.ErrLog}, failure{exitFailed, "failed", "delivery", "restore the object below deliveries/ from a backup or an older version that the store keeps; until the log can be read, nothing is delivered"}},
	{[]error{jobs.ErrDelivery, delivery.ErrPut, delivery.ErrUnknown}, failure{exitFailed, "failed", "delivery", "run churntier deliver again: it goes on where this stopped, and puts no file twice"}},
	{[]error{delivery.ErrAgain}, failure{exitUsage, "failed", "usage", "churntier show lists the deliveries"}},
	{[]error{publish.ErrTarget, publish.ErrExpired}, failure{exitUsage, "failed", "usage", "churntier show lists the entries of a date"}},
	{[]error{publish.ErrLog}, failure{exitFailed, "failed", "damage", "restore the entry from a backup or an older version that the store keeps; until its log can be read, nothing of the date can be published or rolled back"}},
	{[]error{pipeline.ErrDamage, publish.ErrDamaged, publish.ErrLatest}, failure{exitFailed, "failed", "damage", "churntier repair puts latest/ right; what else is damaged, publish again with run --force, or roll it back"}},
	{[]error{objstore.ErrUnsafe}, failure{exitUsage, "failed", "store", "publish to a store that honours conditional writes (If-None-Match and If-Match), or upgrade this one; nothing was published"}},
	{[]error{pipeline.ErrMemory}, failure{exitUsage, "failed", "memory", "allow more with --memory, or lower the limits of the audiences"}},
	{[]error{publish.ErrNewer}, failure{exitUsage, "failed", "version", "upgrade churntier"}},
	{[]error{objstore.ErrKey}, failure{exitUsage, "failed", "key", "correct the url, or rename the file: no part of a path may be empty, . or .., begin with .tmp-, or hold control characters"}},
	{[]error{jobs.ErrUsage, objstore.ErrScheme, filter.ErrSyntax}, failure{exitUsage, "failed", "usage", "see churntier --help"}},
	{[]error{pipeline.ErrStaged}, failure{exitFailed, "failed", "staged", "run again; if it was a clean-up that deleted the files, prune with a longer --older-than than a run takes"}},
	{[]error{snapshot.ErrNotReady, objstore.ErrChanged}, failure{exitNotReady, "not-ready", "not-ready", "run again when the snapshot is complete"}},
	{[]error{pipeline.ErrGate}, failure{exitRefused, "refused", "gate", "nothing was published and the last publication stands; once you know that the night is right, let the gate pass with --accept GATE --reason TEXT"}},
	{append([]error{pipeline.ErrRefused}, pipeline.ContentFaults...), failure{exitRefused, "refused", "refused", "correct the data or the config; nothing of it was published"}},
	{[]error{publish.ErrSuperseded}, failure{exitSuperseded, "superseded", "superseded", "see churntier show; run --force publishes these inputs instead"}},
	{[]error{errUnhealthy}, failure{exitFailed, "failed", "unhealthy", "see the log of churntier serve, and its --listen"}},
	{[]error{syscall.EADDRINUSE}, failure{exitFailed, "failed", "listen", "another process answers there; give each server a --listen of its own"}},
	{[]error{objstore.ErrNoBucket}, failure{exitFailed, "failed", "bucket", "check the url and that the bucket or folder exists"}},
	{[]error{objstore.ErrPermission, syscall.EACCES, syscall.EPERM}, failure{exitFailed, "failed", "permission", "give this user credentials of the store, and the rights to read the snapshot and to create under publish.url"}},
	{[]error{objstore.ErrNoSpace, syscall.ENOSPC}, failure{exitFailed, "failed", "disk", "free space at the place that is named; nothing more became visible, and the same command can be run again"}},
	{[]error{syscall.EMFILE}, failure{exitFailed, "failed", "files", "allow more open files (ulimit -n): a run keeps one open for each part"}},
	{[]error{publish.ErrRetry, publish.ErrConflict}, failure{exitFailed, "failed", "contended", "run again, and not beside a clean-up or other runs of this prediction"}},
	{[]error{objstore.ErrChecksum, spill.ErrDamaged}, failure{exitFailed, "failed", "checksum", "run again; if it stays so, a disk, the network or who wrote the file damages data"}},
	{[]error{pipeline.ErrCounts}, failure{exitFailed, "failed", "counts", "nothing was published; this is a fault of churntier: report it with the message above"}},
	{[]error{context.DeadlineExceeded}, failure{exitFailed, "failed", "timeout", "run again"}},
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
