package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

// noticesFolder is where notices lie below publish.url.
const noticesFolder = "notices"

// Recovered is the status of a notice that closes the incident of its date.
const Recovered = "recovered"

// Notice says that somebody was told how a date stands: by the status of an attempt,
// which opens an incident, or Recovered, which closes it.
type Notice struct {
	Date   date.Date `json:"date"`
	Status string    `json:"status"`
}

// Notices are what was told about the nights of a prediction: small objects that are
// created and never changed, <date>.<n>.<status>.json with n from 0. They are there so
// that a process knows what another one told, and nothing else reads them.
type Notices struct{ bucket *objstore.Bucket }

// Open gives the notices of the incidents that are not closed, oldest date first.
func (n *Notices) Open(ctx context.Context) ([]Notice, error) {
	all, err := n.all(ctx)
	if err != nil {
		return nil, err
	}
	var open []Notice
	for _, told := range all {
		if told.Status == Recovered {
			open = slices.DeleteFunc(open, func(o Notice) bool { return o.Date == told.Date })
			continue
		}
		open = append(open, told)
	}
	return open, nil
}

// Keep adds a notice. When another process adds one of the same date at the same
// time, both may be there, and both count.
func (n *Notices) Keep(ctx context.Context, told Notice) error {
	all, err := n.all(ctx)
	if err != nil {
		return err
	}
	number := 0
	for _, other := range all {
		if other.Date == told.Date {
			number++
		}
	}
	text, err := json.Marshal(told)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%s.%08d.%s.json", told.Date, number, told.Status)
	if _, err = n.bucket.CreateBytes(ctx, key, append(text, '\n')); errors.Is(err, objstore.ErrPrecondition) {
		return nil // the same was told
	}
	return err
}

// all gives every notice, in the order of dates and, within one, as they were told.
func (n *Notices) all(ctx context.Context) ([]Notice, error) {
	objects, err := n.bucket.Objects(ctx, "")
	if err != nil {
		return nil, err
	}
	var all []Notice
	for _, o := range objects {
		parts := strings.Split(o.Key, ".")
		if len(parts) != 4 {
			continue
		}
		if d, err := date.Parse(parts[0]); err == nil {
			all = append(all, Notice{d, parts[2]})
		}
	}
	return all, nil
}
