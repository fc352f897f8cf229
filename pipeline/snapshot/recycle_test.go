package snapshot

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
)

// TestRecycledColumnsReadLikePqarrow reads parts in turn with the columns of those before:
// such as are written in other ways, have fewer texts or more nulls, and one whose columns
// are the other way round and never null.
func TestRecycledColumnsReadLikePqarrow(t *testing.T) {
	many, few := matrixBatch(900, 200), matrixBatch(300, 2)
	written := map[*arrow.RecordBatch][][]byte{}
	for _, batch := range []*arrow.RecordBatch{&many, &few} {
		for _, encoding := range []string{"plain", "dictionary", "special"} {
			w := writing{compress.Codecs.Zstd, parquet.DataPageV1, encoding, 128}
			written[batch] = append(written[batch], w.write(t, *batch))
		}
	}
	required := reversed(few)
	reversed := uncompressed.write(t, required)
	written[&required] = append(written[&required], reversed)
	for range 3 {
		for batch, parts := range written { // in any order
			for _, data := range parts {
				f := openBytes(t, data)
				checkFileLikePeer(t, f, data, int((*batch).NumRows()))
			}
		}
	}
	for _, l := range openBytes(t, reversed).leaves {
		c := takeClosed(l)
		if c == nil {
			t.Fatalf("column %s is not kept for the next reader", l.name)
		}
		if c.pages.input != nil || c.pages.piece != nil || c.run != nil {
			t.Errorf("column %s still holds its part", l.name)
		}
	}
	if len(closed.columns) > mostClosed {
		t.Errorf("%d columns are kept", len(closed.columns))
	}
}

// reversed has the columns without a null, the last one first.
func reversed(batch arrow.RecordBatch) arrow.RecordBatch {
	var fields []arrow.Field
	var columns []arrow.Array
	for i := int(batch.NumCols()) - 1; i >= 0; i-- {
		if f := batch.Schema().Field(i); batch.Column(i).NullN() == 0 {
			f.Nullable = false
			fields, columns = append(fields, f), append(columns, batch.Column(i))
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, batch.NumRows())
}
