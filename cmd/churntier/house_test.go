package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// place is a folder with a config, snapshots and an output, as a user has them.
type place struct {
	t   *testing.T
	dir string
}

const plainConfig = `prediction: churn-test
snapshot:
  url: snapshots
  id: user_id
score:
  column: {name: churn_score, range: [0, 100]}
publish:
  url: out
`

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	p.write("churntier.yaml", plainConfig)
	return p
}

func (p *place) path(elements ...string) string {
	return filepath.Join(append([]string{p.dir}, elements...)...)
}

func (p *place) write(name, text string) {
	p.t.Helper()
	full := p.path(name)
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// part writes one part file of a night and marks the night ready.
func (p *place) part(day, name string, columns ...column) {
	p.t.Helper()
	p.write("snapshots/dt="+day+"/_SUCCESS", "")
	writeParquet(p.t, p.path("snapshots", "dt="+day, name), columns...)
}

// ordinary writes a night of n users with scores spread over 0 to 99.99.
func (p *place) ordinary(day string, n int) {
	p.t.Helper()
	ids, scores := make([]string, n), make([]float64, n)
	for i := range n {
		ids[i] = fmt.Sprintf("u%07d", i)
		scores[i] = float64(i*7919%10000) / 100
	}
	p.part(day, "part-00000.parquet", column{"user_id", ids}, column{"churn_score", scores})
}

// result is what a command line gave.
type result struct {
	code           int
	stdout, stderr string
}

func (p *place) churntier(args ...string) result {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(args, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// night runs the place's config with more flags.
func (p *place) night(flags ...string) result {
	p.t.Helper()
	return p.churntier(append([]string{"run", "-c", p.path("churntier.yaml"), "--quiet"}, flags...)...)
}

// visible lists what a consumer could find: commits and latest/.
func (p *place) visible() []string {
	p.t.Helper()
	var found []string
	for _, pattern := range []string{"out/commits/*/*", "out/latest/*", "out/preview/*/*"} {
		found = append(found, globbed(p.t, p.path(pattern))...)
	}
	return found
}

func globbed(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// column is a Parquet column: []string, []*string, []int64, []float64,
// []*float64, []time.Time or []int32.
type column struct {
	name   string
	values any
}

func writeParquet(t *testing.T, name string, columns ...column) {
	t.Helper()
	var fields []arrow.Field
	var arrays []arrow.Array
	for _, c := range columns {
		a := c.array(t)
		arrays = append(arrays, a)
		fields = append(fields, arrow.Field{Name: c.name, Type: a.DataType(), Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	record := array.NewRecordBatch(schema, arrays, int64(arrays[0].Len()))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, f, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Write(record)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (c column) array(t *testing.T) arrow.Array {
	t.Helper()
	switch values := c.values.(type) {
	case []string:
		return build(array.NewStringBuilder(memory.DefaultAllocator), values)
	case []*string:
		return buildNullable(array.NewStringBuilder(memory.DefaultAllocator), values)
	case []int32:
		return build(array.NewInt32Builder(memory.DefaultAllocator), values)
	case []int64:
		return build(array.NewInt64Builder(memory.DefaultAllocator), values)
	case []float64:
		return build(array.NewFloat64Builder(memory.DefaultAllocator), values)
	case []*float64:
		return buildNullable(array.NewFloat64Builder(memory.DefaultAllocator), values)
	case []*bool:
		return buildNullable(array.NewBooleanBuilder(memory.DefaultAllocator), values)
	case [][]string:
		b := array.NewListBuilder(memory.DefaultAllocator, arrow.BinaryTypes.String)
		for _, list := range values {
			b.Append(true)
			b.ValueBuilder().(*array.StringBuilder).AppendValues(list, nil)
		}
		return b.NewArray()
	case []time.Time:
		b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"})
		for _, v := range values {
			b.AppendTime(v)
		}
		return b.NewArray()
	}
	t.Fatalf("column %s: %T is not known here", c.name, c.values)
	return nil
}

type builder[T any] interface {
	Append(T)
	AppendNull()
	NewArray() arrow.Array
}

func build[T any](b builder[T], values []T) arrow.Array {
	for _, v := range values {
		b.Append(v)
	}
	return b.NewArray()
}

func buildNullable[T any](b builder[T], values []*T) arrow.Array {
	for _, v := range values {
		if v == nil {
			b.AppendNull()
		} else {
			b.Append(*v)
		}
	}
	return b.NewArray()
}

func (r result) expect(t *testing.T, code int, said ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.stdout, r.stderr)
	}
	for _, s := range said {
		if !strings.Contains(r.stdout+r.stderr, s) {
			t.Errorf("%q was not said\nstdout: %s\nstderr: %s", s, r.stdout, r.stderr)
		}
	}
}
