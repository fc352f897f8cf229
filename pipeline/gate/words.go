package gate

import (
	"math/big"
	"strconv"
	"strings"
)

// noHistory tells what was found and that there is nothing to compare it with.
func noHistory(found string) Result {
	return Result{Status: NoHistory, Message: found + "; there is no earlier publication to compare with."}
}

// Count writes n with commas: 1,204,881.
func Count(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

func grouped(digits string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// number writes a limit as the config states it.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// decimals writes x with commas and up to n digits after the point.
func decimals(x *big.Rat, n int) string {
	whole, rest, _ := strings.Cut(x.FloatString(n), ".")
	if rest = strings.TrimRight(rest, "0"); rest != "" {
		rest = "." + rest
	}
	return grouped(whole) + rest
}

// percent writes a share: 0.1001 %.
func percent(share *big.Rat) string {
	return decimals(new(big.Rat).Mul(share, big.NewRat(100, 1)), 4) + " %"
}

// percentOf writes the share that a limit states.
func percentOf(limit float64) string {
	d, ok := decimal(limit)
	if !ok {
		return number(limit)
	}
	return percent(d)
}
