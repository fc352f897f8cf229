package audience

import (
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// ParquetOptions are the choices for a Parquet file.
type ParquetOptions struct {
	// Compression is zstd, whose frames carry a checksum of what they hold, or
	// snappy where it saves anything. Empty is zstd.
	Compression string

	// Recycler is that of the series of files to which this one belongs; nil for none.
	Recycler *Recycler
}

type parquetEncoder struct {
	view  *view
	table *table
}

// NewParquet starts a Parquet file of the layout's columns for blocks whose
// batches hold columns of snapshot.
func NewParquet(w io.Writer, l Layout, snapshot *arrow.Schema, o ParquetOptions) (Encoder, error) {
	s, err := l.Schema(snapshot)
	if err != nil {
		return nil, err
	}
	t, err := newTable(w, s, l.ids(), o)
	if err != nil {
		return nil, err
	}
	return &parquetEncoder{newView(l, snapshot), t}, nil
}

// ids names the written columns that hold the id itself.
func (l Layout) ids() map[string]bool {
	ids := make(map[string]bool)
	for _, c := range l.Columns {
		if c.Source == FromColumn && c.Column == l.ID && !c.isRewritten() {
			ids[c.Name] = true
		}
	}
	return ids
}

func (e *parquetEncoder) Write(b *Block, rows []int32) error {
	var arrays []arrow.Array
	err := e.table.guard(func() (err error) {
		arrays, err = e.view.of(b, rows)
		return err
	})
	if err != nil {
		return err
	}
	return e.table.write(arrays, rows)
}

func (e *parquetEncoder) Close() error { return e.table.close() }

func (e *parquetEncoder) Rows() int64 { return e.table.rows }
