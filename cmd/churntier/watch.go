package main

import (
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/date"
)

// watch shows how far many nights are, each with its date.
type watch struct {
	terminal *terminal
	flags    outputFlags
	group    *mpb.Progress // nil where nothing is drawn
	timed    func(progress) progress

	mu     sync.Mutex
	nights map[date.Date]progress // under way
}

func newWatch(t *terminal, f outputFlags) *watch {
	w := &watch{terminal: t, flags: f, timed: func(p progress) progress { return p }, nights: map[date.Date]progress{}}
	if isTerminal(t.stderr) && f.draws() {
		w.group = newGroup(t.stderr)
	}
	return w
}

// begin gives the progress of a night.
func (w *watch) begin(d date.Date) pipeline.Progress {
	var p progress = &lines{log: w.flags.logger(w.terminal).With("date", d.String())}
	if w.group != nil {
		p = &bars{group: w.group, night: d.String() + "  "}
	}
	p = w.timed(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nights[d] = p
	return p
}

// end takes the bars of a night away.
func (w *watch) end(d date.Date) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.nights[d]; p != nil {
		_ = p.Close()
		delete(w.nights, d)
	}
}

// above is where lines for out can be printed while bars are drawn: on a terminal,
// above them.
func (w *watch) above(out io.Writer) io.Writer {
	if w.group != nil && isTerminal(out) {
		return w.group
	}
	return out
}

// Close ends all drawing.
func (w *watch) Close() {
	for d := range w.nights {
		w.end(d)
	}
	if w.group != nil {
		w.group.Wait()
	}
}
