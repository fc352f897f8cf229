package score

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// vocabulary numbers the categories that a feature knows: 0 to n-1 for those of
// the model, n for any other text, n+1 for a missing value.
type vocabulary struct {
	codes  map[string]int32
	n      int32
	blanks bool // texts have underscores where values may have blanks
}

// add gives a text a code, unless it has one.
func (v *vocabulary) add(text string, code int32) {
	if v.codes == nil {
		v.codes = map[string]int32{}
	}
	if _, known := v.codes[text]; !known {
		v.codes[text] = code
	}
	v.n = max(v.n, code+1)
}

func (v vocabulary) unseen() int32  { return v.n }
func (v vocabulary) missing() int32 { return v.n + 1 }

func (v vocabulary) code(text []byte) int32 {
	if v.blanks && bytes.IndexByte(text, ' ') >= 0 {
		text = bytes.ReplaceAll(text, []byte(" "), []byte("_"))
	}
	if code, ok := v.codes[string(text)]; ok {
		return code
	}
	return v.unseen()
}

// categories gives the code of input i in every row. The slice is valid until
// the next call. A whole number is its decimal text, a bool "true" or "false".
func (in *inputs) categories(i int, v vocabulary) ([]int32, error) {
	a := in.arrays[i]
	var err error
	switch a := a.(type) {
	case *array.Dictionary:
		err = in.dictionaryCodes(a, v)
	case *array.String:
		textCodes(in.codes, a.ValueOffsets(), a.ValueBytes(), v)
	case *array.LargeString:
		textCodes(in.codes, a.ValueOffsets(), a.ValueBytes(), v)
	case *array.Boolean:
		boolCodes(in.codes, a, v)
	default:
		err = in.wholeNumberCodes(a, v)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.names[i].place(), err)
	}
	overwriteNulls(in.codes, a, v.missing())
	return in.codes, nil
}

// textCodes looks up the texts that lie between consecutive offsets; text begins
// with the first.
func textCodes[T int32 | int64](dst []int32, offsets []T, text []byte, v vocabulary) {
	base := offsets[0]
	for row := range dst {
		dst[row] = v.code(text[offsets[row]-base : offsets[row+1]-base])
	}
}

func boolCodes(dst []int32, a *array.Boolean, v vocabulary) {
	yes, no := v.code([]byte("true")), v.code([]byte("false"))
	for row := range dst {
		dst[row] = no
		if a.Value(row) {
			dst[row] = yes
		}
	}
}

const notLookedUp = -1

// dictionaryCodes looks each text of the dictionary up once, when a row first
// needs it: a dictionary may be far longer than the batch.
func (in *inputs) dictionaryCodes(a *array.Dictionary, v vocabulary) error {
	texts, ok := a.Dictionary().(array.StringLike)
	if !ok {
		return fmt.Errorf("found %s, want %s", a.DataType(), textTypes.words)
	}
	indices, err := in.indicesOf(a)
	if err != nil {
		return err
	}
	in.known = grow(in.known, texts.Len())
	for i := range in.known {
		in.known[i] = notLookedUp
	}
	for row, index := range indices {
		if index == nullIndex {
			continue
		}
		if in.known[index] == notLookedUp {
			in.known[index] = v.codeAt(texts, int(index))
		}
		in.codes[row] = in.known[index]
	}
	return nil
}

func (v vocabulary) codeAt(texts array.StringLike, i int) int32 {
	if texts.IsNull(i) {
		return v.missing()
	}
	return v.code([]byte(texts.Value(i)))
}

func (in *inputs) wholeNumberCodes(a arrow.Array, v vocabulary) error {
	switch a := a.(type) {
	case *array.Int8:
		in.digits = signedCodes(in.codes, a.Int8Values(), v, in.digits)
	case *array.Int16:
		in.digits = signedCodes(in.codes, a.Int16Values(), v, in.digits)
	case *array.Int32:
		in.digits = signedCodes(in.codes, a.Int32Values(), v, in.digits)
	case *array.Int64:
		in.digits = signedCodes(in.codes, a.Int64Values(), v, in.digits)
	case *array.Uint8:
		in.digits = unsignedCodes(in.codes, a.Uint8Values(), v, in.digits)
	case *array.Uint16:
		in.digits = unsignedCodes(in.codes, a.Uint16Values(), v, in.digits)
	case *array.Uint32:
		in.digits = unsignedCodes(in.codes, a.Uint32Values(), v, in.digits)
	case *array.Uint64:
		in.digits = unsignedCodes(in.codes, a.Uint64Values(), v, in.digits)
	default:
		return fmt.Errorf("found %s, want %s", a.DataType(), textTypes.words)
	}
	return nil
}

func signedCodes[T arrow.IntType](dst []int32, src []T, v vocabulary, digits []byte) []byte {
	for row, n := range src {
		digits = strconv.AppendInt(digits[:0], int64(n), 10)
		dst[row] = v.code(digits)
	}
	return digits
}

func unsignedCodes[T arrow.UintType](dst []int32, src []T, v vocabulary, digits []byte) []byte {
	for row, n := range src {
		digits = strconv.AppendUint(digits[:0], uint64(n), 10)
		dst[row] = v.code(digits)
	}
	return digits
}
