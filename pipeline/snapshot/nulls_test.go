package snapshot

import (
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
)

// The footers of two parts say how many nulls a column has; what no statistics
// say is not known.
func TestNullsByTheFooters(t *testing.T) {
	batch := matrixBatch(90, 20)
	data := writing{compress.Codecs.Snappy, parquet.DataPageV1, "dictionary", 40}.write(t, batch)
	file, err := openWith(data, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	files := &Files{files: []*File{file, file}}
	for i, field := range batch.Schema().Fields() {
		if _, readable := files.Type(field.Name); !readable {
			continue
		}
		want := int64(2 * batch.Column(i).NullN())
		if nulls, known := files.Nulls(field.Name); !known || nulls != want {
			t.Errorf("%s: %d nulls, known %v, want %d", field.Name, nulls, known, want)
		}
	}
	if _, known := files.Nulls("no such column"); known {
		t.Error("the nulls of a column that is not there are known")
	}
	for _, doubtful := range []int64{-1, 41} { // a row group has 40 rows
		file.groups[0].chunks[file.leaves["some int64"].chunk].nulls = doubtful
		if nulls, known := files.Nulls("some int64"); known {
			t.Errorf("a footer that says %d gives %d nulls, want none to be known", doubtful, nulls)
		}
	}
}
