// Package selection decides which scored users are in which audience, and in
// which arm. It is pure: the same rows and rules give the same users, on any
// number of workers and in any order of batches.
//
// The order is fixed. A user whom a suppression rule names, or for whom it is
// unknown whether it does, is in no audience. Of the others, an audience takes
// those for whom its where is true and whose score is in its range; of several
// exclusive audiences a user is in the first that takes it. A limit keeps the
// highest scores, ties by a hash of the id. The holdout then takes its share of
// what is left into the control arm: these users are counted and listed, and never
// mailed.
package selection

import (
	"github.com/churntier/churntier/pipeline/filter"
)

// Rules are what a prediction selects by. They do not change once made and may be
// shared.
type Rules struct {
	Prediction string            // goes into the hash that breaks ties
	Suppress   []*filter.Program // bools; all but false suppresses
	Audiences  []Audience
	Exclusive  []int    // audiences by index; a user is in the first of them only
	Holdout    *Holdout // nil for none
}

// Audience is the rule of one audience: users of a category, or in a range of
// scores with both ends included, for whom Where is true.
type Audience struct {
	ByCategory bool // Category decides, and no range
	Category   uint8
	Range      [2]uint16       // hundredths
	Where      *filter.Program // a bool; nil for all
	Limit      int64           // greatest number of users, both arms together; 0 for none
}

// LimitMemory is how many bytes the Tops of all limits take at most.
func (r *Rules) LimitMemory() int64 {
	bytes := int64(0)
	for _, a := range r.Audiences {
		bytes += placeSize * 2 * a.Limit
	}
	return bytes
}

// Limited tells whether any audience has a limit, so that its cut has to be found
// before users are selected.
func (r *Rules) Limited() bool {
	for _, a := range r.Audiences {
		if a.Limit > 0 {
			return true
		}
	}
	return false
}
