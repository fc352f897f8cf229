package audience_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/zeebo/xxh3"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/audience"
)

// recombine gives rows of the values that u has, each column by itself, so that rows are
// often the same, or the same but for one column.
func (u users) recombine(t *rapid.T, n int) users {
	values, block := u.values, u.block
	u.values, u.block = nil, audience.Block{}
	pick := func() int { return rapid.IntRange(0, min(len(values), 3)-1).Draw(t, "row") }
	for range n {
		row := make([]value, len(values[0]))
		base := pick()
		for i := range row {
			if rapid.IntRange(0, 5).Draw(t, "other") == 0 {
				base = pick()
			}
			row[i] = values[base][i]
		}
		u.values = append(u.values, row)
		s := pick()
		u.block.Hundredths = append(u.block.Hundredths, block.Hundredths[s])
		u.block.Probability = append(u.block.Probability, block.Probability[base])
		u.block.Category = append(u.block.Category, block.Category[s])
	}
	return u
}

// hashed writes all columns, texts also as their hashes, but not the id.
func (u users) hashed() audience.Layout {
	l := u.layout()
	for _, f := range u.schema.Fields()[1:] {
		if f.Type.ID() == arrow.STRING {
			l.Columns = append(l.Columns, audience.Column{Name: f.Name + " hashed", Column: f.Name, Hash: audience.SHA256LowerTrim})
		}
	}
	l.Columns = slices.DeleteFunc(l.Columns, func(c audience.Column) bool { return c.Column == "c0" })
	return l
}

// Lines are the reference: rows have the same hash where their lines are the same, the
// id left out, and nowhere else, whatever blocks they are in.
func TestRowsHaveOneHashWhereTheyHaveOneLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		u := drawUsers(t, 3)
		if len(u.values) == 0 {
			return
		}
		u = u.recombine(t, rapid.IntRange(1, 40).Draw(t, "rows"))
		l := u.hashed()
		lines, err := audience.NewJSONLines(l, u.schema)
		if err != nil {
			t.Fatal(err)
		}
		withID := l
		withID.Columns = slices.Insert(slices.Clone(l.Columns), rapid.IntRange(0, len(l.Columns)).Draw(t, "id"), audience.Column{Name: "id", Column: "c0"})
		hasher, err := audience.NewRowHasher(withID, u.schema)
		if err != nil {
			t.Fatal(err)
		}
		hashes, seen := map[string]uint64{}, map[uint64]string{}
		for from := 0; from < len(u.values); {
			to := min(len(u.values), from+rapid.IntRange(1, 20).Draw(t, "block"))
			b := audience.Block{
				Batch:       u.batch(mem, from, to, rapid.Bool().Draw(t, "coded")),
				Hundredths:  u.block.Hundredths[from:to],
				Probability: u.block.Probability[from:to],
				Category:    u.block.Category[from:to],
			}
			rows, err := hasher.Of(&b)
			if err != nil {
				t.Fatal(err)
			}
			longest := hasher.Longest()
			err = lines.Each(&b, allRows(to-from), func(i int, line []byte) error {
				if hash, known := hashes[string(line)]; known && hash != rows[i] {
					t.Fatalf("%s has hashes %x and %x", line, hash, rows[i])
				}
				if other, known := seen[rows[i]]; known && other != string(line) {
					t.Fatalf("%s and %s have hash %x", other, line, rows[i])
				}
				if len(line)-1 > longest {
					t.Fatalf("the longest has at most %d bytes, and there is %s", longest, line)
				}
				hashes[string(line)], seen[rows[i]] = rows[i], string(line)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			b.Batch.Release()
			from = to
		}
	})
}

func allRows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// hashOf gives the hash of each row of one column.
func hashOf(t *testing.T, arr arrow.Array) []uint64 {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arr.DataType(), Nullable: true}}, nil)
	h, err := audience.NewRowHasher(audience.Layout{Columns: []audience.Column{{Name: "x", Column: "x"}}}, s)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := h.Of(&audience.Block{Batch: array.NewRecordBatch(s, []arrow.Array{arr}, int64(arr.Len()))})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(rows)
}

// lineOf gives the text of each row of one column.
func lineOf(t *testing.T, arr arrow.Array) (all []string) {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arr.DataType(), Nullable: true}}, nil)
	var out bytes.Buffer
	e, err := audience.NewJSONL(&out, audience.Layout{Columns: []audience.Column{{Name: "x", Column: "x"}}}, s)
	if err == nil {
		err = e.Write(&audience.Block{Batch: array.NewRecordBatch(s, []arrow.Array{arr}, int64(arr.Len()))}, allRows(arr.Len()))
	}
	if err == nil {
		err = e.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func arrayOf[T any](typ arrow.DataType, values ...T) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, typ)
	defer b.Release()
	b.AppendNull()
	for _, v := range values {
		b.(interface{ Append(T) }).Append(v)
	}
	return b.NewArray()
}

// A column that becomes wider, or gets a fraction somewhere, says the same of the others.
func TestNumbersHaveOneHashInEveryType(t *testing.T) {
	p := arrow.PrimitiveTypes
	negative := math.Copysign(0, -1)
	all := []arrow.Array{
		arrayOf[int8](p.Int8, 0, 1, -1, 127), arrayOf[int16](p.Int16, 1, 1000), arrayOf[int32](p.Int32, -1, 1<<24-1, math.MaxInt32),
		arrayOf[int64](p.Int64, 0, 1, -1, 1<<53-1, 1<<53, 1<<53+1, -1<<53, math.MaxInt64, math.MinInt64),
		arrayOf[uint8](p.Uint8, 1, 255), arrayOf[uint16](p.Uint16, 255, math.MaxUint16), arrayOf[uint32](p.Uint32, 1, math.MaxUint32),
		arrayOf[uint64](p.Uint64, 1, 1<<53+1, math.MaxInt64, 1<<63, math.MaxUint64),
		arrayOf(p.Float64, negative, 0, 1, -1, 1000, 1<<53-1, math.NaN(), math.Float64frombits(math.Float64bits(math.NaN())^1<<63|1)),
		arrayOf(p.Float32, float32(negative), 0, 1, -1, 1000, 1<<24-1, float32(math.NaN())),
		arrayOf(arrow.FixedWidthTypes.Float16, float16.New(0), float16.New(1), float16.New(1000)),
		arrayOf[decimal128.Num](&arrow.Decimal128Type{Precision: 38}, decimal128.FromI64(-1), decimal128.FromU64(math.MaxUint64), decimal128.FromI64(1<<53+1)),
		arrayOf[decimal256.Num](&arrow.Decimal256Type{Precision: 38}, decimal256.FromI64(-1), decimal256.FromI64(math.MaxInt64)),
		arrayOf[decimal128.Num](&arrow.Decimal128Type{Precision: 3, Scale: 1}, decimal128.FromI64(0), decimal128.FromI64(10), decimal128.FromI64(105)),
		arrayOf[decimal256.Num](&arrow.Decimal256Type{Precision: 30, Scale: 1}, decimal256.FromI64(10), decimal256.FromI64(105)),
		arrayOf[decimal128.Num](&arrow.Decimal128Type{Precision: 5, Scale: 2}, decimal128.FromI64(0), decimal128.FromI64(100), decimal128.FromI64(1050)),
	}
	hashes, seen := map[string]uint64{}, map[uint64]string{}
	for _, a := range all {
		hash := hashOf(t, a)
		for i, line := range lineOf(t, a) {
			if h, known := hashes[line]; known && h != hash[i] {
				t.Errorf("%s of %s has another hash than before", line, a.DataType())
			}
			if other, known := seen[hash[i]]; known && other != line {
				t.Errorf("%s of %s has the hash of %s", line, a.DataType(), other)
			}
			hashes[line], seen[hash[i]] = hash[i], line
		}
	}
}

// Texts count as what is written of them: a dictionary may hold one twice, and some that
// no row has.
func TestTextsHaveOneHashInEveryForm(t *testing.T) {
	coded := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	words := arrayOf(arrow.BinaryTypes.String, "unused", "b", "a", "b", "")
	words = array.NewSlice(words, 1, int64(words.Len())) // without the null
	codes := array.NewSlice(arrayOf[int32](arrow.PrimitiveTypes.Int32, 9, 1, 2, 3, 4), 1, 6)
	codes = array.NewSlice(codes, 1, 5)
	got := hashOf(t, array.NewDictionaryArray(coded, codes, words))
	plain := hashOf(t, arrayOf(arrow.BinaryTypes.String, "b", "a", "b", "", "\x00null"))
	large := hashOf(t, arrayOf(arrow.BinaryTypes.LargeString, "b", "a", "b", ""))
	if !slices.Equal(got, plain[1:5]) || !slices.Equal(large, plain[:5]) {
		t.Errorf("coded %x, plain %x, large %x", got, plain, large)
	}
	if plain[0] == plain[4] || plain[0] == plain[5] || plain[1] != plain[3] {
		t.Errorf("null, b, a, b, nothing and a text of a null have %x", plain)
	}
}

// The dictionary of a column chunk may be that of the one before, or another one.
func TestDictionariesAreHashedAsTheyChange(t *testing.T) {
	coded := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: coded, Nullable: true}}, nil)
	h, err := audience.NewRowHasher(audience.Layout{Columns: []audience.Column{{Name: "x", Column: "x"}}}, s)
	if err != nil {
		t.Fatal(err)
	}
	var got []uint64
	ab, ba := arrayOf(arrow.BinaryTypes.String, "a", "b"), arrayOf(arrow.BinaryTypes.String, "b", "a")
	for _, words := range []arrow.Array{ab, ab, ba, ab} {
		words := array.NewSlice(words, 1, 3)
		batch := array.NewRecordBatch(s, []arrow.Array{array.NewDictionaryArray(coded, arrayOf[int32](arrow.PrimitiveTypes.Int32, 0, 1), words)}, 3)
		rows, err := h.Of(&audience.Block{Batch: batch})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rows...)
	}
	null, a, b := got[0], got[1], got[2]
	if want := []uint64{null, a, b, null, a, b, null, b, a, null, a, b}; !slices.Equal(got, want) {
		t.Errorf("hashes %x, want %x", got, want)
	}
}

// A tool is told of a column that is renamed, moved or new, also one of the id.
func TestNamesOfColumnsAreHashed(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "x", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	batch := array.NewRecordBatch(s, []arrow.Array{arrayOf(arrow.BinaryTypes.String, "u1", "u2"), arrayOf(arrow.BinaryTypes.String, "v", "v")}, 3)
	id, x := func(name string) audience.Column { return audience.Column{Name: name, Column: "id"} }, func(name string) audience.Column { return audience.Column{Name: name, Column: "x"} }
	seen := map[uint64]string{}
	for _, columns := range [][]audience.Column{
		{x("x")}, {x("y")}, {id("id")}, {id("x")}, {id("id"), x("x")}, {x("x"), id("id")}, {x("x"), x("y")}, {x("y"), x("x")}, {x("x"), x("y"), id("id")},
	} {
		h, err := audience.NewRowHasher(audience.Layout{ID: "id", Columns: columns}, s)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := h.Of(&audience.Block{Batch: batch})
		if err != nil {
			t.Fatal(err)
		}
		if rows[1] != rows[2] {
			t.Errorf("%v: the id is hashed", columns)
		}
		if other := seen[rows[1]]; other != "" {
			t.Errorf("%v have the hash of %s", columns, other)
		}
		seen[rows[1]] = fmt.Sprint(columns)
	}
}

// BenchmarkRowHasher hashes what a tool is sent of a user; bytes are those of the lines.
func BenchmarkRowHasher(b *testing.B) {
	block, layout := benchBlock()
	lines, err := audience.NewJSONLines(layout, block.Batch.Schema())
	if err != nil {
		b.Fatal(err)
	}
	size := 0
	if err := lines.Each(block, allRows(benchRows), func(_ int, line []byte) error { size += len(line); return nil }); err != nil {
		b.Fatal(err)
	}
	b.Run("columns", func(b *testing.B) {
		h, err := audience.NewRowHasher(layout, block.Batch.Schema())
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(size))
		for b.Loop() {
			if _, err := h.Of(block); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("lines", func(b *testing.B) {
		b.SetBytes(int64(size))
		for b.Loop() {
			err := lines.Each(block, allRows(benchRows), func(_ int, line []byte) error { xxh3.Hash(line); return nil })
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
