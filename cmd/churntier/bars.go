package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/churntier/churntier/pipeline/gate"
)

// bars draws one bar a stage with rows and bytes a second and the time left. Those
// of several nights share a group.
type bars struct {
	group *mpb.Progress
	night string // "" where there is only one
	alone bool   // no other bars are in the group

	mu  sync.Mutex
	bar atomic.Pointer[mpb.Bar]
}

func newGroup(w io.Writer, more ...mpb.ContainerOption) *mpb.Progress {
	return mpb.New(append([]mpb.ContainerOption{mpb.WithOutput(w), mpb.WithWidth(32)}, more...)...)
}

func (b *bars) Stage(name string, rows, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finish()
	width := len(b.night) + 22
	options := []mpb.BarOption{mpb.PrependDecorators(decor.Name(b.night+name, decor.WC{W: width, C: decor.DindentRight}))}
	if !b.alone {
		options = append(options, mpb.BarRemoveOnComplete())
	}
	style := mpb.NopStyle()
	if rows > 0 {
		style = mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]")
		options = append(options, mpb.AppendDecorators(rate(rows, bytes), decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace)))
	}
	b.bar.Store(b.group.New(rows, style, options...))
}

// rate tells how fast rows and bytes go. What it said of the whole stage stays.
func rate(rows, bytes int64) decor.Decorator {
	start, said, ended := time.Now(), "", false
	return decor.Any(func(s decor.Statistics) string {
		if !ended {
			said = speed(s.Current, rows, bytes, time.Since(start))
		}
		ended = s.Completed
		return said
	}, decor.WCSyncSpace)
}

// speed tells how fast it goes when done of all rows took so long.
func speed(done, rows, bytes int64, elapsed time.Duration) string {
	a := float64(done) / max(elapsed.Seconds(), 0.001)
	return fmt.Sprintf("%s rows/s, %.1f MiB/s", gate.Count(int64(a)), a*float64(bytes)/float64(rows)/(1<<20))
}

func (b *bars) Add(rows int64) {
	if bar := b.bar.Load(); bar != nil {
		bar.IncrInt64(rows)
	}
}

// finish ends the bar of the last stage, if there is one.
func (b *bars) finish() {
	if bar := b.bar.Load(); bar != nil {
		bar.SetTotal(-1, true)
	}
}

// Close ends the last bar, and drawing altogether where no other bars are drawn.
func (b *bars) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finish()
	if b.alone {
		b.group.Wait()
	}
	return nil
}
