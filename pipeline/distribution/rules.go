package distribution

import (
	"errors"
	"fmt"
	"math"
	"regexp"
)

// ErrRules is the kind of every error about category rules.
var ErrRules = errors.New("the categories are not usable")

// Rule says where a category begins: at a score from its lowest, or at the score
// that the top share of the users reach. Rules are listed highest first.
type Rule struct {
	Name     string
	From     float64 // 0 to 100, a multiple of 0.01; where TopShare is 0
	TopShare float64 // above 0 and below 1: this and all higher categories hold at most that share
}

// maxRules keeps a category's place in a byte, with one value to spare.
const maxRules = 255

var ruleName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// CheckRules refuses rules that do not cut 0 to 100 into categories, with all
// their faults joined: names that are unusual or come twice, cuts that do not
// descend strictly to a last one from 0, scores mixed with shares, shares that
// do not ascend strictly.
func CheckRules(rules []Rule) error {
	if len(rules) == 0 || len(rules) > maxRules {
		return fmt.Errorf("%w: %d of them, want 1 to %d", ErrRules, len(rules), maxRules)
	}
	var faults []error
	for i := range rules {
		if err := checkRule(rules, i); err != nil {
			faults = append(faults, fmt.Errorf("%w: category %d (%.70q): %w", ErrRules, i+1, rules[i].Name, err))
		}
	}
	return errors.Join(faults...)
}

func checkRule(rules []Rule, i int) error {
	r := rules[i]
	if !ruleName.MatchString(r.Name) {
		return fmt.Errorf("want a name of 1 to 64 of a-z, 0-9, _ and -, not beginning with _ or -")
	}
	for _, higher := range rules[:i] {
		if higher.Name == r.Name {
			return errors.New("the name comes twice")
		}
	}
	if i == len(rules)-1 {
		if r.From != 0 || r.TopShare != 0 {
			return errors.New("it is the last one, want from: 0, so that every score has a category")
		}
		return nil
	}
	if r.TopShare != 0 {
		return checkShare(rules, i)
	}
	return checkFrom(rules, i)
}

func checkShare(rules []Rule, i int) error {
	switch r := rules[i]; {
	case r.From != 0:
		return errors.New("it has both from and top_share, want one of them")
	case !(r.TopShare > 0 && r.TopShare < 1):
		return fmt.Errorf("top_share: found %v, want a share above 0 and below 1, such as 0.10", r.TopShare)
	case i > 0 && rules[i-1].TopShare == 0:
		return errors.New("it has top_share and the one above it has from, want the same for all but the last")
	case i > 0 && r.TopShare <= rules[i-1].TopShare:
		return fmt.Errorf("top_share: found %v, want more than the %v of the one above it, as it is counted from the top",
			r.TopShare, rules[i-1].TopShare)
	}
	return nil
}

func checkFrom(rules []Rule, i int) error {
	r := rules[i]
	if _, ok := hundredths(r.From); !ok || r.From == 0 {
		return fmt.Errorf("from: found %v, want 0.01 to 100 in steps of 0.01; only the last one is from: 0", r.From)
	}
	if i > 0 && rules[i-1].TopShare != 0 {
		return errors.New("it has from and the one above it has top_share, want the same for all but the last")
	}
	if i > 0 && r.From >= rules[i-1].From {
		return fmt.Errorf("from: found %v, want less than the %v of the one above it", r.From, rules[i-1].From)
	}
	return nil
}

// hundredths gives the score of x points; false where x is none.
func hundredths(x float64) (uint16, bool) {
	if !(x >= 0 && x <= 100) {
		return 0, false
	}
	h := uint16(math.Round(x * 100))
	return h, float64(h)/100 == x
}

// NeedsCounts says whether the cuts depend on the distribution.
func NeedsCounts(rules []Rule) bool {
	for _, r := range rules {
		if r.TopShare > 0 {
			return true
		}
	}
	return false
}
