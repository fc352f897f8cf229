package objstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
)

// probes is how often a probe begins anew after an answer that was lost.
const probes = 3

// Probe proves that the store below b refuses what publications rest on: to
// create an object that is there, and to replace another generation than the
// one there. It is ErrUnsafe where it does not. One object with a temporary
// name of its own is written twice, and deleted if that is permitted. Where
// this user may create but not replace, replaced is false: only the creation is
// proven.
func Probe(ctx context.Context, b *Bucket) (replaced bool, err error) {
	for range probes {
		replaced, err = b.probe(ctx)
		if err == nil || (Kind(err) != nil && !errors.Is(err, ErrPrecondition)) {
			break
		}
	}
	return replaced, b.failed("probe", "", err)
}

// probe is one attempt, with a key of its own. A first write that is refused
// is one whose answer was lost.
func (b *Bucket) probe(ctx context.Context) (replaced bool, err error) {
	key := b.prefix + TemporaryPrefix + "probe-" + rand.Text()
	first, err := b.writeProbe(ctx, key, "first", Absent)
	if err != nil {
		return false, fmt.Errorf("create: %w", err)
	}
	// Also when ctx has ended; a runner need not be permitted to.
	defer func() { _ = b.driver.Delete(context.WithoutCancel(ctx), key, Any) }()
	if err := b.demandRefusal(ctx, key, Absent, "created an object that was there"); err != nil {
		return false, err
	}
	_, err = b.writeProbe(ctx, key, "second", IfGeneration(first))
	switch {
	case errors.Is(err, ErrPermission):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("replace: %w", err)
	}
	return true, b.demandRefusal(ctx, key, IfGeneration(first), "replaced a generation that was gone")
}

// demandRefusal tries a write whose condition does not hold.
func (b *Bucket) demandRefusal(ctx context.Context, key string, cond Condition, fault string) error {
	_, err := b.writeProbe(ctx, key, "third", cond)
	switch {
	case errors.Is(err, ErrPrecondition):
		return nil
	case err == nil:
		return fmt.Errorf("%w: it %s, so two runs could both publish a night", ErrUnsafe, fault)
	}
	return err
}

func (b *Bucket) writeProbe(ctx context.Context, key, data string, cond Condition) (generation string, err error) {
	u, err := b.driver.Put(ctx, key, cond)
	if err != nil {
		return "", err
	}
	defer u.Abort()
	if _, err := io.WriteString(u, data); err != nil {
		return "", err
	}
	a, err := u.Commit(ChecksumOf([]byte(data)))
	return a.Generation, err
}
