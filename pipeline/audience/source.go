package audience

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// Source says where the values of a column come from.
type Source uint8

// The sources of a column.
const (
	FromColumn       Source = iota // the snapshot column named by Column.Column
	FromScore                      // the score as decimal(5,2)
	FromCategory                   // the name of the score's category
	FromProbability                // the probability, as it was computed
	FromSnapshotDate               // Layout.Date in every row
	FromExpression                 // Column.Program, null where it is unknown
	FromHeldOut                    // Layout.HeldOut in every row
)

// source is what a Source stands for.
type source struct {
	// field gives the type in which the values are written and whether they may
	// be null.
	field func(l Layout, c Column, snapshot *arrow.Schema) (arrow.Field, error)
	// array gives a value for each row of b, valid until the next call and as
	// long as b is. It fails when one of rows lacks the value.
	array func(v *view, c Column, b *Block, rows []int32) (arrow.Array, error)
}

// sources has all there are; everything else about columns is the same for each.
var sources = [...]source{
	FromColumn:       {snapshotField, (*view).column},
	FromScore:        {always(scoreType), (*view).scores},
	FromCategory:     {always(arrow.BinaryTypes.String), (*view).categoriesOf},
	FromProbability:  {always(arrow.PrimitiveTypes.Float64), (*view).probabilities},
	FromSnapshotDate: {dateField, (*view).dates},
	FromExpression:   {expressionField, (*view).expression},
	FromHeldOut:      {always(arrow.FixedWidthTypes.Boolean), (*view).heldOut},
}

var scoreType = &arrow.Decimal128Type{Precision: 5, Scale: 2}

// field gives the written column of c.
func (l Layout) field(c Column, snapshot *arrow.Schema) (arrow.Field, error) {
	if int(c.Source) >= len(sources) {
		return arrow.Field{}, fmt.Errorf("source %d is unknown", c.Source)
	}
	f, err := sources[c.Source].field(l, c, snapshot)
	f.Name = c.Name
	switch {
	case err != nil:
	case c.Name == "":
		err = errors.New("it has no name")
	case c.isRewritten():
		f.Nullable = true
		err = c.checkRewrite(f.Type)
	}
	return f, err
}

func snapshotField(l Layout, c Column, snapshot *arrow.Schema) (arrow.Field, error) {
	t, err := typeIn(snapshot, c.Column)
	return arrow.Field{Type: t, Nullable: c.Column != l.ID && !c.Required}, err
}

func expressionField(_ Layout, c Column, _ *arrow.Schema) (arrow.Field, error) {
	if c.Program == nil {
		return arrow.Field{}, errors.New("the column has no expression")
	}
	t := plainType(c.Program.Type().ArrowType())
	if t == nil {
		return arrow.Field{}, fmt.Errorf("the expression gives %s: want text, a number, a bool or a timestamp", c.Program.Type())
	}
	return arrow.Field{Type: t, Nullable: true}, nil
}

func dateField(l Layout, _ Column, _ *arrow.Schema) (arrow.Field, error) {
	if l.Date.IsZero() {
		return arrow.Field{}, errors.New("the layout has no date")
	}
	return arrow.Field{Type: arrow.FixedWidthTypes.Date32}, nil
}

// always is a column of one type that is never null.
func always(t arrow.DataType) func(Layout, Column, *arrow.Schema) (arrow.Field, error) {
	return func(Layout, Column, *arrow.Schema) (arrow.Field, error) { return arrow.Field{Type: t}, nil }
}
