package forest

import (
	"cmp"
	"math"
)

// slot is one way of looking at a feature. The cell of a number is how many of
// the feature's cuts lie below it: above cut k exactly when it goes right there.
// A missing value has the cell of a number that goes the same way, or one of its
// own behind the others where the slot keeps it apart. The cell of a category is
// its code; two more stand for any category that no split knows and for a missing
// value.
type slot struct {
	slotKey
	cuts    []float64
	highest int // category
}

func (s slot) compare(other slot) int {
	return cmp.Or(cmp.Compare(s.feature, other.feature), cmp.Compare(s.rule, other.rule))
}

func (s *slot) unknownCell() int { return s.highest + 1 }

// missingCell is that of a missing value where it has one of its own.
func (s *slot) missingCell() int {
	if s.rule&category != 0 {
		return s.highest + 2
	}
	return len(s.cuts) + 1
}

// lastCell is the highest cell of any row.
func (s *slot) lastCell() int {
	if s.rule&(category|apart) != 0 {
		return s.missingCell()
	}
	return len(s.cuts)
}

// table says for each cell of a category slot whether it goes right.
func (s *slot) table(kind Kind, in set, defaultLeft bool) []uint8 {
	table := make([]uint8, s.lastCell()+1)
	for c := range s.highest + 1 {
		if in.has(int32(c)) == (kind == XGBoost) {
			table[c] = 1
		}
	}
	if kind == LightGBM {
		table[s.unknownCell()], table[s.missingCell()] = 1, 1
	} else if !defaultLeft {
		table[s.missingCell()] = 1
	}
	return table
}

// fill computes the cells of all rows in the slots of feature f, block by block.
func (p *plan) fill(cells []uint16, f int, column []float64, xgboost bool) {
	if p.slotsOf[f] == p.slotsOf[f+1] {
		return
	}
	for from := 0; from < len(column); from += blockRows {
		values := column[from:min(from+blockRows, len(column))]
		p.fillBlock(cells[from*len(p.slots):], f, values, xgboost)
	}
}

// fillBlock looks numbers up once and copies their cells to all slots of the
// feature, which differ only in what a missing value is.
func (p *plan) fillBlock(block []uint16, f int, values []float64, xgboost bool) {
	var looked [blockRows]uint16
	if cuts := p.cuts[f]; xgboost {
		cellsFrom(cuts, values, looked[:])
	} else {
		cellsAbove(cuts, values, looked[:])
	}
	for i := p.slotsOf[f]; i < p.slotsOf[f+1]; i++ {
		s := &p.slots[i]
		cells := block[i*blockRows:][:len(values)]
		switch {
		case s.rule&category != 0 && xgboost:
			s.fillXGBoostCategories(values, cells)
		case s.rule&category != 0:
			s.fillLightGBMCategories(values, cells)
		default:
			copy(cells, looked[:])
			s.patchMissing(values, cells, xgboost)
		}
	}
}

// cellsFrom gives the number of cuts that a value is not below: XGBoost sends a
// value equal to the threshold to the right.
func cellsFrom(cuts, column []float64, cells []uint16) {
	for r, x := range column {
		x32 := float64(float32(x))
		low := 0
		for n := len(cuts); n > 0; {
			half := (n + 1) >> 1
			low += half & all(cuts[low+half-1] <= x32)
			n -= half
		}
		cells[r] = uint16(low)
	}
}

// cellsAbove gives the number of cuts that a value is above: LightGBM sends a
// value equal to the threshold to the left.
func cellsAbove(cuts, column []float64, cells []uint16) {
	for r, x := range column {
		low := 0
		for n := len(cuts); n > 0; {
			half := (n + 1) >> 1
			low += half & all(cuts[low+half-1] < x)
			n -= half
		}
		cells[r] = uint16(low)
	}
}

// all gives a number of ones where a condition holds, else 0. A search has no
// branch by it, which the processor could not foresee.
func all(holds bool) int {
	bit := 0
	if holds {
		bit = 1
	}
	return -bit
}

// patchMissing sets the cells of missing values: their own, or else below all cuts
// or above them, by the side on which they go, or that of zero.
func (s *slot) patchMissing(column []float64, cells []uint16, xgboost bool) {
	missing := [1]uint16{uint16(len(s.cuts))}
	switch {
	case s.rule&apart != 0:
		missing[0] = uint16(s.missingCell())
	case !xgboost && s.rule&(nanMissing|zeroMissing) == 0:
		cellsAbove(s.cuts, []float64{0}, missing[:])
	case s.rule&defaultLeft != 0:
		missing[0] = 0
	}
	if s.rule&zeroMissing != 0 {
		for r, x := range column {
			if x != x || math.Abs(x) <= zero {
				cells[r] = missing[0]
			}
		}
		return
	}
	for r, x := range column {
		if x != x {
			cells[r] = missing[0]
		}
	}
}

func (s *slot) fillXGBoostCategories(column []float64, cells []uint16) {
	for r, x := range column {
		switch x32 := float32(x); {
		case x32 != x32:
			cells[r] = uint16(s.missingCell())
		case x32 >= 0 && x32 < maxCategory && int(x32) <= s.highest:
			cells[r] = uint16(x32)
		default:
			cells[r] = uint16(s.unknownCell())
		}
	}
}

// fillLightGBMCategories takes a missing value for a category that is not known,
// as it goes the same way.
func (s *slot) fillLightGBMCategories(column []float64, cells []uint16) {
	for r, x := range column {
		cells[r] = uint16(s.unknownCell())
		if x > -1 && x < float64(s.highest)+1 {
			cells[r] = uint16(int32(x))
		}
	}
}
