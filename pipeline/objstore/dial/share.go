package dial

import (
	"context"
	"sync"
)

// connections are the clouds that were reached, by bucket.
type connections struct {
	mu  sync.Mutex
	all map[string]cloud
}

type connectionsKey struct{}

// Sharing gives a context in which Open connects to each bucket of a cloud once, for
// who opens the same ones again and again. The connections last as long as it is used.
func Sharing(ctx context.Context) context.Context {
	return context.WithValue(ctx, connectionsKey{}, &connections{all: map[string]cloud{}})
}

// once connects, unless ctx shares a connection to the bucket.
func once(ctx context.Context, bucket string, connect func(context.Context) (cloud, error)) (cloud, error) {
	shared, sharing := ctx.Value(connectionsKey{}).(*connections)
	if !sharing {
		return connect(ctx)
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if c := shared.all[bucket]; c != nil {
		return c, nil
	}
	c, err := connect(context.WithoutCancel(ctx))
	if err == nil {
		shared.all[bucket] = c
	}
	return c, err
}
