package metrics

import (
	"io"
	"sync"
	"time"

	"github.com/churntier/churntier/pipeline"
)

// preparing is the stage before the first one that a run tells of.
const preparing = "prepare"

// Progress is one that ends.
type Progress interface {
	pipeline.Progress
	io.Closer
}

// Stages is a progress that takes the time of each stage.
type Stages struct {
	Progress
	set func(stage string, seconds float64)

	mu    sync.Mutex
	name  string
	began time.Time
	took  map[string]time.Duration
}

// Watch gives a progress that passes on to p, and takes the time of an attempt that
// begins now. Close shows it.
func (m *Metrics) Watch(prediction string, p Progress) *Stages {
	return &Stages{
		Progress: p, name: preparing, began: time.Now(), took: map[string]time.Duration{},
		set: func(stage string, seconds float64) { m.stages.WithLabelValues(prediction, stage).Set(seconds) },
	}
}

// Stage implements pipeline.Progress.
func (s *Stages) Stage(name string, rows, bytes int64) {
	s.next(name)
	s.Progress.Stage(name, rows, bytes)
}

func (s *Stages) next(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.took[s.name] += now.Sub(s.began)
	s.name, s.began = name, now
}

// Close ends the last stage.
func (s *Stages) Close() error {
	s.next("")
	for stage, d := range s.took {
		s.set(stage, d.Seconds())
	}
	return s.Progress.Close()
}
