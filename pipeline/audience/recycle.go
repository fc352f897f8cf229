package audience

import "sync"

// recycler hands memory that a file no longer needs to the next one: a row group of
// every column is megabytes for each file.
type recycler[T any] struct{ pool sync.Pool }

// get gives a T that is as it was when it was put, or a new one.
func (r *recycler[T]) get() *T {
	if t, ok := r.pool.Get().(*T); ok {
		return t
	}
	return new(T)
}

func (r *recycler[T]) put(t *T) { r.pool.Put(t) }

// What is recycled: columns, by what they hold, so that none keeps more than it needs,
// and the scratch memory of row groups.
var (
	int32Columns   recycler[fixed[int32]]
	int64Columns   recycler[fixed[int64]]
	float32Columns recycler[fixed[float32]]
	float64Columns recycler[fixed[float64]]
	plainTexts     recycler[texts]
	codedTexts     recycler[texts] // a code takes two bytes, a plain text as many as it has and four
	scratches      recycler[scratch]
)

// recycled gives an empty column for numbers.
func recycled[T fixedValue](r *recycler[fixed[T]], l levels, g gather[T]) *fixed[T] {
	c := r.get()
	l.def, l.present = c.def, c.present
	c.levels, c.gather, c.recycler = l, g, r
	return c
}
