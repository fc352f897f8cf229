// Package gate judges a night before it is published: whether its rows, scores
// and audiences look like those of the nights before, within limits that the
// config sets. Every function is pure; the same figures give the same verdict.
//
// Shares and ratios are compared exactly, as fractions, with the decimal number
// that the config states: 1 rejected row of 1,000 equals the limit 0.001. A value
// equal to its limit passes, for warnings and refusals alike, and so does one above
// it that chance explains, as it often does among few users, or the day of the week.
package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
)

// Night holds the figures of one date that gates look at.
type Night struct {
	Date       date.Date
	Read       int64     // rows of the snapshot
	Rejected   int64     // rows that could not be scored
	Duplicates int64     // rows that the duplicates policy removed
	Scored     int64     // users with a score
	Counts     []int64   // users by score, 0 to 10000 hundredths; nil when not known
	Categories []Share   // highest first
	Features   []Feature // in any order
	Audiences  []Members // in any order
	AsOf       string    // column that dates the data; "" when not configured
	DataDate   date.Date // newest day in that column; zero when not configured or not found
	InputsOf   date.Date // an earlier date that was published from the same bytes, or zero
	Model      Model     // what gave the scores
	Accepted   []string  // gates that refused the night and were overridden
	ByShare    bool      // the categories are cut at shares of the users, so their cuts move every night
	Baseline   *Night    // a pinned publication whose scores are compared with too, or nil
}

// Model names a model file by its content; zero where a column holds the score.
type Model struct{ Name, SHA256 string }

// Share is the part of the users that one category holds. It takes the scores
// from From, in hundredths, to below the From of the next higher category.
type Share struct {
	Name  string
	From  uint16
	Count int64
}

// Feature counts how often one input of the score was null among Rows rows, and how
// often it held a category that the model does not know: nil where the model states
// no categories, or where it was not counted.
type Feature struct {
	Name   string
	Nulls  int64
	Rows   int64
	Unseen *int64
	// Partial says that the model may know a category that its file does not state,
	// as one-hot encoders drop the first. Then Unseen is no fault as such where it
	// was more than the limit already; only a change of it tells anything.
	Partial bool
}

// Expect bounds the members of an audience, both ends included; nil is no bound.
type Expect struct{ Min, Max *int64 }

// Members is the size of one audience and what was expected of it.
type Members struct {
	Name    string
	Members int64
	Expect
}

// Status is the verdict of one gate.
type Status string

// The verdicts. Only Refuse keeps a night from being published; Accepted is a
// refusal that the operator overrode.
const (
	Pass      Status = "pass"
	Warn      Status = "warn"
	Refuse    Status = "refuse"
	Accepted  Status = "accepted"
	NoHistory Status = "no-history"
)

// Result is the verdict of one gate. Warn and Refuse are the limits that Value was
// compared with, nil where there is none. Message says in a sentence or two what was
// measured: tonight's figure, the usual figure and the limit.
type Result struct {
	Name    string   `json:"name"`
	Value   float64  `json:"value"`
	Warn    *float64 `json:"warn"`
	Refuse  *float64 `json:"refuse"`
	Status  Status   `json:"status"`
	Message string   `json:"message"`
}

// comparison is what a gate decides on; history is newest first.
type comparison struct {
	tonight Night
	history []Night
	limits  Limits
}

// gates are judged and reported in this order. A gate that has nothing to judge
// tonight says so with false.
var gates = []struct {
	name  string
	judge func(comparison) (Result, bool)
}{
	{"rows", rows},
	{"rejected", rejected},
	{"duplicates", duplicates},
	{"category_shift", categoryShift},
	{"psi", stability},
	{"constant", constant},
	{"features", features},
	{"expect", expect},
	{"empty", empty},
	{"stale", stale},
}

// historyNights is how many earlier publications a night is compared with.
const historyNights = 7

// Judge compares tonight with the publications before it, newest first, of which
// it uses up to 7, and gives one result for each gate that has something to judge.
// accept maps the names of gates that may refuse without effect to the reasons.
func Judge(tonight Night, history []Night, l Limits, accept map[string]string) []Result {
	c := comparison{tonight, history[:min(len(history), historyNights)], l}
	var results []Result
	for _, g := range gates {
		r, judged := g.judge(c)
		if !judged {
			continue
		}
		r.Name = g.name
		if _, ok := accept[g.name]; ok && r.Status == Refuse {
			r.Status = Accepted
		}
		results = append(results, r)
	}
	return results
}

// Refused gives the results that keep the night from being published.
func Refused(results []Result) []Result {
	var refused []Result
	for _, r := range results {
		if r.Status == Refuse {
			refused = append(refused, r)
		}
	}
	return refused
}

// CheckAccept returns an error when a name is not that of a gate that can be
// accepted. Suppression cannot: it fails closed.
func CheckAccept(names []string) error {
	var known []string
	for _, g := range gates {
		known = append(known, g.name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("accept %q: not a gate that can be accepted; expected one of %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}
