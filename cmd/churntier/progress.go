package main

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/churntier/churntier/pipeline"
)

// progress shows how far a run is: a bar a stage on a terminal, a line a stage
// otherwise. Neither has a color.
type progress interface {
	pipeline.Progress
	io.Closer
}

func newProgress(t *terminal, f outputFlags) progress {
	if isTerminal(t.stderr) && f.draws() {
		return &bars{group: newGroup(t.stderr), alone: true}
	}
	return &lines{log: f.logger(t)}
}

// draws says whether bars would be understood.
func (f outputFlags) draws() bool { return !f.Quiet && f.LogFormat == "text" }

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// lines logs the start of each stage.
type lines struct{ log *slog.Logger }

func (l *lines) Stage(name string, rows, bytes int64) {
	if rows > 0 {
		l.log.Info(name, "rows", rows, "bytes", bytes)
		return
	}
	l.log.Info(name)
}

func (l *lines) Add(int64) {}

func (l *lines) Close() error { return nil }
