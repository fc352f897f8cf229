package audience

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// checkRewrite says what stands against writing other texts in place of those of
// a column of type t.
func (c Column) checkRewrite(t arrow.DataType) error {
	switch {
	case c.Hash != "" && c.Hash != SHA256LowerTrim && c.Hash != SHA256Once:
		return fmt.Errorf("%w: hash %q: want %s", ErrOption, c.Hash, SHA256LowerTrim)
	case c.Normalise != "" && forms[c.Normalise] == nil:
		return fmt.Errorf("%w: normalise %q: want %s", ErrOption, c.Normalise, E164)
	case t.ID() == arrow.STRING:
		return nil
	case c.Normalise != "":
		return errors.New("only text can be normalised: a number does not say whether it has a country code")
	}
	return errors.New("only text can be hashed: a number has no one form that a tool would hash too")
}

func (c Column) isRewritten() bool { return c.Hash != "" || c.Normalise != "" }

// rewriter writes other texts in place of those of a column: each normalised, if
// asked, and then hashed, if asked. Texts of a dictionary are rewritten once each.
type rewriter struct {
	prepare prepare
	hash    Hash

	text  []byte // reused, as all below: one text, prepared
	done  []rewritten
	data  []byte // the new texts, row by row
	ends  []int32
	valid []byte
}

// rewritten is where in rewriter.data the new text of one word stands.
type rewritten struct {
	from, to   int32
	known, not bool // not: it is null
}

// prepare adds a text to dst in some form, false when it has none in it.
type prepare func(dst []byte, s string) ([]byte, bool)

// forms leave nothing to trim, and no upper case.
var forms = map[Normalise]prepare{
	E164: appendE164, E164Digits: appendE164Digits, PersonName: appendPersonName, PlaceName: appendPlaceName,
}

func newRewriter(c Column) *rewriter {
	w := &rewriter{prepare: appendLowerTrim, hash: c.Hash}
	if form := forms[c.Normalise]; form != nil {
		w.prepare = form
	}
	return w
}

// of gives an array with the new texts at rows and null elsewhere, valid until the
// next call. What is not UTF-8 is an ErrText at its row.
func (w *rewriter) of(arr arrow.Array, rows []int32) (arrow.Array, error) {
	words, wordAt, err := wordsAt(arr)
	if err != nil {
		return nil, err
	}
	n := arr.Len()
	w.reset(n, words.Len())
	for _, r := range rows {
		bitutil.SetBitTo(w.valid, int(r), arr.IsValid(int(r)))
	}
	for r := range n {
		if bitutil.BitIsSet(w.valid, r) {
			ok, err := w.add(words, wordAt(r))
			if err != nil {
				return nil, &RowError{Row: int32(r), Err: err}
			}
			bitutil.SetBitTo(w.valid, r, ok)
		}
		w.ends = append(w.ends, int32(len(w.data)))
	}
	data := array.NewData(arrow.BinaryTypes.String, n, []*memory.Buffer{
		memory.NewBufferBytes(w.valid), memory.NewBufferBytes(arrow.GetBytes(w.ends)), memory.NewBufferBytes(w.data),
	}, nil, array.UnknownNullCount, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// wordsAt gives the texts of an array and which of them each row has.
func wordsAt(arr arrow.Array) (words array.StringLike, wordAt func(row int) int, err error) {
	switch a := arr.(type) {
	case array.StringLike:
		return a, func(row int) int { return row }, nil
	case *array.Dictionary:
		words, err = wordsOf(a)
		return words, a.GetValueIndex, err
	}
	return nil, nil, fmt.Errorf("%w: an array of %s", errBlock, arr.DataType())
}

func (w *rewriter) reset(rows, words int) {
	w.data, w.ends = w.data[:0], append(w.ends[:0], 0)
	w.done = slices.Grow(w.done[:0], words)[:words]
	clear(w.done)
	n := int(bitutil.BytesForBits(int64(rows)))
	w.valid = slices.Grow(w.valid[:0], n)[:n]
	clear(w.valid)
}

// add adds the new text of a word to the data, false where it is null.
func (w *rewriter) add(words array.StringLike, word int) (bool, error) {
	d := &w.done[word]
	if d.known {
		w.data = append(w.data, w.data[d.from:d.to]...)
		return !d.not, nil
	}
	s := words.Value(word)
	if !utf8.ValidString(s) {
		return false, ErrText
	}
	var ok bool
	hashed := w.hash == SHA256Once && isSHA256(s)
	if hashed {
		w.text, ok = appendLowerTrim(w.text[:0], s)
	} else {
		w.text, ok = w.prepare(w.text[:0], s)
	}
	d.known, d.not, d.from = true, !ok, int32(len(w.data))
	switch {
	case ok && w.hash != "" && !hashed:
		sum := sha256.Sum256(w.text)
		w.data = hex.AppendEncode(w.data, sum[:])
	case ok:
		w.data = append(w.data, w.text...)
	}
	d.to = int32(len(w.data))
	return ok, nil
}
