package delivery

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// rendered are rows as the tool takes them, which no batch is needed for any more.
type rendered struct {
	text   []byte
	ends   []int // of each row in text
	places []int64
}

// render encodes some rows of a lot.
func render(of lot, rows []int32) (out rendered, err error) {
	out = rendered{ends: make([]int, 0, len(rows)), places: make([]int64, len(rows))}
	for i, row := range rows {
		out.places[i] = of.place(row)
	}
	err = of.each(rows, func(_ int, text []byte) error {
		out.text = append(out.text, text...)
		out.ends = append(out.ends, len(out.text))
		return nil
	})
	return out, err
}

// lot gives the rows as one, numbered from 0.
func (r *rendered) lot() lot {
	return lot{
		text: func(rows []int32) []byte {
			from := 0
			if rows[0] > 0 {
				from = r.ends[rows[0]-1]
			}
			return r.text[from:r.ends[rows[len(rows)-1]]]
		},
		place: func(row int32) int64 { return r.places[row] },
	}
}

// inOrder makes n values, several at once, and uses them one by one in their order. Not
// many more are kept than there are workers.
func inOrder[T any](ctx context.Context, workers, n int, produce func(ctx context.Context, i int) (T, error), use func(T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	ready := make(chan chan T, max(1, workers)-1)
	g.Go(func() error {
		defer close(ready)
		for i := range n {
			made := make(chan T, 1)
			select {
			case ready <- made:
			case <-ctx.Done():
				return ctx.Err()
			}
			g.Go(func() error {
				v, err := produce(ctx, i)
				if err == nil {
					made <- v
				}
				return err
			})
		}
		return nil
	})
	g.Go(func() error {
		for made := range ready {
			select {
			case v := <-made:
				if err := use(v); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}
