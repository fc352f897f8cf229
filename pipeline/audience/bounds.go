package audience

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// bounds are the least and the greatest value of a column chunk, each in its PLAIN
// form without a length; nil where there is none.
type bounds struct{ least, greatest []byte }

// statistics gives the bounds as the footer holds them: texts longer than 4 KiB are
// left out, as a bound may not be cut.
func (b bounds) statistics(nulls int, signed bool) metadata.EncodedStatistics {
	s := metadata.EncodedStatistics{Signed: signed}
	s.SetNullCount(int64(nulls))
	if b.least != nil {
		s.SetMin(b.least).SetMax(b.greatest)
		s.ApplyStatSizeLimits(4 << 10)
	}
	return s
}

// boundsOf gives the bounds of numbers. NaN is left out, and of the zeros the least is
// -0 and the greatest +0 (parquet.thrift, ColumnOrder).
func boundsOf[T fixedValue](values []T) bounds {
	first := slices.IndexFunc(values, func(v T) bool { return !math.IsNaN(float64(v)) })
	if first < 0 {
		return bounds{}
	}
	least, greatest := values[first], values[first]
	for _, v := range values[first:] {
		if v < least {
			least = v
		}
		if v > greatest {
			greatest = v
		}
	}
	return bounds{plainForm(withZero(least, math.Copysign(0, -1))), plainForm(withZero(greatest, 0))}
}

// withZero gives v, or zero where v is one: of an integer there is only one.
func withZero[T fixedValue](v T, zero float64) T {
	if v == 0 {
		return T(zero)
	}
	return v
}

func plainForm(v any) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic(err) // of a type without a size
	}
	return b
}
