package distribution

import (
	"math/big"
	"strconv"
)

// portion gives share*total exactly. The share, from 0 to 1, is taken as the
// decimal number that a person wrote: 0.3 of 10 is 3, though the float64 0.3 is
// a little less.
func portion(share float64, total int64) *big.Rat {
	exact, _ := new(big.Rat).SetString(strconv.FormatFloat(share, 'g', -1, 64))
	return exact.Mul(exact, new(big.Rat).SetInt64(total))
}

// floor rounds a number that is not negative down.
func floor(x *big.Rat) int64 { return new(big.Int).Quo(x.Num(), x.Denom()).Int64() }
