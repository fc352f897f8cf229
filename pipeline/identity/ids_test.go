package identity

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// column builds an array of a type from JSON.
func column(t fataler, typ arrow.DataType, json string) arrow.Array {
	arr, _, err := array.FromJSON(memory.DefaultAllocator, typ, strings.NewReader(json))
	if err != nil {
		t.Fatal(typ, err)
	}
	return arr
}

type fataler interface{ Fatal(...any) }

// view gives what IDs shows: the text of good ids, the reason of others.
func view(t fataler, ids *IDs, arr arrow.Array) []string {
	if err := ids.Load(arr); err != nil {
		t.Fatal(err)
	}
	seen := []string{}
	for i := range ids.Len() {
		if r := ids.Reason(i); r != Good {
			seen = append(seen, r.String())
		} else {
			seen = append(seen, string(ids.At(i)))
		}
	}
	return seen
}

func dictionaryOf(index, value arrow.DataType) arrow.DataType {
	return &arrow.DictionaryType{IndexType: index, ValueType: value}
}

func textTypes() []arrow.DataType {
	text, large := arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString
	types := []arrow.DataType{text, large, dictionaryOf(arrow.PrimitiveTypes.Int32, text), dictionaryOf(arrow.PrimitiveTypes.Uint64, text)}
	for _, index := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int64} {
		types = append(types, dictionaryOf(index, text))
	}
	return types
}

func TestLoadText(t *testing.T) {
	var ids IDs // shared: buffers are reused
	for _, typ := range textTypes() {
		arr := column(t, typ, `["a", null, "", "b\nc", "Zoë", "a", "last"]`)
		want := []string{"a", "id_null", "id_empty", "id_control_char", "Zoë", "a", "last"}
		for from := range 8 {
			for to := from; to <= 7; to++ {
				if diff := cmp.Diff(want[from:to], view(t, &ids, array.NewSlice(arr, int64(from), int64(to)))); diff != "" {
					t.Fatalf("%s, rows %d to %d:\n%s", typ, from, to, diff)
				}
			}
		}
	}
}

func TestLoadOfAnArrayWithoutAnyBuffer(t *testing.T) {
	data := array.NewData(arrow.BinaryTypes.String, 0, []*memory.Buffer{nil, nil, nil}, nil, 0, 0)
	if got := view(t, new(IDs), array.NewStringData(data)); len(got) != 0 {
		t.Fatalf("got %q", got)
	}
	offsets := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes([]int32{0, 0}))
	data = array.NewData(arrow.BinaryTypes.String, 1, []*memory.Buffer{nil, offsets, nil}, nil, 0, 0)
	if diff := cmp.Diff([]string{"id_empty"}, view(t, new(IDs), array.NewStringData(data))); diff != "" {
		t.Fatal(diff)
	}
	allNull := column(t, arrow.BinaryTypes.String, `[null, null]`)
	if diff := cmp.Diff([]string{"id_null", "id_null"}, view(t, new(IDs), allNull)); diff != "" {
		t.Fatal(diff)
	}
}

func TestLoadIntegers(t *testing.T) {
	cases := map[arrow.DataType][2]string{
		arrow.PrimitiveTypes.Int8:   {"-128", "127"},
		arrow.PrimitiveTypes.Int16:  {"-32768", "32767"},
		arrow.PrimitiveTypes.Int32:  {"-2147483648", "2147483647"},
		arrow.PrimitiveTypes.Int64:  {fmt.Sprint(math.MinInt64), fmt.Sprint(math.MaxInt64)},
		arrow.PrimitiveTypes.Uint8:  {"0", "255"},
		arrow.PrimitiveTypes.Uint16: {"0", "65535"},
		arrow.PrimitiveTypes.Uint32: {"0", "4294967295"},
		arrow.PrimitiveTypes.Uint64: {"0", "18446744073709551615"},
	}
	var ids IDs
	for typ, ends := range cases {
		arr := column(t, typ, fmt.Sprintf("[7, %s, null, %s]", ends[0], ends[1]))
		if diff := cmp.Diff([]string{"7", ends[0], "id_null", ends[1]}, view(t, &ids, arr)); diff != "" {
			t.Errorf("%s:\n%s", typ, diff)
		}
		if diff := cmp.Diff([]string{"id_null", ends[1]}, view(t, &ids, array.NewSlice(arr, 2, 4))); diff != "" {
			t.Errorf("%s sliced:\n%s", typ, diff)
		}
	}
}

func TestLoadOfADictionaryWithNullsInside(t *testing.T) {
	values := column(t, arrow.BinaryTypes.LargeString, `["skipped", "x", null, "y"]`)
	index := column(t, arrow.PrimitiveTypes.Int32, `[1, 0, null, 2]`)
	typ := dictionaryOf(index.DataType(), values.DataType())
	arr := array.NewDictionaryArray(typ, index, array.NewSlice(values, 1, 4))
	if diff := cmp.Diff([]string{"id_null", "x", "id_null", "y"}, view(t, new(IDs), arr)); diff != "" {
		t.Fatal(diff)
	}
}

func TestOtherTypesAreNoIDs(t *testing.T) {
	others := []arrow.DataType{
		arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Boolean, arrow.FixedWidthTypes.Date32, arrow.BinaryTypes.Binary,
		dictionaryOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64),
	}
	for _, typ := range others {
		if err := CheckType(typ); !errors.Is(err, ErrType) || !strings.Contains(err.Error(), typ.String()) {
			t.Errorf("%s: got %v", typ, err)
		}
	}
	if err := new(IDs).Load(column(t, arrow.PrimitiveTypes.Float64, `[1]`)); !errors.Is(err, ErrType) {
		t.Errorf("Load: got %v", err)
	}
}

func TestDamagedColumnsAreNoPanic(t *testing.T) {
	offsets := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes([]int32{0, 9, 2, 3}))
	data := array.NewData(arrow.BinaryTypes.String, 3, []*memory.Buffer{nil, offsets, memory.NewBufferBytes([]byte("abc"))}, nil, 0, 0)
	backwards := array.NewStringData(data)
	values := column(t, arrow.BinaryTypes.String, `["a", "b"]`)
	index := func(json string) arrow.Array { return column(t, arrow.PrimitiveTypes.Int32, json) }
	typ := dictionaryOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String)
	offsets = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes([]int32{-2, 1}))
	data = array.NewData(arrow.BinaryTypes.String, 1, []*memory.Buffer{nil, offsets, memory.NewBufferBytes([]byte("abc"))}, nil, 0, 0)
	cases := map[string]arrow.Array{
		"offsets run backwards":        backwards,
		"offset below zero":            array.NewStringData(data),
		"index beyond the dictionary":  array.NewDictionaryArray(typ, index(`[0, 2]`), values),
		"dictionary's offsets damaged": array.NewDictionaryArray(typ, index(`[0]`), backwards),
	}
	for name, arr := range cases {
		if err := new(IDs).Load(arr); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestLoadAgreesWithEachValue(t *testing.T) {
	texts := rapid.SliceOf(rapid.OneOf(rapid.StringN(0, 4, 12), rapid.SampledFrom([]string{"a", "\t", "12345678", "\xff", ""})))
	rapid.Check(t, func(t *rapid.T) {
		builder := array.NewStringBuilder(memory.DefaultAllocator)
		var want []string
		for _, text := range texts.Draw(t, "ids") {
			builder.Append(text)
			if r := reasonByRunes(text); r != Good {
				text = r.String()
			}
			want = append(want, text)
		}
		arr := builder.NewStringArray()
		from := rapid.IntRange(0, arr.Len()).Draw(t, "from")
		got := view(t, new(IDs), array.NewSlice(arr, int64(from), int64(arr.Len())))
		if diff := cmp.Diff(append([]string{}, want[from:]...), got); diff != "" {
			t.Fatal(diff)
		}
	})
}
