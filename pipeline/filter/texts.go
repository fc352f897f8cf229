package filter

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// texts gives views of the values of a text array.
func texts(b *batch, a arrow.Array) vector[string] {
	out := take[string](b, a.Len())
	out.unknown = b.nulls(a)
	if a.Len() == 0 {
		return out
	}
	switch a := a.(type) {
	case *array.String:
		viewTexts(out.values, a.ValueOffsets(), a.ValueBytes())
	case *array.LargeString:
		viewTexts(out.values, a.ValueOffsets(), a.ValueBytes())
	default:
		b.fail(mistyped(a, String))
	}
	return out
}

// viewTexts points dst at the texts between consecutive offsets; letters begins
// with the first.
func viewTexts[T int32 | int64](dst []string, offsets []T, letters []byte) {
	base, all := offsets[0], unsafe.String(unsafe.SliceData(letters), len(letters))
	offsets = offsets[:len(dst)+1]
	for i := range dst {
		dst[i] = all[offsets[i]-base : offsets[i+1]-base]
	}
}

// vocabulary is a column of few texts: a row is an index into them.
type vocabulary struct {
	values  vector[string]
	indices []int32
}

// textSource gives a column as a vocabulary, when it is one and no longer than the
// batch, or else as the texts of its rows.
type textSource func(b *batch) (words vocabulary, rows vector[string])

func textColumn(number int) textSource {
	return func(b *batch) (vocabulary, vector[string]) {
		dict, ok := b.columns[number].(*array.Dictionary)
		if !ok {
			return vocabulary{}, texts(b, b.columns[number])
		}
		indices, words := b.indicesOf(dict), dict.Dictionary()
		if words.Len() <= b.rows {
			return vocabulary{texts(b, words), indices}, vector[string]{}
		}
		defer b.indices.give(indices)
		return vocabulary{}, someTexts(b, words, indices)
	}
}

// someTexts gives views of the texts at the indices, none for noIndex.
func someTexts(b *batch, a arrow.Array, indices []int32) vector[string] {
	out := take[string](b, len(indices))
	out.unknown = b.noneUnknown(len(indices))
	switch a := a.(type) {
	case *array.String:
		viewSome(out, indices, a.ValueOffsets(), a.ValueBytes(), a)
	case *array.LargeString:
		viewSome(out, indices, a.ValueOffsets(), a.ValueBytes(), a)
	default:
		b.fail(mistyped(a, String))
	}
	return out
}

func viewSome[T int32 | int64](out vector[string], indices []int32, offsets []T, letters []byte, a arrow.Array) {
	base, all, nulls := offsets[0], unsafe.String(unsafe.SliceData(letters), len(letters)), a.NullN() > 0
	for i, index := range indices {
		if index == noIndex || nulls && a.IsNull(int(index)) {
			out.values[i], out.unknown[i] = "", Unknown
			continue
		}
		out.values[i] = all[offsets[index]-base : offsets[index+1]-base]
	}
}

// categories gives the category of every row by its name.
func categories(names []string) textSource {
	return func(b *batch) (vocabulary, vector[string]) {
		indices := b.indices.take(b.rows)
		for i, code := range b.category {
			indices[i] = int32(code)
			switch {
			case code == noCategory:
				indices[i] = noIndex
			case int(code) >= len(names):
				indices[i] = noIndex
				b.fail(fmt.Errorf("row %d of the batch: category %d, but there are %d", i, code, len(names)))
			}
		}
		return vocabulary{vector[string]{values: names}, indices}, vector[string]{}
	}
}

const noCategory = 0xFF

// rows gives the texts of every row.
func (source textSource) rows(b *batch) vector[string] {
	words, rows := source(b)
	if words.indices == nil {
		return rows
	}
	defer b.indices.give(words.indices)
	return lookUp(b, words.values, words.indices)
}

// textTest writes what it finds of each text; it never is Unknown.
type textTest func(dst []Truth, values []string)

// ask applies the test to every text of a vocabulary once, or to every row.
func (source textSource) ask(test textTest) conditions {
	return func(b *batch, dst []Truth) {
		words, rows := source(b)
		if words.indices == nil {
			test(dst, rows.values)
			mask(dst, rows.unknown)
			give(b, rows)
			return
		}
		found := b.truths.take(1 + len(words.values.values))
		found[0] = Unknown // of noIndex
		test(found[1:], words.values.values)
		mask(found[1:], words.values.unknown)
		for i, index := range words.indices {
			dst[i] = found[1+index]
		}
		b.truths.give(found)
		b.indices.give(words.indices)
		give(b, words.values)
	}
}
