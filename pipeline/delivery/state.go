package delivery

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"
)

// standing is the state of one user in one audience, or in its control arm, after a
// delivery. Place tells which file of the delivery spoke of it, so that the standing
// before holds where that file was never put.
type standing struct {
	key
	Now    Standing
	Before Standing
	Place  int64 // -1 where no file spoke of the user
}

// key names one standing. Keys are ordered by the hash of the id, the id, the
// audience, the members before the control arm.
type key struct {
	Hash     uint64 // xxh3 of the id
	ID       string
	Audience string
	Control  bool
}

// newKey gives the key of a standing with its hash.
func newKey(id, audience string, control bool) key {
	return key{xxh3.HashString(id), id, audience, control}
}

// compare orders keys.
func (k *key) compare(o key) int {
	switch {
	case k.Hash != o.Hash:
		return order(k.Hash < o.Hash)
	case k.ID != o.ID:
		return order(k.ID < o.ID)
	case k.Audience != o.Audience:
		return order(k.Audience < o.Audience)
	case k.Control != o.Control:
		return order(o.Control)
	}
	return 0
}

func order(less bool) int {
	if less {
		return -1
	}
	return 1
}

// stateSchema is that of a state file. Its rows are in the order of keys; each file has
// those of one bucket, or, before Intent.Buckets was written, about as many as
// tableFileRows. Files of the same bucket are layers: one after another, each with the
// standings that are other ones than the layers before it say. In an older layer there
// is nothing but how things are: who is in was delivered each time since, what was
// before does not matter any more, and whoever is out without a day is not known.
var stateSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.BinaryTypes.String},
	{Name: "audience", Type: arrow.BinaryTypes.String},
	{Name: "control", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "in", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "day", Type: arrow.PrimitiveTypes.Int32},
	{Name: "last", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "left", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "resting", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "payload", Type: arrow.PrimitiveTypes.Int64},
	{Name: "identity", Type: arrow.BinaryTypes.String, Nullable: true}, // null: the id
	{Name: "place", Type: arrow.PrimitiveTypes.Int64},
	{Name: "before_in", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "before_day", Type: arrow.PrimitiveTypes.Int32},
	{Name: "before_last", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "before_left", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "before_resting", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "before_payload", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, // null: as payload
	{Name: "before_identity", Type: arrow.BinaryTypes.String, Nullable: true},  // null: as identity
}, nil)

// Columns of a state by their index: those of a Standing follow one another.
const (
	columnNow    = 3
	columnPlace  = 10 // it and what follows matters where files were given up
	columnBefore = 11
)
