// Package score gives every user of a record batch a churn probability and a
// score: from a column of the snapshot, or from a model and its features.
//
// A probability p is a float64 in [0, 1]. A score is p in hundredths, 0 to
// 10000 for 0.00 to 100.00. A row that has no score is a bad row, with a reason
// and the column to blame; no value is ever clamped or guessed.
//
// The same inputs give the same bits on every machine. The arithmetic works on
// slices over the columns of a batch: an input is first made dense (a float64
// per row with NaN for a missing value, or a category code per row), then added
// to the margins of all rows. The Arrow compute kernels of [Registry] run the
// same loops.
package score

// NoScore stands for the score of a row that has none.
const NoScore uint16 = 0xFFFF

// Top is the highest score, 100.00.
const Top uint16 = 10000

// Hundredths gives the score of a probability: 10000*p rounded to the nearest
// whole number, halves away from zero. It is NoScore where p is outside [0, 1].
func Hundredths(p float64) uint16 {
	if !(p >= 0 && p <= 1) {
		return NoScore
	}
	x := float64(p * 10000)
	h := uint16(int32(x))
	if x-float64(h) >= 0.5 { // exact, as x < 2^53
		h++
	}
	return h
}

// Reason says why a row has no score.
type Reason uint8

// The reasons, in the order in which a row's fate is decided.
const (
	Scored           Reason = iota // no reason: the row has a score
	FeatureNull                    // a feature is null or NaN, and the model has no rule for it
	FeatureNotFinite               // a feature is an infinity
	ScoreNull                      // the score column is null
	ScoreNaN                       // the score is not a number
	ScoreOutOfRange                // the score is outside its range
)

// String gives the name that reports use, such as "feature_null".
func (r Reason) String() string {
	names := [...]string{"scored", "feature_null", "feature_not_finite", "score_null", "score_nan", "score_out_of_range"}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// Result holds the scores of one batch, a value per row in each slice. It may be
// reused: Score grows and overwrites it.
type Result struct {
	Probability []float64    // in [0, 1]; NaN in a bad row
	Hundredths  []uint16     // 0 to 10000; NoScore in a bad row
	Bad         []BadRow     // ascending by row
	Inputs      []InputCount // one per input, in the order of Scorer.Inputs
}

// BadRow is a row without a score.
type BadRow struct {
	Row    int // in the batch
	Reason Reason
	Column string // the first bad input; empty when only the result is bad
}

// InputCount says how many rows of a batch lacked a usual value of one input.
type InputCount struct {
	Missing int // null or NaN
	Unseen  int // a category that the model does not know
}
