package config

import (
	"fmt"
	"math"
	"strconv"
)

// numberKind is a number from min to max; its value is a float64.
type numberKind struct {
	min, max   float64 // max may be infinite
	open       bool    // both ends are left out
	hundredths bool    // at most two decimals
}

func share() numberKind       { return numberKind{min: 0, max: 1} }
func notNegative() numberKind { return numberKind{min: 0, max: math.Inf(1)} }

func (k numberKind) want() string {
	s := fmt.Sprintf("a number from %v to %v", k.min, k.max)
	if math.IsInf(k.max, 1) {
		s = fmt.Sprintf("a number of at least %v", k.min)
	}
	if k.open {
		s = fmt.Sprintf("a number between %v and %v, both excluded", k.min, k.max)
	}
	if k.hundredths {
		s += " with at most two decimals"
	}
	return s
}

func (k numberKind) read(r *reading, path string, n *node) {
	v, ok := n.float()
	if !ok || !k.holds(v) {
		r.refuse(n, path, k)
		return
	}
	n.value = v
}

func (k numberKind) holds(v float64) bool {
	if k.open && (v == k.min || v == k.max) {
		return false
	}
	if k.hundredths && v != math.Round(v*100)/100 {
		return false
	}
	return v >= k.min && v <= k.max
}

func (k numberKind) schema() map[string]any {
	s := map[string]any{"type": "number"}
	low, high := "minimum", "maximum"
	if k.open {
		low, high = "exclusiveMinimum", "exclusiveMaximum"
	}
	s[low] = k.min
	if !math.IsInf(k.max, 1) {
		s[high] = k.max
	}
	return s
}

// wholeKind is a whole number of at least min and, unless that is 0, at most max;
// its value is an int64.
type wholeKind struct{ min, max int64 }

func (k wholeKind) want() string {
	if k.max > 0 {
		return fmt.Sprintf("a whole number from %d to %d, in digits", k.min, k.max)
	}
	return fmt.Sprintf("a whole number of at least %d, in digits", k.min)
}

func (k wholeKind) read(r *reading, path string, n *node) {
	v, err := strconv.ParseInt(n.raw, 10, 64)
	if _, decimal := n.float(); !decimal || err != nil || v < k.min || k.max > 0 && v > k.max {
		r.refuse(n, path, k)
		return
	}
	n.value = v
}

func (k wholeKind) schema() map[string]any {
	s := map[string]any{"type": "integer", "minimum": k.min}
	if k.max > 0 {
		s["maximum"] = k.max
	}
	return s
}

// pairKind is a list of a low and a high number; its value is a [2]float64.
type pairKind struct {
	each     numberKind
	distinct bool // low < high, else low <= high
}

func (k pairKind) want() string {
	order := "[low, high] in that order"
	if k.distinct {
		order = "[low, high] with low below high"
	}
	if math.IsInf(k.each.max, 1) {
		return order
	}
	return order + ", each " + k.each.want()
}

func (k pairKind) read(r *reading, path string, n *node) {
	if n.form != list || len(n.items) != 2 {
		r.refuse(n, path, k)
		return
	}
	low, okLow := n.items[0].float()
	high, okHigh := n.items[1].float()
	apart := low < high || low == high && !k.distinct
	if !okLow || !okHigh || !k.each.holds(low) || !k.each.holds(high) || !apart || math.IsInf(high-low, 0) {
		r.add(n.at, path, fmt.Sprintf("found [%s, %s]", n.items[0].written(), n.items[1].written()), k.want())
		return
	}
	n.value = [2]float64{low, high}
}

func (k pairKind) schema() map[string]any {
	item := map[string]any{"type": "number"}
	if !math.IsInf(k.each.max, 1) {
		item = k.each.schema()
	}
	return map[string]any{"type": "array", "items": item, "minItems": 2, "maxItems": 2}
}
