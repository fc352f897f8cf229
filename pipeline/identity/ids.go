package identity

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// IDs is the text view of the ids or contacts of one batch. Its buffers are reused
// by the next load; the zero value is ready. For text columns it points into the
// array's memory, so it is valid no longer than the array.
type IDs struct {
	text    []byte // what the spans point into
	spans   []span
	reasons []Reason
	own     []byte // text that is not the array's: of integers and contacts
	users   []int  // see normaliseEntries
}

// span is where an id lies in the text.
type span struct{ start, end int64 }

// Len gives the number of rows.
func (v *IDs) Len() int { return len(v.spans) }

// At gives the bytes of row i's id; none where it is null. They belong to v.
func (v *IDs) At(i int) []byte {
	s := v.spans[i]
	return v.text[s.start:s.end:s.end]
}

// Reason says why row i's id is not valid, or Good.
func (v *IDs) Reason(i int) Reason { return v.reasons[i] }

// CheckType says with ErrType that a column of type t cannot hold ids: strings,
// also as dictionaries, and integers can.
func CheckType(t arrow.DataType) error {
	if isText(t) || arrow.IsInteger(t.ID()) {
		return nil
	}
	return fmt.Errorf("%w: an id is text or an integer, found %s", ErrType, t)
}

// isText says whether t is text, of whatever form.
func isText(t arrow.DataType) bool {
	if d, ok := t.(*arrow.DictionaryType); ok {
		t = d.ValueType
	}
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING
}

// Load takes a column's rows; sliced arrays are honoured. Integers become
// decimal text. Other types are ErrType.
func (v *IDs) Load(arr arrow.Array) error {
	if err := CheckType(arr.DataType()); err != nil {
		return err
	}
	v.spans = slices.Grow(v.spans[:0], arr.Len())[:arr.Len()]
	v.reasons = slices.Grow(v.reasons[:0], arr.Len())[:arr.Len()]
	if arr.Len() == 0 {
		return nil // an empty array may lack even its first offset
	}
	switch a := arr.(type) {
	case *array.String:
		return loadText(v, a, a.ValueOffsets())
	case *array.LargeString:
		return loadText(v, a, a.ValueOffsets())
	case *array.Dictionary:
		return v.loadDictionary(a)
	}
	v.loadIntegers(arr)
	return nil
}

// loadText takes the strings between len(rows)+1 offsets. Where all their bytes
// turn out printable in one go, only the lengths are left to judge.
func loadText[O int32 | int64](v *IDs, arr arrow.Array, offsets []O) error {
	v.text = textOf(arr)
	first, last := int64(offsets[0]), int64(offsets[arr.Len()])
	if err := v.check(span{first, last}); err != nil {
		return err
	}
	clean := printable(v.text[first:last])
	start := first
	for i := range v.spans {
		s := span{start, int64(offsets[i+1])}
		if err := v.check(s); err != nil {
			return err
		}
		v.set(i, s, clean)
		start = s.end
	}
	v.markNulls(arr)
	return nil
}

// set makes a span of the text the id of row i.
func (v *IDs) set(i int, s span, clean bool) {
	v.spans[i] = s
	if n := s.end - s.start; clean && n > 0 && n <= MaxID {
		v.reasons[i] = Good
	} else {
		v.reasons[i] = reasonOf(v.At(i))
	}
}

// textOf gives the bytes that the offsets of a text array count from.
func textOf(arr arrow.Array) []byte {
	if b := arr.Data().Buffers()[2]; b != nil {
		return b.Bytes()
	}
	return nil
}

func (v *IDs) check(s span) error {
	if s.start < 0 || s.start > s.end || s.end > int64(len(v.text)) {
		return fmt.Errorf("ids: bytes %d to %d of %d: damaged column", s.start, s.end, len(v.text))
	}
	return nil
}

func (v *IDs) markNulls(arr arrow.Array) {
	if arr.NullN() == 0 {
		return
	}
	for i := range v.spans {
		if arr.IsNull(i) {
			v.setNull(i)
		}
	}
}

func (v *IDs) setNull(i int) { v.spans[i], v.reasons[i] = span{}, Null }

// loadDictionary looks only at the entries that rows refer to: a dictionary may
// be far larger than a batch.
func (v *IDs) loadDictionary(arr *array.Dictionary) error {
	values := arr.Dictionary()
	v.text = textOf(values)
	for i := range v.spans {
		if arr.IsNull(i) {
			v.setNull(i)
			continue
		}
		if err := v.loadEntry(i, values, arr.GetValueIndex(i)); err != nil {
			return err
		}
	}
	return nil
}

// loadEntry takes entry k of a dictionary as the id of row i.
func (v *IDs) loadEntry(i int, values arrow.Array, k int) error {
	if k < 0 || k >= values.Len() {
		return fmt.Errorf("ids: entry %d of a dictionary of %d: damaged column", k, values.Len())
	}
	if values.IsNull(k) {
		v.setNull(i)
		return nil
	}
	s := entry(values, k)
	if err := v.check(s); err != nil {
		return err
	}
	v.set(i, s, false)
	return nil
}

// entry gives where value k of a text array lies in its bytes.
func entry(values arrow.Array, k int) span {
	text := values.(interface {
		ValueOffset64(i int) int64
		ValueLen(i int) int
	})
	start := text.ValueOffset64(k)
	return span{start, start + int64(text.ValueLen(k))}
}

func (v *IDs) loadIntegers(arr arrow.Array) {
	number := integers(arr)
	v.own = v.own[:0]
	for i := range v.spans {
		start := int64(len(v.own))
		v.own = number(v.own, i)
		v.spans[i] = span{start, int64(len(v.own))}
		v.reasons[i] = Good
	}
	v.text = v.own
	v.markNulls(arr)
}

// integers gives the function that appends the decimal text of a row.
func integers(arr arrow.Array) func(dst []byte, i int) []byte {
	switch a := arr.(type) {
	case *array.Int8:
		return signed(a.Values())
	case *array.Int16:
		return signed(a.Values())
	case *array.Int32:
		return signed(a.Values())
	case *array.Int64:
		return signed(a.Values())
	case *array.Uint8:
		return unsigned(a.Values())
	case *array.Uint16:
		return unsigned(a.Values())
	case *array.Uint32:
		return unsigned(a.Values())
	}
	return unsigned(arr.(*array.Uint64).Values())
}

func signed[T int8 | int16 | int32 | int64](values []T) func([]byte, int) []byte {
	return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, int64(values[i]), 10) }
}

func unsigned[T uint8 | uint16 | uint32 | uint64](values []T) func([]byte, int) []byte {
	return func(dst []byte, i int) []byte { return strconv.AppendUint(dst, uint64(values[i]), 10) }
}
