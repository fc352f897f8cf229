package pipeline

import (
	"context"

	"github.com/churntier/churntier/pipeline/snapshot"
)

// Footprint is what tells the inputs and rules of a night from others: its
// fingerprint, and the versions of the files that it was taken of.
type Footprint struct {
	Fingerprint string
	inputs      *inputs
}

// FootprintOf gives the footprint that a run of the night would have now, and writes
// nothing. It fails as a run does that cannot fix its inputs. Where the store keeps no
// checksums every input is read, except for the files that before, an earlier
// footprint of the same date or nil, has at the same versions.
func FootprintOf(ctx context.Context, n Night, before *Footprint) (*Footprint, error) {
	in, err := pin(ctx, &n)
	if err != nil {
		return nil, err
	}
	if before != nil {
		in.recognise(before.inputs)
	}
	if err := in.sum(ctx); err != nil {
		return nil, err
	}
	f := &Footprint{inputs: in}
	f.Fingerprint, err = in.fingerprint(&n)
	return f, err
}

// recognise takes the checksums of the files that are as they were before.
func (in *inputs) recognise(before *inputs) {
	known := before.all()
	recognised := func(p *snapshot.Pinned) *snapshot.Pinned {
		for _, k := range known {
			if p.Source.Bucket.URL("") == k.Source.Bucket.URL("") && p.Same(k) {
				return k
			}
		}
		return p
	}
	in.parts = recognised(in.parts)
	for i, l := range in.lists {
		in.lists[i] = recognised(l)
	}
}
