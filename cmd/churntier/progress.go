package main

import (
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
)

// progress shows how far a run is: a bar a stage on a terminal, a line a stage
// otherwise.
type progress interface {
	pipeline.Progress
	io.Closer
}

func newProgress(t *terminal, f outputFlags) progress {
	if f.draws(t) {
		return &bars{group: newGroup(t)}
	}
	return &lines{log: f.logger(t)}
}

// draws says whether there is a terminal to draw bars on.
func (f outputFlags) draws(t *terminal) bool {
	file, ok := t.stderr.(*os.File)
	return ok && !f.Quiet && f.LogFormat == "text" && term.IsTerminal(int(file.Fd()))
}

func newGroup(t *terminal) *mpb.Progress {
	return mpb.New(mpb.WithOutput(t.stderr), mpb.WithWidth(40))
}

// watch shows how far each of many nights is: a line a stage, none on a terminal,
// where a receipt a night says enough.
type watch struct{ log *slog.Logger }

func newWatch(t *terminal, f outputFlags) *watch {
	f.Quiet = f.Quiet || f.draws(t)
	return &watch{f.logger(t)}
}

func (w *watch) night(d date.Date) pipeline.Progress {
	return &lines{log: w.log.With("date", d.String())}
}

// lines logs the start of each stage.
type lines struct{ log *slog.Logger }

func (l *lines) Stage(name string, rows int64) {
	if rows > 0 {
		l.log.Info(name, "rows", rows)
		return
	}
	l.log.Info(name)
}

func (l *lines) Add(int64) {}

func (l *lines) Close() error { return nil }

// bars draws one bar a stage with rows a second and the time left.
type bars struct {
	group *mpb.Progress
	mu    sync.Mutex
	bar   atomic.Pointer[mpb.Bar]
}

func (b *bars) Stage(name string, rows int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finish()
	b.bar.Store(b.group.New(rows, barStyle(),
		mpb.PrependDecorators(decor.Name(name, decor.WC{W: 22, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.CountersNoUnit("%d / %d rows", decor.WCSyncSpace), decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace)),
	))
}

// barStyle honours NO_COLOR by drawing with plain characters either way.
func barStyle() mpb.BarStyleComposer {
	return mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]")
}

func (b *bars) Add(rows int64) {
	if bar := b.bar.Load(); bar != nil {
		bar.IncrInt64(rows)
	}
}

func (b *bars) finish() {
	if bar := b.bar.Load(); bar != nil {
		bar.SetTotal(-1, true)
	}
}

func (b *bars) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finish()
	b.group.Wait()
	return nil
}
