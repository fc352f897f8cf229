package delivery

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/filter"
)

// ErrColumns says that what is published does not have what the columns of the
// delivery take.
var ErrColumns = errors.New("the columns of the delivery")

// Column is one column of a delivered file: From names a column of the audience's
// published Parquet file, one of the words below, or is an expression of the former.
// Texts may be normalised and then hashed.
type Column struct{ Name, From, Hash, Normalise string }

// The words that stand in Column.From for what only a delivery knows. A published
// column of that name wins.
const (
	WordDate     = "snapshot_date" // of the publication
	WordAudience = "audience"      // name of the audience
	WordDay      = "cadence_day"   // of the cadence, from 1
	WordChange   = "change"        // entered, moved, updated, stayed or left
	WordReason   = "reason"        // why a user left
)

// words are the types of the words. They are columns beside the published ones.
var words = []arrow.Field{
	{Name: WordDate, Type: arrow.FixedWidthTypes.Date32},
	{Name: WordAudience, Type: arrow.BinaryTypes.String},
	{Name: WordDay, Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: WordChange, Type: arrow.BinaryTypes.String},
	{Name: WordReason, Type: arrow.BinaryTypes.String, Nullable: true},
}

// Words lists the words.
func Words() []string { return names(arrow.NewSchema(words, nil)) }

// extended gives the published columns with the words after them.
func extended(published *arrow.Schema) *arrow.Schema {
	fields := slices.Clone(published.Fields())
	for _, w := range words {
		if !published.HasField(w.Name) {
			fields = append(fields, w)
		}
	}
	return arrow.NewSchema(fields, nil)
}

// layout says what a delivered file is made of; id is the published column of ids.
func layout(columns []Column, id string, d date.Date, schema *arrow.Schema) (audience.Layout, error) {
	l := audience.Layout{ID: id, Date: d}
	var faults []error
	for _, c := range columns {
		out := audience.Column{Name: c.Name, Normalise: audience.Normalise(c.Normalise), Hash: audience.Hash(c.Hash)}
		column, x := filter.Resolve(c.From, schema)
		if x == nil {
			out.Source, out.Column = audience.FromColumn, column
		} else {
			p, err := x.Bind(schema, filter.Options{Want: filter.WantAny})
			if err != nil {
				faults = append(faults, fmt.Errorf("%w: %q: %w", ErrColumns, c.Name, err))
			}
			out.Source, out.Program = audience.FromExpression, p
		}
		l.Columns = append(l.Columns, out)
	}
	if err := errors.Join(faults...); err != nil {
		return l, err
	}
	if _, err := l.Schema(schema); err != nil {
		return l, fmt.Errorf("%w: %w; add the column to the audience's file of format parquet", ErrColumns, err)
	}
	return l, nil
}

// said is what the words say of one row.
type said struct {
	audience string
	day      int // 0 for none
	change   Change
	reason   Reason
}

// withWords adds the words to published rows, for some of them. It is the caller's to
// release.
func withWords(rows arrow.RecordBatch, schema *arrow.Schema, d date.Date, some []int32, of func(row int) said) arrow.RecordBatch {
	columns := slices.Clone(rows.Columns())
	for _, f := range schema.Fields()[len(columns):] {
		columns = append(columns, word(f, int(rows.NumRows()), d, some, of))
	}
	return batchOf(schema, columns, rows.NumRows())
}

// batchOf makes a batch whose columns have the names of a schema. Texts may be
// dictionaries in it.
func batchOf(schema *arrow.Schema, columns []arrow.Array, rows int64) arrow.RecordBatch {
	fields := slices.Clone(schema.Fields())
	for i := range fields {
		fields[i].Type = columns[i].DataType()
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, rows)
}

// word gives n values of a word, null but for some rows. Texts are a dictionary.
func word(f arrow.Field, n int, d date.Date, some []int32, of func(row int) said) arrow.Array {
	values, valid := make([]int32, n), make([]byte, bitutil.BytesForBits(int64(n)))
	var texts wordColumn
	for _, row := range some {
		v, known := of(int(row)).word(f.Name, d, texts.code)
		values[row] = v
		bitutil.SetBitTo(valid, int(row), known)
	}
	return wordOf(f, values, valid, &texts)
}

// sameWord gives n values of a word that says the same of all rows.
func sameWord(f arrow.Field, n int, d date.Date, s said) arrow.Array {
	var texts wordColumn
	v, known := s.word(f.Name, d, texts.code)
	valid := make([]byte, bitutil.BytesForBits(int64(n)))
	bitutil.SetBitsTo(valid, 0, int64(n), known)
	return wordOf(f, slices.Repeat([]int32{v}, n), valid, &texts)
}

// wordOf lays a word over its values, which are codes where it has texts.
func wordOf(f arrow.Field, values []int32, valid []byte, texts *wordColumn) arrow.Array {
	n := len(values)
	if f.Type.ID() != arrow.STRING {
		return arrayOver(f.Type, n, valid, arrow.GetBytes(values))
	}
	texts.code("") // where nothing is said
	codes := arrayOver(arrow.PrimitiveTypes.Int32, n, valid, arrow.GetBytes(values))
	return array.NewDictionaryArray(wordType, codes, texts.texts.array())
}

// word gives the value of a word, where text gives the code of one; false for null.
func (s said) word(name string, d date.Date, text func(string) int32) (int32, bool) {
	switch name {
	case WordDate:
		return d.Days(), true
	case WordDay:
		return int32(s.day), s.day > 0
	case WordAudience:
		return text(s.audience), true
	case WordChange:
		return text(string(s.change)), true
	}
	return text(string(s.reason)), s.reason != ""
}

// leavers gives rows of a schema that hold nothing but ids and the words.
func leavers(schema *arrow.Schema, id string, ids []string, d date.Date, of func(row int) said) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, schema.NumFields())
	for i, f := range schema.Fields() {
		switch {
		case f.Name == id:
			var err error
			if columns[i], err = idsAs(f.Type, ids); err != nil {
				return nil, err
			}
		case slices.ContainsFunc(words, func(w arrow.Field) bool { return w.Name == f.Name && arrow.TypeEqual(w.Type, f.Type) }):
			columns[i] = word(f, len(ids), d, firstRows(len(ids)), of)
		default:
			columns[i] = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, len(ids))
		}
	}
	return batchOf(schema, columns, int64(len(ids))), nil
}

// idsAs gives ids as an array of the published column's type.
func idsAs(t arrow.DataType, ids []string) (arrow.Array, error) {
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	for _, id := range ids {
		if err := b.AppendValueFromString(id); err != nil {
			return nil, fmt.Errorf("%w: an id that left is no %s any more: %w", ErrColumns, t, err)
		}
	}
	return b.NewArray(), nil
}
