package jobs

import (
	"context"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/publish"
)

// Refused explains the newest refused run of a date to people.
type Refused struct {
	Date     date.Date     `json:"date"`
	Run      string        `json:"run"`
	Attempts int           `json:"attempts"` // refused runs of the date
	Why      []Explanation `json:"why"`
	Advice   string        `json:"advice,omitempty"` // what explains it
	Next     string        `json:"next"`             // what ends it
}

// Explanation is what one gate found, what is usual and what is allowed, and what
// to do about it. Gate is "" where the inputs were refused before any gate.
type Explanation struct {
	Gate    string `json:"gate,omitempty"`
	Message string `json:"message"`
	Do      string `json:"do"`
}

// refusals explains the refused runs that are newer than what is shown: those of
// later dates and, of the same date, of later runs. When a date was asked for, it
// is the refused runs of that date alone.
func refusals(ctx context.Context, ledger *publish.Ledger, refused []date.Date, s *Shown, asked bool) ([]Refused, error) {
	all := []Refused{}
	for _, d := range slices.Backward(refused) {
		if asked && d != s.Date || d.Before(s.Date) {
			continue
		}
		runs, err := ledger.Refusals(ctx, d)
		if err != nil {
			return nil, err
		}
		if len(runs) > 0 && (asked || d.After(s.Date) || runs[0].Run > s.Run) {
			all = append(all, explain(runs[0], len(runs)))
		}
	}
	return all, nil
}

func explain(r publish.Refusal, attempts int) Refused {
	e := Refused{Date: r.Date, Run: r.Run, Attempts: attempts, Advice: r.Advice}
	var refused []gate.Result
	for _, g := range r.Gates {
		if g.Status == string(gate.Refuse) {
			refused = append(refused, gate.Result{Name: g.Name})
			e.Why = append(e.Why, Explanation{Gate: g.Name, Message: g.Message, Do: gate.NextStep(g.Name)})
		}
	}
	if refused == nil {
		e.Why = []Explanation{{Message: r.Message, Do: "Correct the data, the list or the config that it names; no --accept lets it pass."}}
		e.Next = fmt.Sprintf("Then run it again: churntier run -c CONFIG --date %s", r.Date)
		return e
	}
	e.Next = fmt.Sprintf("If the night is right as it is, let it pass once: churntier run -c CONFIG --date %s %s", r.Date, gate.Acceptance(refused))
	return e
}
