package audience

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/filter"
)

// Types of the arrays that are laid over what was computed.
var (
	hundredthsType = &arrow.Decimal32Type{Precision: 5, Scale: 2}
	categoryType   = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.BinaryTypes.String}
)

// view lays a block out as one array a written column, as long as the block and with
// a value for each of the rows that are asked for. It copies nothing but the scores.
type view struct {
	layout     Layout
	snapshot   *arrow.Schema
	categories arrow.Array
	hundredths []int32
	days       []int32
	arrays     []arrow.Array
	rewriters  []*rewriter // by column; nil where texts stay as they are
	evaluators map[*filter.Program]*filter.Evaluator
	evaluated  []arrow.Array // of the block at hand, to be released
	arm        arrow.Array   // Layout.HeldOut for each row
}

func newView(l Layout, snapshot *arrow.Schema) *view {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(l.Categories, nil)
	v := &view{layout: l, snapshot: snapshot, categories: b.NewArray(), rewriters: make([]*rewriter, len(l.Columns))}
	for i, c := range l.Columns {
		if c.isRewritten() {
			v.rewriters[i] = newRewriter(c)
		}
	}
	return v
}

// of gives the arrays for b, valid until the next call and as long as b is.
// It fails when one of rows lacks a score, a probability or a category that the
// layout asks for.
func (v *view) of(b *Block, rows []int32) ([]arrow.Array, error) {
	n := int(b.Batch.NumRows())
	for _, r := range rows {
		if r < 0 || int(r) >= n {
			return nil, fmt.Errorf("%w: row %d of %d", errBlock, r, n)
		}
	}
	v.arrays = v.arrays[:0]
	v.letGo()
	for i, c := range v.layout.Columns {
		a, err := sources[c.Source].array(v, c, b, rows)
		if w := v.rewriters[i]; err == nil && w != nil {
			a, err = w.of(a, rows)
		}
		if err != nil {
			return nil, inColumn(c.Name, err)
		}
		v.arrays = append(v.arrays, a)
	}
	return v.arrays, nil
}

// column finds a snapshot column in the batch and checks that it is what the
// snapshot's schema said, since another type would be another number.
func (v *view) column(c Column, b *Block, _ []int32) (arrow.Array, error) {
	name, batch := c.Column, b.Batch
	found := batch.Schema().FieldIndices(name)
	if len(found) != 1 {
		return nil, fmt.Errorf("%w: the batch has column %q %d times", errBlock, name, len(found))
	}
	a := batch.Column(found[0])
	want := v.snapshot.Field(v.snapshot.FieldIndices(name)[0]).Type
	if got := a.DataType(); !arrow.TypeEqual(got, want) && !(isText(got) && isText(want)) {
		return nil, fmt.Errorf("%w: column %q is %s, the snapshot's is %s", errBlock, name, got, want)
	}
	return a, nil
}

// expression evaluates an expression over the block.
func (v *view) expression(c Column, b *Block, _ []int32) (arrow.Array, error) {
	if v.evaluators == nil {
		v.evaluators = map[*filter.Program]*filter.Evaluator{}
	}
	e := v.evaluators[c.Program]
	if e == nil {
		e = c.Program.NewEvaluator()
		v.evaluators[c.Program] = e
	}
	a, err := e.Array(filter.Rows{Record: b.Batch, Hundredths: b.Hundredths, Category: b.Category}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	v.evaluated = append(v.evaluated, a)
	return a, nil
}

// letGo frees what was evaluated for the block before.
func (v *view) letGo() {
	for _, a := range v.evaluated {
		a.Release()
	}
	v.evaluated = v.evaluated[:0]
}

func (v *view) heldOut(_ Column, b *Block, _ []int32) (arrow.Array, error) {
	n := int(b.Batch.NumRows())
	if v.arm == nil || v.arm.Len() < n {
		builder := array.NewBooleanBuilder(memory.DefaultAllocator)
		defer builder.Release()
		for range n {
			builder.Append(v.layout.HeldOut)
		}
		v.arm = builder.NewArray()
	}
	return array.NewSlice(v.arm, 0, int64(n)), nil
}

func (v *view) scores(_ Column, b *Block, rows []int32) (arrow.Array, error) {
	hundredths, n := b.Hundredths, int(b.Batch.NumRows())
	if len(hundredths) != n {
		return nil, fmt.Errorf("%w: %d scores for %d rows", errBlock, len(hundredths), n)
	}
	v.hundredths = slices.Grow(v.hundredths[:0], n)[:n]
	for _, r := range rows {
		if hundredths[r] > maxHundredths {
			return nil, badValue(r, "the row has no score")
		}
		v.hundredths[r] = int32(hundredths[r])
	}
	return over(hundredthsType, v.hundredths), nil
}

func (v *view) categoriesOf(_ Column, b *Block, rows []int32) (arrow.Array, error) {
	category, n, known := b.Category, int(b.Batch.NumRows()), v.categories.Len()
	if len(category) != n {
		return nil, fmt.Errorf("%w: %d categories for %d rows", errBlock, len(category), n)
	}
	for _, r := range rows {
		if int(category[r]) >= known {
			return nil, badValue(r, "the row has no category")
		}
	}
	return array.NewDictionaryArray(categoryType, over(arrow.PrimitiveTypes.Uint8, category), v.categories), nil
}

func (v *view) probabilities(_ Column, b *Block, rows []int32) (arrow.Array, error) {
	probability, n := b.Probability, int(b.Batch.NumRows())
	if len(probability) != n {
		return nil, fmt.Errorf("%w: %d probabilities for %d rows", errBlock, len(probability), n)
	}
	for _, r := range rows {
		if math.IsNaN(probability[r]) {
			return nil, badValue(r, "the row has no probability")
		}
	}
	return over(arrow.PrimitiveTypes.Float64, probability), nil
}

func (v *view) dates(_ Column, b *Block, _ []int32) (arrow.Array, error) {
	n := int(b.Batch.NumRows())
	for len(v.days) < n {
		v.days = append(v.days, v.layout.Date.Days())
	}
	return over(arrow.FixedWidthTypes.Date32, v.days[:n]), nil
}

// over lays an array without nulls over values, which it does not copy.
func over[T arrow.FixedWidthType](t arrow.DataType, values []T) arrow.Array {
	return overValid(t, values, nil)
}

// overValid lays an array over values, with null where a bit of valid is 0.
func overValid[T arrow.FixedWidthType](t arrow.DataType, values []T, valid []byte) arrow.Array {
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.GetBytes(values))}
	nulls := 0
	if valid != nil {
		buffers[0] = memory.NewBufferBytes(valid)
		nulls = array.UnknownNullCount
	}
	data := array.NewData(t, len(values), buffers, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}
