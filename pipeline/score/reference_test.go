package score

import (
	"math"
	"math/big"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// The scalar reference: one value, one row at a time, from Arrow's own accessors.

// fataler is what testing.T and rapid.T have in common here.
type fataler interface{ Fatal(args ...any) }

// numberAt is the value of a row as float64, and false where there is none.
func numberAt(t fataler, a arrow.Array, row int) (float64, bool) {
	if a.IsNull(row) {
		return 0, false
	}
	switch a := a.(type) {
	case *array.Dictionary:
		return numberAt(t, a.Dictionary(), a.GetValueIndex(row))
	case *array.Float64:
		return a.Value(row), !math.IsNaN(a.Value(row))
	case *array.Float32:
		return float64(a.Value(row)), a.Value(row) == a.Value(row)
	case *array.Float16:
		x := float64(a.Value(row).Float32())
		return x, x == x
	case *array.Boolean:
		return map[bool]float64{true: 1}[a.Value(row)], true
	case *array.Date32:
		return float64(a.Value(row).ToTime().Unix()) / 86400, true
	case *array.Date64:
		return float64(a.Value(row).ToTime().Unix()) / 86400, true
	case *array.Timestamp:
		at := a.Value(row).ToTime(a.DataType().(*arrow.TimestampType).Unit)
		x, _ := new(big.Rat).Add(
			new(big.Rat).SetInt64(at.Unix()), big.NewRat(int64(at.Nanosecond()), 1e9)).Float64()
		return x, true
	case *array.Decimal128:
		return decimalAt(a.Value(row).BigInt(), a.DataType().(*arrow.Decimal128Type).Scale), true
	case *array.Decimal256:
		return decimalAt(a.Value(row).BigInt(), a.DataType().(*arrow.Decimal256Type).Scale), true
	default:
		x, err := strconv.ParseFloat(a.ValueStr(row), 64)
		if err != nil {
			t.Fatal(err)
		}
		return x, true
	}
}

func decimalAt(n *big.Int, scale int32) float64 {
	x := new(big.Rat).SetInt(n)
	power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil))
	if scale >= 0 {
		x.Quo(x, power)
	} else {
		x.Mul(x, power)
	}
	f, _ := x.Float64()
	return f
}

// textAt is the value of a row as text, and false where it is null.
func textAt(a arrow.Array, row int) (string, bool) {
	if a.IsNull(row) {
		return "", false
	}
	if dict, ok := a.(*array.Dictionary); ok {
		return textAt(dict.Dictionary(), dict.GetValueIndex(row))
	}
	return a.ValueStr(row), true
}

// referenceModel is a logistic regression spelled out with maps.
type referenceModel struct {
	intercept float64
	numbers   []referenceNumber
	texts     []referenceText
}

type referenceNumber struct {
	name              string
	median            *float64 // nil: no rule for a missing value
	mean, scale, coef float64
}

type referenceText struct {
	name    string
	missing string
	coef    map[string]float64
}

// score gives the probability of a row, or its first fault.
func (m referenceModel) score(t fataler, batch arrow.RecordBatch, row int) (float64, BadRow) {
	column := func(name string) arrow.Array { return batch.Column(batch.Schema().FieldIndices(name)[0]) }
	margin := m.intercept
	for _, f := range m.numbers {
		x, there := numberAt(t, column(f.name), row)
		if !there {
			if f.median == nil {
				return math.NaN(), BadRow{row, FeatureNull, f.name}
			}
			x = *f.median
		}
		if math.IsInf(x, 0) {
			return math.NaN(), BadRow{row, FeatureNotFinite, f.name}
		}
		scaled := (x - f.mean) / f.scale
		product := float64(scaled * f.coef)
		margin = margin + product
	}
	for _, f := range m.texts {
		text, there := textAt(column(f.name), row)
		if !there {
			text = f.missing
		}
		margin += f.coef[text]
	}
	p := 1 / (1 + Exp(-margin))
	if math.IsNaN(p) {
		return p, BadRow{Row: row, Reason: ScoreNaN}
	}
	return p, BadRow{}
}
