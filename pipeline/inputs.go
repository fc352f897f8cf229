package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// inputs are the files of a night with their versions fixed and nothing read.
type inputs struct {
	parts *snapshot.Pinned
	lists []*snapshot.Pinned // by Night.lists
}

// pin finds the snapshot and the lists of the night.
func pin(ctx context.Context, n *Night) (*inputs, error) {
	parts, err := snapshot.Pin(ctx, n.Snapshot, n.Date)
	if err != nil {
		return nil, err
	}
	in := &inputs{parts: parts}
	for _, l := range n.lists() {
		files, err := l.find(ctx, n)
		if err != nil {
			return nil, err
		}
		in.lists = append(in.lists, files)
	}
	return in, nil
}

// sum computes the checksums that the stores do not keep.
func (in *inputs) sum(ctx context.Context) error {
	for _, p := range in.all() {
		if err := p.Sum(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (in *inputs) all() []*snapshot.Pinned { return append([]*snapshot.Pinned{in.parts}, in.lists...) }

// unchanged returns snapshot.ErrNotReady when an input is not what it was when it
// was fixed.
func (in *inputs) unchanged(ctx context.Context, n *Night) error {
	if err := in.parts.Unchanged(ctx); err != nil {
		return changed(err)
	}
	for i, l := range n.lists() {
		now, err := l.find(ctx, n)
		if err != nil {
			return changed(err)
		}
		if !in.lists[i].Same(now) {
			return fmt.Errorf("%w: the %s list %s changed while it was read; run again", snapshot.ErrNotReady, l.use, l.URL)
		}
	}
	return nil
}

// changed says of an input that was there, and is not any more, that it changed.
func changed(err error) error {
	if errors.Is(err, snapshot.ErrEmpty) || errors.Is(err, ErrList) {
		return fmt.Errorf("%w: an input changed while it was read: %v", snapshot.ErrNotReady, err) //nolint:errorlint // its kind no longer holds
	}
	return err
}

// listKey is what of a suppression list decides bytes beside its files.
type listKey struct{ ID, Contact string }

// fingerprint gives F of the publication protocol: equal inputs, model, mode and
// rules have equal fingerprints.
func (in *inputs) fingerprint(n *Night) (string, error) {
	canonical := struct {
		Rules
		ListIDs  []string  // columns of the exclude lists
		Suppress []listKey `json:"SuppressLists,omitempty"`
	}{Rules: n.Rules}
	for _, l := range n.Exclude {
		canonical.ListIDs = append(canonical.ListIDs, l.ID)
	}
	for _, l := range n.Suppress {
		canonical.Suppress = append(canonical.Suppress, listKey{l.ID, l.Contact})
	}
	rules, err := json.Marshal(canonical)
	if err != nil {
		return "", err
	}
	f := publish.FingerprintInput{Mode: string(n.Mode), Config: rules}
	if n.Rules.Model != nil {
		f.ModelSHA256 = n.Rules.Model.SHA256
	}
	object := func(name string, p snapshot.Part) publish.Source {
		return publish.Source{Name: name, Size: p.Size, CRC32C: p.CRC32C}
	}
	for _, p := range in.parts.Parts {
		f.Parts = append(f.Parts, object(p.Name, p))
	}
	for i, l := range in.lists {
		for _, p := range l.Parts {
			f.Lists = append(f.Lists, object(fmt.Sprintf("%d/%s", i, p.Name), p))
		}
	}
	return publish.Fingerprint(f), nil
}

// pinFiles fixes files of a run.
func pinFiles(ctx context.Context, b *objstore.Bucket, listed []publish.File) (*snapshot.Pinned, error) {
	var found []objstore.Attrs
	for _, f := range listed {
		attrs, err := b.Stat(ctx, f.Key)
		if err != nil {
			return nil, err
		}
		found = append(found, attrs)
	}
	return snapshot.PinFiles(b, found), nil
}
