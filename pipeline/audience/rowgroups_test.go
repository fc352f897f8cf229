package audience_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/audience"
)

func groupRows(r *file.Reader) []int64 {
	var rows []int64
	for g := range r.NumRowGroups() {
		rows = append(rows, r.MetaData().RowGroup(g).NumRows())
	}
	return rows
}

// groupsOf cuts rows where a row group of plain texts, with ids of eight bytes, has 32 MiB
// at a multiple of 128 rows. Texts are plain from the first on that is longer than 1 KiB,
// with those before in the same row group; until then they are codes of two bytes.
func groupsOf(rows int, texts func(row int) (string, bool)) (groups []int64) {
	plain, size, asPlain, from := false, 0, 0, 0
	for i := range rows {
		s, _ := texts(i)
		plain = plain || len(s) > 1024
		size, asPlain = size+8+4+2+2, asPlain+8+4+4+2+len(s)
		full := size
		if plain {
			full = asPlain
		}
		if n := i + 1 - from; n%128 == 0 && full >= 32<<20 || n == 122_880 || i == rows-1 {
			groups, from, size, asPlain = append(groups, int64(n)), i+1, 0, 0
		}
	}
	return groups
}

func TestRowGroups(t *testing.T) {
	long := strings.Repeat("x", 2200)
	textsUntil := func(change int) func(int) (string, bool) {
		return func(i int) (string, bool) {
			if i == change {
				return long, true
			}
			return []string{"a", long[:1000]}[i%2], true
		}
	}
	lengths := func(i int) (string, bool) { return long[:i%2200], true }
	for _, test := range []struct {
		name  string
		rows  int
		texts func(int) (string, bool)
		want  []int64
	}{
		{"none of no rows", 0, nil, nil},
		{"one, full", 122_880, func(i int) (string, bool) { return []string{"FR", "DE"}[i%2], true }, []int64{122_880}},
		{"one more row", 122_881, func(i int) (string, bool) { return []string{"FR", "DE"}[i%2], true }, []int64{122_880, 1}},
		{"cut where texts are long", 16_000, func(i int) (string, bool) { return fmt.Sprint(i, long), true }, []int64{15_232, 768}},
		{"cut where texts add up", 60_000, lengths, groupsOf(60_000, lengths)},
		{"few texts", 122_881, textsUntil(-1), []int64{122_880, 1}},
		{"made plain at the end", 70_000, textsUntil(69_000), groupsOf(70_000, textsUntil(69_000))},
		{"made plain when it is full", 100_000, textsUntil(80_000), []int64{80_000 + 128 - 80_000%128, 100_000 - (80_000 + 128)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := writeTexts(t, test.rows, 16_384, test.texts)
			if diff := cmp.Diff(test.want, groupRows(openParquet(t, data))); diff != "" {
				t.Errorf("rows of the row groups (-want +got):\n%s", diff)
			}
			for _, block := range []int{10_007, 333} {
				if !bytes.Equal(data, writeTexts(t, test.rows, block, test.texts)) {
					t.Errorf("blocks of %d rows gave other bytes than blocks of 16,384", block)
				}
			}
		})
	}
}

func TestRowGroupsOfNumbers(t *testing.T) {
	const rows = 130_000
	s := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "n", Type: arrow.PrimitiveTypes.Int16, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for i := range rows {
		b.Field(0).(*array.Uint64Builder).Append(math.MaxUint64 - uint64(i))
		if i%2 == 0 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.Int16Builder).Append(int16(i))
		}
	}
	var out bytes.Buffer
	e, err := audience.NewParquet(&out, audience.Layout{ID: "id", Columns: []audience.Column{{Name: "id", Column: "id"}, {Name: "n", Column: "n"}}}, s, audience.ParquetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Write(&audience.Block{Batch: b.NewRecordBatch()}, ascending(rows)), e.Close()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{122_880, 7_120}, groupRows(openParquet(t, out.Bytes()))); diff != "" {
		t.Errorf("rows of the row groups (-want +got):\n%s", diff)
	}
	_, got := readBack(t, out.Bytes())
	for i, row := range got {
		want := []any{strconv.FormatUint(math.MaxUint64-uint64(i), 10), any(nil)}
		if i%2 == 1 {
			want[1] = int32(int16(i))
		}
		if !slices.Equal(row, want) {
			t.Fatalf("row %d is %v, want %v", i, row, want)
		}
	}
}
