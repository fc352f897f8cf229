package audience_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
)

// widest is a file, and how long the longest write to it was.
type widest struct {
	bytes.Buffer
	longest int
}

func (w *widest) Write(p []byte) (int, error) {
	w.longest = max(w.longest, len(p))
	return w.Buffer.Write(p)
}

// A column of one long word, in a dictionary that has few words or more than the batch
// has rows, takes no more memory than a few of its lines. The file is the one that the
// standard library writes.
func TestLongWordsTakeTheMemoryOfAFewLines(t *testing.T) {
	const rows, long = 700, 200 << 10
	for name, others := range map[string]int{"few words": 3, "more words than rows": 2 * rows} {
		t.Run(name, func(t *testing.T) {
			word := strings.Repeat(`long, "quoted" word `, long/20)
			words, codes := array.NewStringBuilder(memory.DefaultAllocator), array.NewInt32Builder(memory.DefaultAllocator)
			words.Append(word)
			for range others {
				words.Append("short")
			}
			var want bytes.Buffer
			expected := csv.NewWriter(&want)
			expected.UseCRLF = true
			err := expected.Write([]string{"word"})
			for row := range rows {
				code, text := 0, word
				if row%5 == 4 {
					code, text = 1, "short"
				}
				codes.Append(int32(code))
				err = errors.Join(err, expected.Write([]string{text}))
			}
			expected.Flush()
			kind := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
			schema := arrow.NewSchema([]arrow.Field{{Name: "word", Type: kind}}, nil)
			column := array.NewDictionaryArray(kind, codes.NewArray(), words.NewArray())
			var got widest
			l := audience.Layout{Columns: []audience.Column{{Name: "word", Source: audience.FromColumn, Column: "word"}}}
			e, newErr := audience.NewCSV(&got, l, schema, audience.CSVOptions{})
			if err = errors.Join(err, newErr); err != nil {
				t.Fatal(err)
			}
			block := &audience.Block{Batch: array.NewRecordBatch(schema, []arrow.Array{column}, rows)}
			if err := errors.Join(e.Write(block, ascending(rows)), e.Close()); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%d bytes are not the %d of encoding/csv", got.Len(), want.Len())
			}
			if got.longest > 4*long {
				t.Errorf("%d bytes were kept before they were handed on", got.longest)
			}
		})
	}
}
