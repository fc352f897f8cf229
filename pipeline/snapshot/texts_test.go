package snapshot

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

var indexed = writing{compress.Codecs.Snappy, parquet.DataPageV2, "dictionary", 50_000}

func repeated(n, distinct int) []string {
	values := make([]string, n)
	for i := range values {
		if i%7 != 3 {
			values[i] = fmt.Sprintf("text %d", i*i%distinct)
		}
	}
	return values
}

func TestDictionaries(t *testing.T) {
	f := openBytes(t, words(t, repeated(120_000, 5), indexed))
	var seen []arrow.ArrayData
	var kept []arrow.Array
	err := eachBatch(f, []string{"w"}, func(b arrow.RecordBatch) {
		d, ok := b.Column(0).(*array.Dictionary)
		if !ok || !arrow.TypeEqual(b.Schema().Field(0).Type, d.DataType()) {
			t.Fatalf("a batch of few texts is %s, want a dictionary", b.Column(0).DataType())
		}
		if got := d.Dictionary().String(); got != `["text 0" "text 1" "text 4"]` {
			t.Errorf("dictionary %s, want the texts in order of first appearance", got)
		}
		if data := d.Data().(*array.Data).Dictionary(); len(seen) == 0 || seen[len(seen)-1] != data {
			seen = append(seen, data)
			kept = append(kept, d.Dictionary())
			kept[len(kept)-1].Retain()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 {
		t.Errorf("%d dictionaries in 3 row groups", len(seen))
	}
	for i, d := range kept {
		if d.String() != `["text 0" "text 1" "text 4"]` {
			t.Errorf("the dictionary of row group %d became %s after the reader went on", i, d)
		}
	}
}

// What Schema says of a text column holds for its values, whatever a batch is.
func TestTextsOfManyKinds(t *testing.T) {
	mixed := append(repeated(30_000, 4), repeated(60_000, 50_000)...)
	for name, c := range map[string]struct {
		values []string
		want   map[string]bool // kinds of batches
	}{
		"few distinct":  {repeated(40_000, 9), map[string]bool{"dictionary": true}},
		"many distinct": {repeated(40_000, 39_999), map[string]bool{"utf8": true}},
		"nulls alone":   {make([]string, 20_000), map[string]bool{"utf8": true}},
		"few, then too many for the dictionary page": {mixed, map[string]bool{"dictionary": true, "utf8": true}},
	} {
		t.Run(name, func(t *testing.T) {
			data := withSmallDictionary(t, c.values)
			checkLikePeer(t, data, len(c.values))
			got := map[string]bool{}
			err := eachBatch(openBytes(t, data), []string{"w"}, func(b arrow.RecordBatch) { got[b.Column(0).DataType().Name()] = true })
			if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("batches are %v (%v), want %v", got, err, c.want)
			}
		})
	}
}

// A dictionary larger than a batch is given out as plain text.
func TestLargeDictionary(t *testing.T) {
	data := words(t, repeated(60_000, 59_999), indexed)
	checkLikePeer(t, data, 60_000)
	f := openBytes(t, data)
	var first, last arrow.DataType
	err := eachBatch(f, []string{"w"}, func(b arrow.RecordBatch) {
		if last = b.Column(0).DataType(); first == nil {
			first = last
		}
	})
	// The second row group has 10,000 rows and fewer texts.
	if err != nil || first.ID() != arrow.STRING || last.ID() != arrow.DICTIONARY {
		t.Errorf("batches from %v to %v (%v), want text and then a dictionary", first, last, err)
	}
}

// withSmallDictionary writes a chunk whose pages turn plain when its dictionary
// reaches 20,000 bytes.
func withSmallDictionary(t *testing.T, values []string) []byte {
	t.Helper()
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for _, v := range values {
		if v == "" {
			b.AppendNull()
		} else {
			b.Append(v)
		}
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "w", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	properties := parquet.NewWriterProperties(parquet.WithDictionaryPageSizeLimit(20_000), parquet.WithDataPageSize(5_000), parquet.WithBatchSize(500))
	var out bytes.Buffer
	f, err := pqarrow.NewFileWriter(schema, &out, properties, pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write(array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, int64(len(values)))); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A chunk that turns plain and then back to its dictionary is odd, and legal.
func TestDictionaryAfterPlain(t *testing.T) {
	colours := strings.Fields(strings.Repeat("red green red ", 10))
	few := words(t, colours, writing{encoding: "dictionary", groupRows: 100})
	var plain rawPage
	withPages(t, words(t, []string{"blue", "", "red"}, uncompressed), func(p []rawPage) []rawPage { plain = p[0]; return p })
	data := withPages(t, few, func(p []rawPage) []rawPage { return []rawPage{p[0], p[1], plain, p[1]} })
	data = withRows(t, data, 63)
	f := openBytes(t, data)
	err := eachBatch(f, []string{"w"}, func(b arrow.RecordBatch) {
		got := array.NewSlice(b.Column(0), 28, 36).String()
		if got != `["green" "red" "blue" (null) "red" "red" "green" "red"]` {
			t.Errorf("rows from 28 are %s", got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A dictionary must not turn a small page into more text than a batch may hold.
func TestTextBomb(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	few := words(t, []string{long, long, long, long}, writing{encoding: "dictionary", groupRows: 1000})
	var plain rawPage
	withPages(t, words(t, []string{"a"}, uncompressed), func(p []rawPage) []rawPage { plain = p[0]; return p })
	many := func(p []rawPage) []rawPage { return append(p[:1], slices.Repeat(p[1:2], 75)...) }
	if rows, err := readWhole(withRows(t, withPages(t, few, many), 300), DefaultLimits()); rows != 300 || err != nil {
		t.Errorf("as a dictionary: %d rows, %v; want 300", rows, err)
	}
	data := withPages(t, few, func(p []rawPage) []rawPage { return append(many(p), plain) })
	_, err := readWhole(withRows(t, data, 301), DefaultLimits())
	mustFail(t, err, ErrDamaged, "more than 268435456 bytes of text")
}

// Nor must values that repeat each other.
func TestDeltaBomb(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	few := words(t, slices.Repeat([]string{long}, 50), writing{codec: compress.Codecs.Zstd, encoding: "special", groupRows: 1000})
	grown := func(n int) []byte {
		data := withPages(t, few, func(p []rawPage) []rawPage { return slices.Repeat(p[:1], n) })
		return withRows(t, data, int64(50*n))
	}
	if rows, err := readWhole(grown(2), DefaultLimits()); rows != 100 || err != nil {
		t.Errorf("%d rows, %v; want 100", rows, err)
	}
	_, err := readWhole(grown(6), DefaultLimits())
	mustFail(t, err, ErrDamaged, "more than 268435456 bytes of text")
}

// withRows makes a footer of one row group and column tell of n rows.
func withRows(t *testing.T, data []byte, n int64) []byte {
	return withFooter(t, data, func(m *metadata.FileMetaData) {
		m.NumRows, m.RowGroups[0].NumRows, m.RowGroups[0].Columns[0].MetaData.NumValues = n, n, n
	})
}
