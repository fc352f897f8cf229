// Package profile looks at the first rows of a snapshot and guesses what its columns
// are for. A guess says why; a person decides.
package profile

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// SampleRows is about how many rows are looked at.
const SampleRows = 1 << 15

// Column is what the sample shows of one column.
type Column struct {
	Name      string
	Type      arrow.DataType
	Rows      int64
	Nulls     int64
	Distinct  int64     // different values that are not null
	Addresses int64     // texts with an @ inside
	Newest    date.Date // of dates and timestamps, in UTC
}

// Table is the readable columns of a snapshot, in the order of its first part; but
// for those with control characters in their name, which no config can name.
type Table []Column

// Take samples the first rows of a snapshot.
func Take(ctx context.Context, f *snapshot.Files) (Table, error) {
	s := sample{}
	var names []string
	for _, field := range f.Schema().Fields() {
		if strings.ContainsFunc(field.Name, unicode.IsControl) {
			continue
		}
		names = append(names, field.Name)
		s.columns = append(s.columns, &column{Column: Column{Name: field.Name, Type: field.Type}, seen: map[uint64]struct{}{}})
	}
	for _, split := range snapshot.Cut(f.Parts, SampleRows) {
		if s.rows >= SampleRows {
			break
		}
		if err := s.add(ctx, f.Split(split, names)); err != nil {
			return nil, err
		}
	}
	return s.table(), nil
}

type sample struct {
	rows    int64
	columns []*column
}

// column is a Column in the making.
type column struct {
	Column
	seen map[uint64]struct{}
}

func (s *sample) add(ctx context.Context, r *snapshot.SplitReader) (err error) {
	defer func() { err = errors.Join(err, r.Close()) }()
	for s.rows < SampleRows {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.rows += b.Record.NumRows()
		for i, c := range s.columns {
			c.add(b.Record.Column(i))
		}
	}
	return nil
}

func (c *column) add(values arrow.Array) {
	text := c.Type.ID() == arrow.STRING
	for i := range values.Len() {
		c.Rows++
		if values.IsNull(i) {
			c.Nulls++
			continue
		}
		v := valueText(values, i)
		c.seen[xxh3.HashString(v)] = struct{}{}
		if at := strings.IndexByte(v, '@'); text && at > 0 && at < len(v)-1 {
			c.Addresses++
		}
	}
	if snapshot.CheckDay(c.Type) == nil {
		c.Newest = slices.MaxFunc([]date.Date{c.Newest, snapshot.NewestDay(values, time.UTC)}, date.Date.Compare)
	}
}

// valueText gives a value as text: of a dictionary the value, not its index.
func valueText(values arrow.Array, i int) string {
	if d, ok := values.(*array.Dictionary); ok {
		return d.Dictionary().ValueStr(d.GetValueIndex(i))
	}
	return values.ValueStr(i)
}

func (s *sample) table() Table {
	var t Table
	for _, c := range s.columns {
		c.Distinct = int64(len(c.seen))
		t = append(t, c.Column)
	}
	return t
}
