package audience_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
)

// opener starts an encoder of a format.
type opener func(io.Writer, audience.Layout, *arrow.Schema) (audience.Encoder, error)

var formats = map[string]opener{
	"parquet": func(w io.Writer, l audience.Layout, s *arrow.Schema) (audience.Encoder, error) {
		return audience.NewParquet(w, l, s, audience.ParquetOptions{})
	},
	"csv": func(w io.Writer, l audience.Layout, s *arrow.Schema) (audience.Encoder, error) {
		return audience.NewCSV(w, l, s, audience.CSVOptions{})
	},
	"jsonl":    audience.NewJSONL,
	"jsonl.gz": gzipped(audience.NewJSONL),
}

func quoting(w io.Writer, l audience.Layout, s *arrow.Schema) (audience.Encoder, error) {
	return audience.NewCSV(w, l, s, audience.CSVOptions{Formula: "quote"})
}

func gzipped(open opener) opener {
	return func(w io.Writer, l audience.Layout, s *arrow.Schema) (audience.Encoder, error) {
		return audience.NewGzip(w, func(w io.Writer) (audience.Encoder, error) { return open(w, l, s) })
	}
}

func eachFormat(t *testing.T, f func(t *testing.T, open opener)) {
	for name, open := range formats {
		t.Run(name, func(t *testing.T) { f(t, open) })
	}
}

// failAt takes so many bytes and then fails for ever.
type failAt int

var errFull = errors.New("no space left")

func (f *failAt) Write(p []byte) (int, error) {
	n := min(len(p), int(*f))
	*f -= failAt(n)
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestAFailingSinkIsNeverMissed(t *testing.T) {
	texts := func(i int) (string, bool) { return strings.Repeat("t", i%7), i%3 > 0 }
	batch := textBatch(texts, 0, 60)
	eachFormat(t, func(t *testing.T, open opener) {
		write := func(w io.Writer) error {
			e, err := open(w, textLayout, textSchema)
			if err != nil {
				return err
			}
			first := e.Write(&audience.Block{Batch: batch}, ascending(60))
			if err := e.Close(); err != nil {
				return err
			}
			return first
		}
		var whole bytes.Buffer
		if err := write(&whole); err != nil {
			t.Fatal(err)
		}
		for at := range whole.Len() {
			w := failAt(at)
			if err := write(&w); !errors.Is(err, errFull) {
				t.Fatalf("a sink that fails at byte %d of %d gave error %v", at, whole.Len(), err)
			}
		}
	})
}

// TestAFailingSinkFailsEarly fills the sink while rows are still being written.
func TestAFailingSinkFailsEarly(t *testing.T) {
	texts := func(i int) (string, bool) {
		return fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)})), true
	}
	batch := textBatch(texts, 0, 16_384)
	eachFormat(t, func(t *testing.T, open opener) {
		w := failAt(1000)
		e, err := open(&w, textLayout, textSchema)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if err = e.Write(&audience.Block{Batch: batch}, ascending(16_384)); err != nil {
				break
			}
		}
		if !errors.Is(err, errFull) {
			t.Errorf("20 blocks into a full sink: error %v", err)
		}
		if err := e.Close(); !errors.Is(err, errFull) {
			t.Errorf("Close after a failed Write: error %v, want the first one again", err)
		}
		w = failAt(1000)
		if e, err = open(&w, textLayout, textSchema); err != nil {
			t.Fatal(err)
		}
		err = errors.Join(e.Write(&audience.Block{Batch: batch}, ascending(16_384)), e.Close())
		if !errors.Is(err, errFull) {
			t.Errorf("one block into a full sink: error %v", err)
		}
	})
}

func TestWriteAfterClose(t *testing.T) {
	eachFormat(t, func(t *testing.T, open opener) {
		var out bytes.Buffer
		e, err := open(&out, textLayout, textSchema)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(e.Close(), e.Close()); err != nil {
			t.Errorf("closed twice: %v", err)
		}
		size := out.Len()
		batch := textBatch(func(int) (string, bool) { return "x", true }, 0, 1)
		if err := e.Write(&audience.Block{Batch: batch}, []int32{0}); err == nil {
			t.Error("Write after Close succeeded")
		}
		if out.Len() != size {
			t.Error("Write after Close wrote")
		}
	})
}

func fromJSON(t *testing.T, typ arrow.DataType, values string) arrow.Array {
	t.Helper()
	arr, _, err := array.FromJSON(memory.DefaultAllocator, typ, strings.NewReader(values))
	if err != nil {
		t.Fatal(err)
	}
	return arr
}

func overflowing(t *testing.T, typ arrow.DataType, values ...int64) arrow.Array {
	t.Helper()
	data := array.NewData(typ, len(values), []*memory.Buffer{nil, memory.NewBufferBytes(arrow.GetBytes(values))}, nil, 0, 0)
	return array.MakeFromData(data)
}

// TestValuesThatCannotBeWritten has a good value in row 0 and a bad one in row 1.
func TestValuesThatCannotBeWritten(t *testing.T) {
	coded := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	text := func(s ...string) arrow.Array {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.AppendValues(s, nil)
		return b.NewArray()
	}
	codes := fromJSON(t, arrow.PrimitiveTypes.Int32, `[0, 1]`)
	small := &arrow.Decimal128Type{Precision: 3, Scale: 1}
	wide := &arrow.Decimal128Type{Precision: 20, Scale: 1}
	for name, test := range map[string]struct {
		x    arrow.Array
		kind error
		only string // "text": formats of text alone refuse it
	}{
		"text not UTF-8":              {text("fine", "bad\xff"), audience.ErrText, ""},
		"coded text not UTF-8":        {array.NewDictionaryArray(coded, codes, text("fine", "bad\xff")), audience.ErrText, ""},
		"null id":                     {fromJSON(t, arrow.BinaryTypes.String, `["a", null]`), audience.ErrValue, ""},
		"seconds beyond 64 bits":      {overflowing(t, &arrow.TimestampType{Unit: arrow.Second}, 0, math.MaxInt64/1_000_000+1), audience.ErrValue, ""},
		"milliseconds beyond":         {overflowing(t, &arrow.TimestampType{Unit: arrow.Millisecond}, 0, math.MinInt64), audience.ErrValue, ""},
		"days beyond 32 bits":         {overflowing(t, arrow.FixedWidthTypes.Date64, 0, math.MaxInt64), audience.ErrValue, ""},
		"a year of five digits":       {overflowing(t, arrow.FixedWidthTypes.Timestamp_us, 0, 1e18), audience.ErrValue, "text"},
		"more digits than declared":   {array.MakeFromData(array.NewData(small, 2, fromJSON(t, wide, `["1", "123.4"]`).Data().Buffers(), nil, 0, 0)), audience.ErrValue, ""},
		"many more than declared":     {array.MakeFromData(array.NewData(wide, 2, overflowing(t, arrow.PrimitiveTypes.Int64, 1, 0, 0, 1<<60).Data().Buffers(), nil, 0, 0)), audience.ErrValue, ""},
		"256 bits of a decimal":       {array.MakeFromData(array.NewData(&arrow.Decimal256Type{Precision: 30}, 2, overflowing(t, arrow.PrimitiveTypes.Int64, 1, 0, 0, 0, 0, 0, 1, 0).Data().Buffers(), nil, 0, 0)), audience.ErrValue, ""},
		"256 bits of a small decimal": {array.MakeFromData(array.NewData(&arrow.Decimal256Type{Precision: 9}, 2, overflowing(t, arrow.PrimitiveTypes.Int64, 1, 0, 0, 0, 0, 0, 1, 0).Data().Buffers(), nil, 0, 0)), audience.ErrValue, ""},
	} {
		t.Run(name, func(t *testing.T) {
			eachFormat(t, func(t *testing.T, open opener) {
				s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: test.x.DataType()}}, nil)
				b := &audience.Block{Batch: array.NewRecordBatch(s, []arrow.Array{test.x}, 2)}
				e, err := open(io.Discard, audience.Layout{ID: "x", Columns: []audience.Column{{Name: "out", Column: "x"}}}, s)
				if err != nil {
					t.Fatal(err)
				}
				if err := e.Write(b, []int32{0}); err != nil {
					t.Fatalf("row 0: %v", err)
				}
				err = e.Write(b, []int32{0, 1})
				if test.only == "text" && strings.HasSuffix(t.Name(), "/parquet") {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				var row *audience.RowError
				if !errors.Is(err, test.kind) || !errors.As(err, &row) || row.Row != 1 || row.Column != "out" {
					t.Fatalf("error %v, want %v at row 1 of column out", err, test.kind)
				}
				if again := e.Write(b, []int32{0}); !errors.Is(again, test.kind) {
					t.Errorf("Write after a failure: %v, want the failure again", again)
				}
			})
		})
	}
}

// TestRowsWithoutWhatIsWritten has computed values for row 0 alone.
func TestRowsWithoutWhatIsWritten(t *testing.T) {
	b, s := one(t, arrow.BinaryTypes.String, `["a", "b"]`)
	b.Hundredths = []uint16{10_000, 0xFFFF}
	b.Category = []uint8{2, 3}
	b.Probability = []float64{1, math.NaN()}
	for _, source := range []audience.Source{audience.FromScore, audience.FromCategory, audience.FromProbability} {
		l := audience.Layout{ID: "x", Categories: categories, Columns: []audience.Column{{Name: "out", Source: source}}}
		eachFormat(t, func(t *testing.T, open opener) {
			e, err := open(io.Discard, l, s)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Write(b, []int32{0}); err != nil {
				t.Errorf("source %d, row 0: %v", source, err)
			}
			var row *audience.RowError
			if err := e.Write(b, []int32{0, 1}); !errors.Is(err, audience.ErrValue) || !errors.As(err, &row) || row.Row != 1 || row.Column != "out" {
				t.Errorf("source %d: error %v, want ErrValue at row 1 of column out", source, err)
			}
			e, _ = open(io.Discard, l, s)
			if err := e.Write(&audience.Block{Batch: b.Batch}, []int32{0}); err == nil || !strings.Contains(err.Error(), "0 ") {
				t.Errorf("source %d: a block without values gave error %v", source, err)
			}
		})
	}
}

// TestBlocksThatDoNotFit are mistakes of the caller: they end the shard with an
// error, not the process.
func TestBlocksThatDoNotFit(t *testing.T) {
	good, s := one(t, arrow.PrimitiveTypes.Int32, `[1, 2]`)
	other, _ := one(t, arrow.PrimitiveTypes.Int64, `[1, 2]`)
	coded := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	nullWord := array.NewDictionaryArray(coded, fromJSON(t, arrow.PrimitiveTypes.Int32, `[0, 1]`), fromJSON(t, arrow.BinaryTypes.String, `["a", null]`))
	lyingCode := array.NewDictionaryArray(coded, fromJSON(t, arrow.PrimitiveTypes.Int32, `[0, 7]`), fromJSON(t, arrow.BinaryTypes.String, `["a"]`))
	texts := arrow.NewSchema([]arrow.Field{{Name: "x", Type: coded}}, nil)
	none := array.NewRecordBatch(arrow.NewSchema(nil, nil), nil, 2)
	for name, test := range map[string]struct {
		schema *arrow.Schema
		batch  arrow.RecordBatch
		rows   []int32
	}{
		"a row beyond the end":    {s, good.Batch, []int32{2}},
		"a negative row":          {s, good.Batch, []int32{-1}},
		"a column is missing":     {s, none, []int32{0}},
		"a column of other type":  {s, other.Batch, []int32{0}},
		"a null in a dictionary":  {texts, array.NewRecordBatch(texts, []arrow.Array{nullWord}, 2), []int32{0}},
		"a code beyond its words": {texts, array.NewRecordBatch(texts, []arrow.Array{lyingCode}, 2), []int32{1}},
	} {
		t.Run(name, func(t *testing.T) {
			eachFormat(t, func(t *testing.T, open opener) {
				e, err := open(io.Discard, audience.Layout{ID: "x", Columns: []audience.Column{{Name: "out", Column: "x"}}}, test.schema)
				if err != nil {
					t.Fatal(err)
				}
				err = e.Write(&audience.Block{Batch: test.batch}, test.rows)
				if err == nil || e.Close() == nil {
					t.Errorf("Write gave %v, and Close did not fail after it", err)
				}
			})
		})
	}
}

func TestAnEncoderThatCannotStart(t *testing.T) {
	eachFormat(t, func(t *testing.T, open opener) {
		if _, err := open(io.Discard, audience.Layout{Columns: []audience.Column{{Name: "y", Column: "y"}}}, textSchema); !errors.Is(err, audience.ErrColumn) {
			t.Errorf("error %v, want ErrColumn", err)
		}
	})
}
