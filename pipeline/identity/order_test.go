package identity

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"
)

func key(t fataler, arr arrow.Array, i int) []byte {
	k, err := AppendOrderKey(nil, arr, i)
	if err != nil {
		t.Fatal(arr.DataType(), i, err)
	}
	return k
}

// TestOrderKeys has the values of each column in ascending order.
func TestOrderKeys(t *testing.T) {
	integers := `[null, -5, -1, 0, 1, 100]`
	counts := `[null, 0, 1, 127, 128, 255]`
	cases := []struct {
		typ    arrow.DataType
		values string
	}{
		{arrow.PrimitiveTypes.Int8, integers}, {arrow.PrimitiveTypes.Int16, integers}, {arrow.PrimitiveTypes.Int32, integers},
		{arrow.PrimitiveTypes.Int64, `[null, -9223372036854775808, -256, -1, 0, 255, 9223372036854775807]`},
		{arrow.PrimitiveTypes.Uint8, counts}, {arrow.PrimitiveTypes.Uint16, counts}, {arrow.PrimitiveTypes.Uint32, counts},
		{arrow.PrimitiveTypes.Uint64, `[null, 0, 255, 256, 9223372036854775808, 18446744073709551615]`},
		{arrow.PrimitiveTypes.Float32, `[null, -1e30, -1.5, -1e-40, 0, 1e-40, 2, 1e30]`},
		{arrow.PrimitiveTypes.Float64, `[null, "-Inf", -1e300, -2, -5e-324, 0, 5e-324, 1, 1e300, "+Inf"]`},
		{arrow.FixedWidthTypes.Boolean, `[null, false, true]`},
		{arrow.FixedWidthTypes.Date32, `[null, "1969-12-31", "1970-01-01", "2026-11-22"]`},
		{arrow.FixedWidthTypes.Date64, `[null, "1969-12-31", "1970-01-01", "2026-11-22"]`},
		{arrow.FixedWidthTypes.Timestamp_s, `[null, "1900-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-11-22T00:00:00Z"]`},
		{arrow.FixedWidthTypes.Timestamp_ns, `[null, "1969-12-31T23:59:58.999999999Z", "1969-12-31T23:59:59.1Z", "1969-12-31T23:59:59.2Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000001Z"]`},
		{&arrow.Decimal128Type{Precision: 38, Scale: 2}, `[null, "-99999999999999999999.99", "-1.00", "-0.01", "0.00", "0.01", "99999999999999999999.99"]`},
		{&arrow.Decimal256Type{Precision: 70, Scale: 2}, `[null, "-9999999999999999999999999999999999999999999.99", "-0.01", "0.00", "0.01", "9999999999999999999999999999999999999999999.99"]`},
		{arrow.BinaryTypes.String, `[null, "", "\u0000", "A", "AA", "B", "a", "é"]`},
		{arrow.BinaryTypes.LargeString, `[null, "", "A", "AA", "B"]`},
		{dictionaryOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String), `[null, "", "A", "AA", "B"]`},
	}
	for _, c := range cases {
		arr := column(t, c.typ, c.values)
		if err := CheckOrderType(c.typ); err != nil {
			t.Errorf("%s: %v", c.typ, err)
		}
		for i := 1; i < arr.Len(); i++ {
			if bytes.Compare(key(t, arr, i-1), key(t, arr, i)) >= 0 {
				t.Errorf("%s: the key of %s is not below that of %s", c.typ, arr.ValueStr(i-1), arr.ValueStr(i))
			}
		}
		sliced := array.NewSlice(arr, 1, int64(arr.Len()))
		if !bytes.Equal(key(t, sliced, 0), key(t, arr, 1)) {
			t.Errorf("%s: the key depends on the slice", c.typ)
		}
	}
}

func TestOrderKeysOfFloatsAndIntegersAgreeWithGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floats := array.NewFloat64Builder(memory.DefaultAllocator)
		numbers := array.NewInt64Builder(memory.DefaultAllocator)
		f := rapid.SliceOfN(rapid.Float64(), 2, 2).Draw(t, "floats")
		n := rapid.SliceOfN(rapid.Int64(), 2, 2).Draw(t, "numbers")
		floats.AppendValues(f, nil)
		numbers.AppendValues(n, nil)
		fa, na := floats.NewArray(), numbers.NewArray()
		wantF, wantN := big.NewFloat(f[0]).Cmp(big.NewFloat(f[1])), big.NewInt(n[0]).Cmp(big.NewInt(n[1]))
		if got := bytes.Compare(key(t, fa, 0), key(t, fa, 1)); got != wantF {
			t.Fatalf("%v: got %d, want %d", f, got, wantF)
		}
		if got := bytes.Compare(key(t, na, 0), key(t, na, 1)); got != wantN {
			t.Fatalf("%v: got %d, want %d", n, got, wantN)
		}
	})
}

func TestTimesOfAllUnitsCompare(t *testing.T) {
	times := `["1969-12-31T23:59:57Z", null, "2026-11-22T01:02:03Z"]`
	first := column(t, arrow.FixedWidthTypes.Timestamp_s, times)
	for _, typ := range []arrow.DataType{arrow.FixedWidthTypes.Timestamp_ms, arrow.FixedWidthTypes.Timestamp_us, arrow.FixedWidthTypes.Timestamp_ns} {
		other := column(t, typ, times)
		for i := range 3 {
			if !bytes.Equal(key(t, first, i), key(t, other, i)) {
				t.Errorf("%s: %s has another key than in seconds", typ, other.ValueStr(i))
			}
		}
	}
}

func TestAKeyIsAppended(t *testing.T) {
	arr := column(t, arrow.BinaryTypes.String, `["x"]`)
	got, err := AppendOrderKey([]byte("before"), arr, 0)
	if err != nil || !bytes.HasPrefix(got, []byte("before")) || len(got) == len("before") {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestWhatCannotBeOrdered(t *testing.T) {
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64} {
		if _, err := AppendOrderKey(nil, column(t, typ, `["NaN"]`), 0); !errors.Is(err, ErrNaN) {
			t.Errorf("%s: got %v, want ErrNaN", typ, err)
		}
	}
	binary := column(t, arrow.BinaryTypes.Binary, `["AAAA"]`)
	if _, err := AppendOrderKey(nil, binary, 0); !errors.Is(err, ErrType) {
		t.Errorf("binary: got %v, want ErrType", err)
	}
	if err := CheckOrderType(binary.DataType()); !errors.Is(err, ErrType) || !strings.Contains(err.Error(), "binary") {
		t.Errorf("binary: got %v, want ErrType", err)
	}
}

// batchOf makes a batch of columns with two rows.
func batchOf(columns ...arrow.Array) arrow.RecordBatch {
	var fields []arrow.Field
	for i, c := range columns {
		fields = append(fields, arrow.Field{Name: fmt.Sprint("c", i), Type: c.DataType(), Nullable: true})
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(columns[0].Len()))
}

func TestContentHashTellsRowsApart(t *testing.T) {
	text := func(json string) arrow.Array { return column(t, arrow.BinaryTypes.String, json) }
	number := func(json string) arrow.Array { return column(t, arrow.PrimitiveTypes.Int64, json) }
	list := func(json string) arrow.Array { return column(t, arrow.ListOf(arrow.PrimitiveTypes.Int64), json) }
	batches := []arrow.RecordBatch{
		batchOf(text(`["a"]`), text(`["bc"]`)),
		batchOf(text(`["ab"]`), text(`["c"]`)),
		batchOf(text(`["abc"]`), text(`[""]`)),
		batchOf(text(`["abc"]`), text(`[null]`)),
		batchOf(text(`[null]`), text(`["abc"]`)),
		batchOf(text(`[""]`), text(`[""]`)),
		batchOf(number(`[1]`), text(`[""]`)),
		batchOf(column(t, arrow.PrimitiveTypes.Uint64, `[1]`), text(`[""]`)),
		batchOf(column(t, arrow.PrimitiveTypes.Float64, `[1]`), text(`[""]`)),
		batchOf(column(t, arrow.PrimitiveTypes.Float64, `["NaN"]`), text(`[""]`)),
		batchOf(column(t, arrow.FixedWidthTypes.Boolean, `[true]`), text(`[""]`)),
		batchOf(list(`[[1, 2]]`), text(`[""]`)),
		batchOf(list(`[[1, 3]]`), text(`[""]`)),
	}
	var h Hasher
	var seen [][16]byte
	for i, b := range batches {
		hash := h.ContentHash(b, 0)
		if k := slices.Index(seen, hash); k >= 0 {
			t.Errorf("batches %d and %d have one hash", k, i)
		}
		seen = append(seen, hash)
	}
}

func TestContentHashOfEqualRows(t *testing.T) {
	values := `["x", null, "yy", "x"]`
	plain := batchOf(column(t, arrow.BinaryTypes.String, values), column(t, arrow.PrimitiveTypes.Float64, `["NaN", 1, 2, "NaN"]`))
	var h Hasher
	for _, typ := range textTypes() {
		other := batchOf(column(t, typ, values), column(t, arrow.PrimitiveTypes.Float64, `["NaN", 1, 2, "NaN"]`))
		sliced := other.NewSlice(1, 4)
		for i := range 4 {
			want := h.ContentHash(plain, i)
			if h.ContentHash(other, i) != want || i > 0 && h.ContentHash(sliced, i-1) != want {
				t.Errorf("%s: row %d has another hash than as a string", typ, i)
			}
		}
	}
	if h.ContentHash(plain, 0) != h.ContentHash(plain, 3) || h.ContentHash(plain, 0) == h.ContentHash(plain, 2) {
		t.Error("equal rows differ, or different ones do not")
	}
}
