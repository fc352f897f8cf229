package profile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/identity"
)

// Few is the most values of a column that is a category, such as a country.
const Few = 64

// Guess is a column that seems to be what is looked for, and why. Without a column
// there is none.
type Guess struct{ Column, Why string }

// idNames are names that say that a column names a user, the surest first.
var idNames = []string{"userid", "customerid", "externalid", "uid", "memberid", "subscriberid", "accountid", "playerid", "id"}

// ID guesses the column of user ids: one whose values are hardly ever null or there
// twice, and whose name says so or, failing that, the first such text.
func (t Table) ID() Guess {
	best, rank := -1, len(idNames)+2
	for i, c := range t {
		if r := c.idRank(); r < rank {
			best, rank = i, r
		}
	}
	if best < 0 {
		return Guess{}
	}
	c := t[best]
	why := fmt.Sprintf("%d values in %d rows", c.Distinct, c.Rows)
	if rank <= len(idNames) {
		why += ", and the name of an id"
	}
	return Guess{c.Name, why}
}

// idRank is the lower the more a column seems to hold the ids.
func (c Column) idRank() int {
	none := len(idNames) + 2
	if identity.CheckType(c.Type) != nil || c.Distinct == 0 || c.Distinct < c.Rows-c.Rows/100 || c.Addresses > c.Rows/2 {
		return none
	}
	name := plain(c.Name)
	switch at := slices.Index(idNames, name); {
	case at >= 0:
		return at
	case strings.HasSuffix(name, "id"):
		return len(idNames)
	case c.Type.ID() == arrow.STRING:
		return len(idNames) + 1
	}
	return none
}

// plain gives a name in lower case, letters and digits alone.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

func namedLike(name string, parts ...string) bool {
	name = plain(name)
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
}

// Contact guesses the column of addresses by what they look like.
func (t Table) Contact() Guess {
	for _, c := range t {
		if full := c.Rows - c.Nulls; full > 0 && c.Addresses >= full-full/10 {
			return Guess{c.Name, fmt.Sprintf("%d of %d values are like addresses of mail", c.Addresses, full)}
		}
	}
	return Guess{}
}

// AsOf guesses the column that tells how old the data of a night are.
func (t Table) AsOf(night date.Date) Guess {
	for _, c := range t {
		if c.Newest == night && namedLike(c.Name, "updat", "asof", "snapshot", "extract", "loaded", "modified") {
			return Guess{c.Name, "its newest day is " + night.String()}
		}
	}
	return Guess{}
}

// OptOuts are columns that say that a user wants no message.
func (t Table) OptOuts() []Guess {
	var all []Guess
	for _, c := range t {
		if c.Type.ID() == arrow.BOOL && namedLike(c.Name, "optout", "unsubscribed", "donotcontact", "donotmail") {
			all = append(all, Guess{c.Name, "its name says that the user wants no message"})
		}
	}
	return all
}

// Scores are numbers whose name says that they are a score of churn, or a score of
// whatever is predicted and nothing else.
func (t Table) Scores() []Guess {
	var all []Guess
	for _, c := range t {
		churn := namedLike(c.Name, "churn") && namedLike(c.Name, "score", "prob", "risk", "propensity")
		bare := slices.Contains([]string{"score", "probability", "propensity", "riskscore"}, plain(c.Name))
		if isNumber(c.Type) && (churn || bare) && c.Distinct > 2 {
			all = append(all, Guess{c.Name, "its name is that of a score"})
		}
	}
	return all
}

func isNumber(t arrow.DataType) bool {
	return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID()) || arrow.IsDecimal(t.ID())
}

// outcomes are names of the truth that models are trained on, known only later.
var outcomes = []string{"churn", "churned", "ischurn", "ischurned", "churnlabel", "churnvalue", "label", "target", "exited", "attrited"}

// IsOutcome says whether a column seems to hold what is to be predicted.
func (c Column) IsOutcome() bool { return slices.Contains(outcomes, plain(c.Name)) }

// IsFeature says whether a model could learn from a column: it is a number, a truth
// value, or one of few texts, and neither constant nor the outcome.
func (c Column) IsFeature() bool {
	return c.Distinct > 1 && !c.IsOutcome() && (isNumber(c.Type) || c.Type.ID() == arrow.BOOL || c.IsCategory())
}

// IsCategory says whether a column holds one of few texts.
func (c Column) IsCategory() bool {
	return c.Type.ID() == arrow.STRING && c.Distinct > 1 && c.Distinct <= Few && c.Distinct < c.Rows/2
}
