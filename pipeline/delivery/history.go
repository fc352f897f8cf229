package delivery

import (
	"context"
	"time"
)

// Past is one delivery as it was, for people.
type Past struct {
	*Intent
	Done      bool      `json:"done"`
	Changed   time.Time `json:"changed"`       // when it was last worked on, by the clock of the store
	Rows      int64     `json:"rows"`          // of the files that were delivered
	Uncertain []string  `json:"uncertain"`     // names of files that may have arrived
	Unsent    []string  `json:"unsent"`        // names of files that were given up
	Why       string    `json:"why,omitempty"` // they were given up
	Waiting   int       `json:"waiting"`       // files
}

// History gives the newest n deliveries, newest first.
func (l *Log) History(ctx context.Context, n int) ([]Past, error) {
	all, err := l.Records(ctx)
	if err != nil {
		return nil, err
	}
	past := []Past{}
	for at := len(all) - 1; at >= 0 && len(past) < n; at-- {
		i, err := l.Intent(ctx, all[at].N)
		if err != nil {
			return nil, err
		}
		fates, err := l.Fates(ctx, i, all[at])
		if err != nil {
			return nil, err
		}
		p := pastOf(i, all[at], fates)
		if p.Done && len(p.Unsent) > 0 {
			e, err := l.ending(ctx, p.N)
			if err != nil {
				return nil, err
			}
			p.Why = e.Why
		}
		past = append(past, p)
	}
	return past, nil
}

func pastOf(i *Intent, r Record, fates []Fate) Past {
	p := Past{Intent: i, Done: r.Done, Changed: r.Changed, Uncertain: []string{}, Unsent: []string{}}
	for k, f := range i.Files {
		switch fates[k] {
		case Delivered:
			p.Rows += f.Rows
		case Uncertain:
			p.Uncertain = append(p.Uncertain, f.Name)
		case Abandoned:
			p.Unsent = append(p.Unsent, f.Name)
		case Waiting:
			p.Waiting++
		}
	}
	return p
}
