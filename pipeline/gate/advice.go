package gate

import (
	"fmt"
	"slices"
	"strings"
)

// nextSteps tells, for each gate, what a person does about its refusal.
var nextSteps = map[string]string{
	"rows":           "Ask who writes the snapshot whether it is whole.",
	"rejected":       "The rejected rows are kept beside the evidence with their reasons: have them mended where they come from.",
	"duplicates":     "Have the ids made unique where they come from, or choose another snapshot.duplicates.",
	"category_shift": "Find out whether the users changed, as by a campaign, or the data of the model did.",
	"psi":            "Find out whether the users changed, as by a campaign, or the data of the model did.",
	"constant":       "Look at the inputs of the score: one score for nearly everybody ranks nobody.",
	"features":       "Have the input mended where it comes from, or train the model with what it holds now.",
	"expect":         "Check the condition of the audience; if it is right, change its expect.",
	"empty":          "Look why no user has a score: the snapshot, eligible and exclude say who can have one.",
	"stale":          "Have tonight's snapshot written again from tonight's data.",
}

// NextStep tells what to do about the refusal of a gate; "" for a name that is none.
func NextStep(gate string) string { return nextSteps[gate] }

// Acceptance is the flags that let refused gates pass once.
func Acceptance(refused []Result) string {
	var names []string
	for _, r := range refused {
		names = append(names, r.Name)
	}
	return "--accept " + strings.Join(names, ",") + " --reason TEXT"
}

// ofScores are the gates that another model may well trip.
var ofScores = []string{"category_shift", "psi", "constant", "features", "expect"}

// Advice explains refusals by what the operator changed: another model since the
// previous publication gives other scores. It is "" where that explains none.
func Advice(tonight Night, history []Night, refused []Result) string {
	byModel := slices.ContainsFunc(refused, func(r Result) bool { return slices.Contains(ofScores, r.Name) })
	if len(history) == 0 || history[0].Model == tonight.Model || !byModel {
		return ""
	}
	return fmt.Sprintf("The model changed since %s (%s; it was %s): look at the night with churntier run --dry-run, and if its scores are right let it pass once with %s.",
		history[0].Date, tonight.Model, history[0].Model, Acceptance(refused))
}

// String names the model for people, by its content where names do not tell.
func (m Model) String() string {
	if m.SHA256 == "" {
		return "a score column"
	}
	return fmt.Sprintf("%s, sha256 %.8s", m.Name, m.SHA256)
}
