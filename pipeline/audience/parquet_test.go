package audience_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/audience"
)

type failer interface {
	Helper()
	Fatal(args ...any)
}

// readBack gives the rows of a Parquet file as arrow-go's other reader sees them.
func readBack(t failer, data []byte) (*arrow.Schema, [][]any) {
	t.Helper()
	table, err := pqarrow.ReadTable(context.Background(), bytes.NewReader(data), nil, pqarrow.ArrowReadProperties{}, memory.NewGoAllocator())
	if err != nil {
		t.Fatal(err)
	}
	rows := make([][]any, table.NumRows())
	for c := range int(table.NumCols()) {
		at := 0
		for _, chunk := range table.Column(c).Data().Chunks() {
			for i := range chunk.Len() {
				rows[at] = append(rows[at], plain(chunk, i))
				at++
			}
		}
	}
	return table.Schema(), rows
}

func plain(arr arrow.Array, i int) any {
	if arr.IsNull(i) {
		return nil
	}
	switch a := arr.(type) {
	case *array.Int32:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Float32:
		return a.Value(i)
	case *array.Float64:
		return a.Value(i)
	case *array.Boolean:
		return a.Value(i)
	case *array.String:
		return a.Value(i)
	case *array.Date32:
		return int32(a.Value(i))
	case *array.Timestamp:
		return int64(a.Value(i))
	case *array.Decimal128:
		return a.Value(i).BigInt().String()
	}
	return fmt.Sprintf("an unexpected %s", arr.DataType())
}

// wantRows is what the table of scores should hold for the chosen users.
func (u users) wantRows(chosen []int32) [][]any {
	rows := [][]any{}
	for _, r := range chosen {
		h := u.block.Hundredths[r]
		row := []any{u.values[r][0].parquet, float64(h) / 10_000, fmt.Sprint(h), categories[h%3], night.Days()}
		for _, v := range u.values[r][1:] {
			row = append(row, v.parquet)
		}
		rows = append(rows, row)
	}
	return rows
}

func writeParquet(t *rapid.T, u users, chosen []int32, compression string) []byte {
	var out bytes.Buffer
	e, err := audience.NewParquet(&out, u.layout(), u.schema, audience.ParquetOptions{Compression: compression})
	if err != nil {
		t.Fatal(err)
	}
	u.write(t, e, chosen)
	return out.Bytes()
}

func TestParquetHoldsTheChosenRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUsers(t, 60)
		chosen := u.drawRows(t)
		data := writeParquet(t, u, chosen, rapid.SampledFrom([]string{"", "zstd", "snappy"}).Draw(t, "compression"))
		schema, rows := readBack(t, data)
		if diff := cmp.Diff(u.wantRows(chosen), rows, cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("rows differ (-want +got):\n%s", diff)
		}
		want, err := u.layout().Schema(u.schema)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range want.Fields() {
			if got := schema.Field(i); got.Name != f.Name || got.Nullable != f.Nullable || !arrow.TypeEqual(got.Type, f.Type) {
				t.Fatalf("column %d reads as %s, the layout's schema says %s", i, got, f)
			}
		}
		if n, err := audience.CountParquet(bytes.NewReader(data), int64(len(data))); err != nil || n != int64(len(chosen)) {
			t.Fatalf("CountParquet = %d, %v for %d rows", n, err, len(chosen))
		}
	})
}

func TestParquetBytesDependOnTheRowsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUsers(t, 40)
		chosen := u.drawRows(t)
		if !bytes.Equal(writeParquet(t, u, chosen, "zstd"), writeParquet(t, u, chosen, "zstd")) {
			t.Fatal("other blocks or dictionaries gave other bytes")
		}
	})
}

// textBatch holds one text column beside the id.
func textBatch(texts func(row int) (string, bool), from, to int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, textSchema)
	for i := from; i < to; i++ {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("u%07d", i))
		if s, ok := texts(i); ok {
			b.Field(1).(*array.StringBuilder).Append(s)
		} else {
			b.Field(1).AppendNull()
		}
	}
	return b.NewRecordBatch()
}

var (
	textSchema = arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String},
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	textLayout = audience.Layout{ID: "id", Columns: []audience.Column{{Name: "id", Column: "id"}, {Name: "text", Column: "text"}}}
)

func ascending(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

func writeTexts(t *testing.T, n, block int, texts func(row int) (string, bool)) []byte {
	t.Helper()
	var out bytes.Buffer
	e, err := audience.NewParquet(&out, textLayout, textSchema, audience.ParquetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < n; from += block {
		to := min(n, from+block)
		if err := e.Write(&audience.Block{Batch: textBatch(texts, from, to)}, ascending(to-from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openParquet(t *testing.T, data []byte) *file.Reader {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTextsOfManyKinds writes columns that begin with few different texts and
// go on with many, or hold none at all.
func TestTextsOfManyKinds(t *testing.T) {
	for _, test := range []struct {
		name  string
		rows  int
		texts func(int) (string, bool)
	}{
		{"all different", 130_000, func(i int) (string, bool) { return fmt.Sprint("t", i), true }},
		{"few, then many", 40_000, func(i int) (string, bool) { return fmt.Sprint("t", max(0, i-20_000)), i%3 > 0 }},
		{"long, then null", 5_000, func(i int) (string, bool) { return strings.Repeat("y", i%3000), i < 4000 }},
		{"null for a group", 130_000, func(i int) (string, bool) { return "late", i >= 122_880 }},
		{"always null", 100, func(int) (string, bool) { return "", false }},
		{"empty first", 1000, func(i int) (string, bool) { return []string{"", "z"}[i%2], i > 0 }},
		{"empty on the first pages", 60_000, func(i int) (string, bool) {
			if i < 20_000 {
				return []string{"", "zz"}[i%2], true
			}
			return fmt.Sprint("m", i), true
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := writeTexts(t, test.rows, 16_384, test.texts)
			_, got := readBack(t, data)
			for i, row := range got {
				var want any
				if s, ok := test.texts(i); ok {
					want = s
				}
				if row[0] != fmt.Sprintf("u%07d", i) || row[1] != want {
					t.Fatalf("row %d is %v, want text %v", i, row, want)
				}
			}
			checkTextStatistics(t, openParquet(t, data), test.texts)
		})
	}
}

// checkTextStatistics compares the statistics of the text column with the texts.
func checkTextStatistics(t *testing.T, r *file.Reader, texts func(int) (string, bool)) {
	t.Helper()
	row := 0
	for g := range r.NumRowGroups() {
		group := r.MetaData().RowGroup(g)
		var present []string
		nulls := int64(0)
		for range group.NumRows() {
			if s, ok := texts(row); ok {
				present = append(present, s)
			} else {
				nulls++
			}
			row++
		}
		chunk, err := group.ColumnChunk(1)
		if err != nil {
			t.Fatal(err)
		}
		s, err := chunk.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		if s.NullCount() != nulls || s.HasMinMax() != (len(present) > 0) {
			t.Errorf("group %d: %d nulls, has least and greatest: %t; want %d, %t", g, s.NullCount(), s.HasMinMax(), nulls, len(present) > 0)
		}
		if len(present) == 0 {
			continue
		}
		got := [2]string{string(s.(*metadata.ByteArrayStatistics).Min()), string(s.(*metadata.ByteArrayStatistics).Max())}
		if want := [2]string{slices.Min(present), slices.Max(present)}; got != want {
			t.Errorf("group %d: least and greatest %q, want %q", g, got, want)
		}
	}
}

func TestParquetFooter(t *testing.T) {
	data := writeTexts(t, 10, 10, func(int) (string, bool) { return "x", true })
	meta := openParquet(t, data).MetaData()
	if got := meta.FileMetaData.GetCreatedBy(); got != "churntier" {
		t.Errorf("created by %q", got)
	}
	if got := meta.KeyValueMetadata(); got.Len() != 0 {
		t.Errorf("metadata %v, want none", got)
	}
	if got := meta.FileMetaData.Schema[0]; got.RepetitionType != nil && got.GetRepetitionType().String() != "REQUIRED" {
		t.Errorf("the root of the schema is %s, want REQUIRED", got.GetRepetitionType())
	}
}

// TestZstdFramesCarryAChecksum looks at the header of every frame in a file.
func TestZstdFramesCarryAChecksum(t *testing.T) {
	data := writeTexts(t, 30_000, 10_000, func(i int) (string, bool) { return fmt.Sprint(i), i%5 > 0 })
	frames := framesIn(data)
	for _, at := range frames {
		if descriptor := data[at+4]; descriptor&0b100 == 0 {
			t.Errorf("the frame at byte %d has no checksum", at)
		}
	}
	if len(frames) < 8 {
		t.Errorf("%d frames in 30,000 rows of two columns", len(frames))
	}
}

func TestParquetOptions(t *testing.T) {
	_, err := audience.NewParquet(&bytes.Buffer{}, textLayout, textSchema, audience.ParquetOptions{Compression: "lzo"})
	if !errors.Is(err, audience.ErrOption) || !strings.Contains(err.Error(), "lzo") {
		t.Errorf("error %v, want ErrOption with the name", err)
	}
}
