package score

import "fmt"

// NoCategory stands for the category of a row without a score.
const NoCategory uint8 = 0xFF

// Labels maps every score to its category: the place, from 0, of the first cut
// that is not above it.
type Labels [int(Top) + 1]uint8

// NewLabels makes the map of cuts, the lowest scores of the categories, highest
// first: descending, at most 255, the last one 0. A category may be empty, with
// the cut of the one above it or one above Top.
func NewLabels(cuts []uint16) (*Labels, error) {
	if len(cuts) == 0 || len(cuts) > int(NoCategory) || cuts[len(cuts)-1] != 0 {
		return nil, fmt.Errorf("cuts %v: want 1 to %d of them, the last one 0", cuts, NoCategory)
	}
	labels, above := new(Labels), int(Top)+1
	for category, cut := range cuts {
		if int(cut) > above {
			return nil, fmt.Errorf("cuts %v: want them descending from at most %d", cuts, int(Top)+1)
		}
		for score := int(cut); score < above; score++ {
			labels[score] = uint8(category)
		}
		above = int(cut)
	}
	return labels, nil
}

// Apply writes the category of every score to dst, which has the length of
// hundredths: NoCategory for [NoScore] and any other value above [Top].
func (l *Labels) Apply(dst []uint8, hundredths []uint16) {
	dst = dst[:len(hundredths)]
	for row, h := range hundredths {
		if h <= Top {
			dst[row] = l[h]
		} else {
			dst[row] = NoCategory
		}
	}
}
