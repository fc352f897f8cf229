package delivery

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/churntier/churntier/pipeline/publish"
)

// Outcome is what an attempt to deliver did. Intent is nil when it did nothing.
type Outcome struct {
	Delivery string  `json:"delivery"`
	Did      string  `json:"did"` // nothing, resumed, delivered or given up
	Why      string  `json:"why"`
	Intent   *Intent `json:"intent,omitempty"`
	Fates    []Fate  `json:"fates,omitempty"` // of its files
}

// What an attempt did.
const (
	DidNothing = "nothing"
	DidResume  = "resumed"
	DidDeliver = "delivered"
	DidGiveUp  = "given up" // after some of its files, or none
)

// Deliver sends what is due of the newest publication, if anything is. After an
// error another Job may do it, with a By of its own: what was claimed is never put a
// second time.
func (j *Job) Deliver(ctx context.Context) (*Outcome, error) {
	log := Open(j.Ledger.Bucket(), j.Name)
	target, published, err := j.published(ctx)
	if err != nil {
		return nil, err
	}
	last, record, err := log.last(ctx)
	if err != nil {
		return nil, err
	}
	d := j.Rules.Decide(j.Now, target, last, last != nil && !record.Done)
	out := &Outcome{Delivery: j.Name, Did: DidNothing, Why: d.Why}
	sender := j.sender(log)
	switch d.Step {
	case Resume:
		out.Did, out.Intent = DidResume, last
	case Give, Correct:
		out.Did = DidDeliver
		if out.Intent, err = j.next(ctx, sender, d, *target, published, last, record); err != nil {
			return nil, fmt.Errorf("delivery %s: %w", j.Name, err)
		}
	default:
		return out, nil
	}
	return out, j.send(ctx, sender, out)
}

func (j *Job) sender(log *Log) *Sender {
	return &Sender{Log: log, To: j.To, By: j.By, Stale: j.stale}
}

// send sends what an outcome intends, and says in it what became of that.
func (j *Job) send(ctx context.Context, s *Sender, out *Outcome) error {
	err := s.Send(ctx, out.Intent)
	if err == nil {
		out.Fates, err = s.Log.fates(ctx, out.Intent)
	}
	if err == nil && slices.Contains(out.Fates, Abandoned) {
		var e Ending
		e, err = s.Log.ending(ctx, out.Intent.N)
		out.Did, out.Why = DidGiveUp, e.Why
	}
	if err != nil {
		return fmt.Errorf("delivery %s: %w", j.Name, err)
	}
	return nil
}

// stale says why what is intended may not be sent any more: it is not what is
// published of the newest date.
func (j *Job) stale(ctx context.Context, i *Intent) (string, error) {
	t, err := j.target(ctx)
	switch {
	case err != nil:
		return "", err
	case t == nil:
		return "nothing is published any more", nil
	case i.delivered(*t):
		return "", nil
	case t.Date != i.Date:
		return fmt.Sprintf("%s was published while %s was sent", t.Date, i.Date), nil
	case t.Run == "":
		return fmt.Sprintf("%s was withdrawn while it was sent", i.Date), nil
	}
	return fmt.Sprintf("%s was replaced while it was sent", i.Date), nil
}

// target gives what is in effect of the newest date, nil where nothing is.
func (j *Job) target(ctx context.Context) (*Target, error) {
	newest, err := j.Ledger.Newest(ctx, 1)
	if err != nil || len(newest) == 0 {
		return nil, err
	}
	e, _ := newest[0].Effective()
	return &Target{newest[0].Date, e.Seq, cmp.Or(e.Run, e.Rollback)}, nil
}

// published gives the target and what is published of it, nil where it is withdrawn.
func (j *Job) published(ctx context.Context) (*Target, *publish.Published, error) {
	t, err := j.target(ctx)
	if err != nil || t == nil {
		return nil, nil, err
	}
	p, found, err := j.Ledger.Published(ctx, t.Date)
	if err != nil || !found {
		return &Target{Date: t.Date, Seq: t.Seq}, nil, err
	}
	return &Target{p.Date, p.Seq, p.Run}, &p, nil
}

// next makes a new delivery: it gives up what is pending of the one before, stages
// files and state, and writes the intent. It gives the intent of another process
// where that was first.
func (j *Job) next(ctx context.Context, s *Sender, d Decision, target Target, p *publish.Published, last *Intent, r Record) (*Intent, error) {
	var lost func(standing) bool
	if last != nil {
		if !r.Done {
			if err := s.Abandon(ctx, last, d.Why); err != nil {
				return nil, err
			}
		}
		var err error
		if lost, err = s.Log.lost(ctx, last); err != nil {
			return nil, err
		}
	}
	i, err := j.build(ctx, j.kind(d.Step, last), target, p, last, lost)
	if err != nil {
		return nil, err
	}
	return s.Log.Intend(ctx, i)
}

// kind says what a new delivery sends.
func (j *Job) kind(step Step, last *Intent) Kind {
	switch {
	case step == Correct:
		return Correction
	case !j.Changes || last == nil || j.FullEvery > 0 && (last.N+1)%j.FullEvery == 0:
		return Full
	}
	return Changes
}

// lost tells the standings of which a file spoke that was given up: in the delivery
// last, and in all others that sent the same once more; nil where none was. It must
// have ended.
func (l *Log) lost(ctx context.Context, last *Intent) (func(standing) bool, error) {
	var sent []*Intent
	var became [][]Fate
	for i := last; ; {
		fates, err := l.fates(ctx, i)
		if err != nil {
			return nil, err
		}
		sent, became = append(sent, i), append(became, fates)
		if i.Kind != Again {
			break
		}
		if i, err = l.Intent(ctx, i.Previous); err != nil {
			return nil, err
		}
	}
	if !slices.Contains(slices.Concat(became...), Abandoned) {
		return nil, nil
	}
	return func(s standing) bool {
		givenUp := false
		for at, i := range sent {
			if k := i.speaks(s); k >= 0 {
				if became[at][k] != Abandoned {
					return false
				}
				givenUp = true
			}
		}
		return givenUp
	}, nil
}

// speaks gives the index of the file that speaks of a standing, -1 for none.
func (i *Intent) speaks(s standing) int {
	return slices.IndexFunc(i.Files, func(f File) bool {
		return (f.Audience == s.Audience || f.Audience == "") && f.From <= s.Place && s.Place < f.To
	})
}

// last gives the newest delivery and how far it is, nil where there is none.
func (l *Log) last(ctx context.Context) (*Intent, Record, error) {
	all, err := l.Records(ctx)
	if err != nil || len(all) == 0 {
		return nil, Record{}, err
	}
	r := all[len(all)-1]
	i, err := l.Intent(ctx, r.N)
	return i, r, err
}

// fates gives what became of the files of a delivery by now.
func (l *Log) fates(ctx context.Context, i *Intent) ([]Fate, error) {
	all, err := l.Records(ctx)
	if err != nil {
		return nil, err
	}
	return l.Fates(ctx, i, all[i.N])
}
