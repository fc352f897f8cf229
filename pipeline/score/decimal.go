package score

import (
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
)

func convertDecimals128(dst []float64, src []decimal128.Num, scale int32) {
	for i, n := range src {
		sign := uint64(n.HighBits() >> 63)
		dst[i] = decimalToFloat64([4]uint64{n.LowBits(), uint64(n.HighBits()), sign, sign}, scale)
	}
}

func convertDecimals256(dst []float64, src []decimal256.Num, scale int32) {
	for i, n := range src {
		dst[i] = decimalToFloat64(n.Array(), scale)
	}
}

// decimalToFloat64 gives n / 10^scale rounded once, halves to even. n is in two's
// complement, lowest word first.
func decimalToFloat64(n [4]uint64, scale int32) float64 {
	if int64(n[3]) < 0 {
		return -unsignedToFloat64(negate(n), scale)
	}
	return unsignedToFloat64(n, scale)
}

// exactPowers are the powers of ten that are float64 values.
var exactPowers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

func unsignedToFloat64(n [4]uint64, scale int32) float64 {
	small := n[1]|n[2]|n[3] == 0 && n[0] <= 1<<53
	if small && 0 <= scale && int(scale) < len(exactPowers) {
		return float64(n[0]) / exactPowers[scale] // both exact: one rounding
	}
	return parseDecimal(n, scale)
}

// parseDecimal writes n and its scale as text, which strconv rounds exactly.
func parseDecimal(n [4]uint64, scale int32) float64 {
	const chunk = 19 // digits that a uint64 holds
	var text [5*chunk + len("e-2147483648")]byte
	start := 5 * chunk
	for n != [4]uint64{} {
		var rest uint64
		n, rest = divide(n, 1e19)
		for range chunk {
			start--
			text[start] = byte('0' + rest%10)
			rest /= 10
		}
	}
	if start == 5*chunk {
		return 0
	}
	end := strconv.AppendInt(append(text[:5*chunk], 'e'), -int64(scale), 10)
	digits := end[start:]
	// text outlives the call, and no string is allocated per value.
	f, _ := strconv.ParseFloat(unsafe.String(&digits[0], len(digits)), 64) // the error is a range: f is an infinity
	return f
}

// divide gives the quotient and the remainder of n / d.
func divide(n [4]uint64, d uint64) (quotient [4]uint64, rest uint64) {
	for i := len(n) - 1; i >= 0; i-- {
		quotient[i], rest = bits.Div64(rest, n[i], d)
	}
	return quotient, rest
}

func negate(n [4]uint64) [4]uint64 {
	carry := uint64(1)
	for i := range n {
		n[i], carry = bits.Add64(^n[i], 0, carry)
	}
	return n
}
