package forest

import (
	"bytes"
	"math"
	"strconv"
)

// list reads exactly n numbers separated by blanks: one blank or several, and
// some at the ends. Memory is taken only when the text is long enough for n.
func list[T any](text []byte, n int, parse func([]byte) (T, error)) ([]T, error) {
	if n > (len(text)+1)/2 {
		return nil, broken("%d numbers are announced and the line has %d bytes", n, len(text))
	}
	values := make([]T, 0, n)
	for field := range bytes.FieldsSeq(text) {
		if len(values) == n {
			return nil, broken("has more than %d numbers", n)
		}
		v, err := parse(field)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	if len(values) < n {
		return nil, broken("has %d numbers and needs %d", len(values), n)
	}
	return values, nil
}

func parseInt32(field []byte) (int32, error) {
	n, err := strconv.ParseInt(string(field), 10, 32)
	if err != nil {
		return 0, broken("%q is not a 32-bit whole number", clip(field))
	}
	return int32(n), nil
}

func parseUint32(field []byte) (uint32, error) {
	n, err := strconv.ParseUint(string(field), 10, 32)
	if err != nil {
		return 0, broken("%q is not a 32-bit whole number from 0", clip(field))
	}
	return uint32(n), nil
}

// parseFloat reads any number but NaN.
func parseFloat(field []byte) (float64, error) {
	v, err := strconv.ParseFloat(string(field), 64)
	if err != nil {
		return 0, broken("%q is not a number that float64 can hold", clip(field))
	}
	if math.IsNaN(v) {
		return 0, broken("%q is not allowed here", clip(field))
	}
	return v, nil
}

func parseFinite(field []byte) (float64, error) {
	v, err := parseFloat(field)
	if err == nil && math.IsInf(v, 0) {
		return 0, broken("%q is not finite", clip(field))
	}
	return v, err
}

// listInto reads a list into to, naming the key in errors.
func listInto[T any](to *[]T, key string, text []byte, n int, parse func([]byte) (T, error)) error {
	values, err := list(text, n, parse)
	*to = values
	return within(key, err)
}
