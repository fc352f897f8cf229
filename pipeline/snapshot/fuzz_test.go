package snapshot

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
)

// FuzzReader changes small files: whatever comes, reading ends with the rows that
// the footer tells of or with an error of a kind.
func FuzzReader(f *testing.F) {
	for _, codec := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Zstd} {
		for version, encoding := range []string{"plain", "dictionary", "special"} {
			w := writing{codec, parquet.DataPageVersion(version % 2), encoding, 20}
			f.Add(words(f, strings.Fields(strings.Repeat("a b c a b ", 6)), w))
			f.Add(numbers(f, 30, w))
		}
	}
	f.Add(uncompressed.write(f, matrixBatch(3, 2)))
	lim := DefaultLimits()
	lim.Page, lim.Rows = 1<<20, 1<<20
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := readWhole(data, lim)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrSchema) {
				t.Fatalf("error without a kind: %v", err)
			}
			return
		}
		file, err := openWith(data, lim)
		if err != nil {
			t.Fatal(err)
		}
		if len(columnNames(file)) > 0 && rows != file.Rows() {
			t.Fatalf("read %d rows as success, the footer says %d", rows, file.Rows())
		}
	})
}
