package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/churntier/churntier/pipeline/score/forest"
)

// batchRows is how many rows are scored at once, as in a run.
const batchRows = 16_384

// ours is the model with its rows as columns, as a snapshot has them.
type ours struct {
	model   *forest.Model
	batch   *forest.Batch
	columns [][]float64
	margins []float32 // XGBoost's
}

func load(dir string) (*ours, error) {
	data, err := os.ReadFile(filepath.Join(dir, "model.json"))
	if err != nil {
		return nil, err
	}
	o := new(ours)
	if o.model, err = forest.Read(data); err != nil {
		return nil, err
	}
	o.batch = o.model.NewBatch()
	rows, err := floats(filepath.Join(dir, "rows.f32"))
	if err != nil {
		return nil, err
	}
	if o.margins, err = floats(filepath.Join(dir, "margins.f32")); err != nil {
		return nil, err
	}
	o.columns = make([][]float64, len(o.model.Features))
	for i, x := range rows {
		f := i % len(o.columns)
		o.columns[f] = append(o.columns[f], float64(x))
	}
	return o, nil
}

func floats(path string) ([]float32, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	values := make([]float32, len(data)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return values, nil
}

// round scores all rows on so many goroutines and gives the CPU seconds. A margin
// with other bits than XGBoost's is an error.
func (o *ours) round(threads int) (cpu float64, err error) {
	out := make([]float64, len(o.margins))
	starts := make(chan int, len(out)/batchRows+1)
	for from := 0; from < len(out); from += batchRows {
		starts <- from
	}
	close(starts)
	before := cpuSeconds()
	var workers sync.WaitGroup
	for range threads {
		workers.Go(func() {
			batch := o.batch.Share()
			for from := range starts {
				o.score(batch, from, out[from:min(from+batchRows, len(out))])
			}
		})
	}
	workers.Wait()
	cpu = cpuSeconds() - before
	for r, m := range out {
		if math.Float32bits(float32(m)) != math.Float32bits(o.margins[r]) {
			return 0, fmt.Errorf("row %d: margin %v, XGBoost gives %v", r, m, o.margins[r])
		}
	}
	return cpu, nil
}

func (o *ours) score(batch *forest.Batch, from int, out []float64) {
	batch.Reset(len(out))
	for f, column := range o.columns {
		batch.Set(f, column[from:])
	}
	batch.Margins(out)
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

// peer is a running predict.py.
type peer struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func start(process *exec.Cmd) (*peer, error) {
	in, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &peer{process, in, bufio.NewReader(out)}, process.Start()
}

// seconds are the CPU times of a round: from a matrix made before, and in place.
type seconds struct{ made, inplace float64 }

func (p *peer) round() (s seconds, err error) {
	if _, err := fmt.Fprintln(p.in); err != nil {
		return s, err
	}
	var wall [2]float64
	_, err = fmt.Fscanln(p.out, &s.made, &wall[0], &s.inplace, &wall[1])
	return s, err
}

func (p *peer) stop() error {
	_ = p.in.Close()
	return p.process.Wait()
}
