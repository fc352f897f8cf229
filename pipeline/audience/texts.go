package audience

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// texts buffers a column of texts: as codes of a dictionary, until one row group
// has more different texts than that is good for; plain from there on.
type texts struct {
	levels
	words   *dictionary // nil once the column is plain
	codes   []uint16    // into words
	data    []byte      // plain texts, one after the other
	lengths []int32     // of the plain texts
	known   []int32     // reused: code+1 of the words of an input dictionary, 0 unknown
	coded   bool        // in a new file
}

func newTexts(l levels, coded bool) *texts {
	c := &texts{levels: l, coded: coded}
	c.renew()
	return c
}

func (c *texts) append(arr arrow.Array, rows []int32) error {
	rows, err := c.keep(arr, rows)
	if err != nil {
		return err
	}
	switch a := arr.(type) {
	case array.StringLike:
		return c.appendPlain(a, rows)
	case *array.Dictionary:
		return c.appendCoded(a, rows)
	}
	return notWritable(arr)
}

func (c *texts) appendPlain(a array.StringLike, rows []int32) error {
	if words, ok := a.(*array.String); ok && c.words == nil && len(rows) > 0 {
		return c.appendBytes(words, rows)
	}
	for _, r := range rows {
		if !c.put(a.Value(int(r))) {
			return &RowError{Row: r, Err: ErrText}
		}
	}
	return nil
}

// appendBytes does what put does with each text of a plain column, all at once: only
// where not every byte is ASCII are texts looked at one by one.
func (c *texts) appendBytes(a *array.String, rows []int32) error {
	offsets := a.ValueOffsets()
	var text []byte
	if b := a.Data().Buffers()[2]; b != nil {
		text = b.Bytes()
	}
	start := len(c.data)
	c.gather(offsets, text, rows)
	if isASCII(c.data[start:]) {
		return nil
	}
	for _, r := range rows {
		if !utf8.ValidString(a.Value(int(r))) {
			return &RowError{Row: r, Err: ErrText}
		}
	}
	return nil
}

// gather adds the texts at rows.
func (c *texts) gather(offsets []int32, text []byte, rows []int32) {
	at, total := len(c.data), chunk
	for _, r := range rows {
		total += int(offsets[r+1] - offsets[r])
	}
	if need := at + total; need > cap(c.data) { // twice as much, but not more than a row group of such texts takes
		c.data = append(make([]byte, 0, min(2*need, need*groupRows/c.rows)), c.data...)
	}
	data := c.data[:at+total]
	for _, r := range rows {
		from, n := int(offsets[r]), int(offsets[r+1]-offsets[r])
		at += put(data[at:], text[from:], n)
		c.lengths = append(c.lengths, int32(n))
	}
	c.data = data[:at]
}

// chunk is up to how long a text is a short one.
const chunk = 32

// put copies the first n bytes of src to dst and gives n. Of a short text what follows it
// is copied too, up to chunk bytes, which takes no call: dst has as much room, and whatever
// comes next overwrites it.
func put(dst, src []byte, n int) int {
	if n > chunk || len(src) < chunk {
		return copy(dst, src[:n])
	}
	to, from := (*[chunk]byte)(dst), (*[chunk]byte)(src)
	binary.LittleEndian.PutUint64(to[0:], binary.LittleEndian.Uint64(from[0:]))
	if n > 8 {
		binary.LittleEndian.PutUint64(to[8:], binary.LittleEndian.Uint64(from[8:]))
		binary.LittleEndian.PutUint64(to[16:], binary.LittleEndian.Uint64(from[16:]))
		binary.LittleEndian.PutUint64(to[24:], binary.LittleEndian.Uint64(from[24:]))
	}
	return n
}

// isASCII says whether no byte has its highest bit set.
func isASCII(text []byte) bool {
	var high uint64
	for ; len(text) >= 8; text = text[8:] {
		high |= binary.LittleEndian.Uint64(text)
	}
	for _, b := range text {
		high |= uint64(b)
	}
	return high&0x8080808080808080 == 0
}

func (c *texts) appendCoded(a *array.Dictionary, rows []int32) error {
	words, err := wordsOf(a)
	if err != nil {
		return err
	}
	switch codes := a.Indices().(type) {
	case *array.Int32:
		return appendCodes(c, words, codes.Int32Values(), rows)
	case *array.Uint8:
		return appendCodes(c, words, codes.Uint8Values(), rows)
	}
	return notWritable(a)
}

// wordsOf gives the texts of a dictionary, none of which may be null.
func wordsOf(a *array.Dictionary) (array.StringLike, error) {
	words, ok := a.Dictionary().(array.StringLike)
	if !ok || words.NullN() > 0 {
		return nil, fmt.Errorf("%w: an array of %s with %d null words", errBlock, a.DataType(), a.Dictionary().NullN())
	}
	return words, nil
}

// appendCodes looks each word of the input's dictionary up once.
func appendCodes[I int32 | uint8](c *texts, words array.StringLike, codes []I, rows []int32) error {
	c.known = slices.Grow(c.known[:0], words.Len())[:words.Len()]
	clear(c.known)
	for _, r := range rows {
		w := int(codes[r])
		if code := c.known[w]; code != 0 && c.words != nil {
			c.codes = append(c.codes, uint16(code-1))
			continue
		}
		if !c.put(words.Value(w)) {
			return &RowError{Row: r, Err: ErrText}
		}
		if c.words != nil {
			c.known[w] = int32(c.codes[len(c.codes)-1]) + 1
		}
	}
	return nil
}

// put adds one text, unless it is not UTF-8.
func (c *texts) put(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	if c.words != nil {
		if code, ok := c.words.code(s); ok {
			c.codes = append(c.codes, code)
			return true
		}
		c.unfold()
	}
	c.putPlain(s)
	return true
}

func (c *texts) putPlain(s string) {
	c.data = append(c.data, s...)
	c.lengths = append(c.lengths, int32(len(s)))
}

// unfold makes the column plain for the rest of the file.
func (c *texts) unfold() {
	for _, code := range c.codes {
		c.putPlain(c.words.texts[code])
	}
	c.words, c.codes = nil, c.codes[:0]
}

func (c *texts) size() int { return 2*len(c.codes) + len(c.data) + 4*len(c.lengths) + 2*len(c.def) }

// sizeWith is at least what size is, at any moment, while n rows of arr are added, as if
// the column became plain.
func (c *texts) sizeWith(arr arrow.Array, n int) int {
	size := c.size() + (4+2)*n
	if c.words != nil {
		size += len(c.codes) * (4 + c.words.longest)
	}
	switch a := arr.(type) {
	case *array.String:
		return size + len(a.ValueBytes())
	case *array.Dictionary:
		return size + n*longestOf(a.Dictionary())
	}
	return size + n*longestOf(arr)
}

func longestOf(arr arrow.Array) (bytes int) {
	if a, ok := arr.(array.StringLike); ok {
		for i := range a.Len() {
			bytes = max(bytes, len(a.Value(i)))
		}
	}
	return bytes
}

func (c *texts) flush(w *chunkWriter) (bounds, error) {
	defer c.reset()
	if len(c.codes) == 0 {
		return c.bounds(), w.texts(&c.levels, c.lengths, c.data)
	}
	return c.words.bounds(), w.coded(&c.levels, c.codes, c.words.plain(), len(c.words.texts))
}

// bounds gives none of a column that is never null: the least and greatest id of a
// shard tell no reader anything.
func (c *texts) bounds() bounds {
	if !c.optional || len(c.lengths) == 0 {
		return bounds{}
	}
	b := bounds{c.data[:c.lengths[0]], c.data[:c.lengths[0]]}
	data := c.data
	for _, n := range c.lengths {
		text := data[:n]
		if bytes.Compare(text, b.least) < 0 {
			b.least = text
		}
		if bytes.Compare(text, b.greatest) > 0 {
			b.greatest = text
		}
		data = data[n:]
	}
	return bounds{bytes.Clone(b.least), bytes.Clone(b.greatest)}
}

func (c *texts) reset() {
	c.levels.reset()
	if c.words != nil {
		c.words.reset()
	}
	c.codes, c.data, c.lengths = c.codes[:0], c.data[:0], c.lengths[:0]
}

func (c *texts) renew() {
	c.words = nil
	if c.coded {
		c.words = newDictionary()
	}
}
