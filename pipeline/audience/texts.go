package audience

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// texts buffers a column of texts: as codes of a dictionary, until one row group
// has more different texts than that is good for; plain from there on.
type texts struct {
	levels
	words *dictionary // nil once the column is plain
	codes []int32     // into words
	data  []byte      // plain texts, one after the other
	ends  []int64     // 0, then the end of each plain text in data
	known []int32     // reused: code+1 of the words of an input dictionary, 0 unknown
}

func newTexts(l levels, coded bool) *texts {
	c := &texts{levels: l, ends: []int64{0}}
	if coded {
		c.words = newDictionary()
	}
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
	return fmt.Errorf("%w: an array of %s", errBlock, arr.DataType())
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
	for _, r := range rows {
		c.data = append(c.data, text[offsets[r]:offsets[r+1]]...)
		c.ends = append(c.ends, int64(len(c.data)))
	}
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
	return fmt.Errorf("%w: an array of %s", errBlock, a.DataType())
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
			c.codes = append(c.codes, code-1)
			continue
		}
		if !c.put(words.Value(w)) {
			return &RowError{Row: r, Err: ErrText}
		}
		if c.words != nil {
			c.known[w] = c.codes[len(c.codes)-1] + 1
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
	c.data = append(c.data, s...)
	c.ends = append(c.ends, int64(len(c.data)))
	return true
}

// unfold makes the column plain for the rest of the file.
func (c *texts) unfold() {
	for _, code := range c.codes {
		c.data = append(c.data, c.words.texts[code]...)
		c.ends = append(c.ends, int64(len(c.data)))
	}
	c.words, c.codes = nil, nil
}

func (c *texts) size() int { return 4*len(c.codes) + len(c.data) + 8*len(c.ends) + 2*len(c.def) }

func (c *texts) flush(w file.ColumnChunkWriter) error {
	out := w.(*file.ByteArrayColumnChunkWriter)
	var err error
	if len(c.codes) > 0 {
		err = c.flushCoded(out)
		c.words.reset()
	} else {
		out.FallbackToPlain() // does nothing to a column that is plain already
		_, err = out.WriteBatchArrow64(c.data, c.ends, c.def, nil)
	}
	c.codes, c.data, c.ends, c.def = c.codes[:0], c.data[:0], c.ends[:1], c.def[:0]
	return err
}

// flushCoded writes one data page, so the statistics of the row group are those
// of the page, and the dictionary alone knows least and greatest.
func (c *texts) flushCoded(w *file.ByteArrayColumnChunkWriter) error {
	words := c.words.array()
	defer words.Release()
	encoder := w.CurrentEncoder().(interface{ PutDictionary(arrow.Array) error })
	if err := encoder.PutDictionary(words); err != nil {
		return err
	}
	present := len(c.codes)
	codes := c.spaced()
	defer codes.Release()
	stats := w.PageStatistics().(*metadata.ByteArrayStatistics)
	stats.IncNulls(int64(codes.Len() - present))
	stats.IncNumValues(int64(present))
	stats.SetMinMax([]byte(slices.Min(c.words.texts)), []byte(slices.Max(c.words.texts)))
	return w.WriteDictIndices(codes, c.def, nil)
}

// spaced gives the codes with a gap for every null.
func (c *texts) spaced() arrow.Array {
	if len(c.def) <= len(c.codes) {
		return over(arrow.PrimitiveTypes.Int32, c.codes)
	}
	n, from := len(c.def), len(c.codes)-1
	c.codes = slices.Grow(c.codes, n-len(c.codes))[:n]
	valid := make([]byte, bitutil.BytesForBits(int64(n)))
	for to := n - 1; to >= 0; to-- {
		if c.def[to] == 1 {
			c.codes[to] = c.codes[from]
			bitutil.SetBit(valid, to)
			from--
		}
	}
	return overValid(arrow.PrimitiveTypes.Int32, c.codes, valid)
}

// Limits of a dictionary: beyond them plain texts are as small and faster.
const (
	dictionaryWords = 16_384
	dictionaryBytes = 1 << 20
)

// dictionary numbers texts in the order of their first appearance.
type dictionary struct {
	codes map[string]int32
	texts []string
	bytes int
}

func newDictionary() *dictionary { return &dictionary{codes: make(map[string]int32)} }

// code gives the number of s, false when s is new and there is no room for it.
func (d *dictionary) code(s string) (int32, bool) {
	if code, ok := d.codes[s]; ok {
		return code, true
	}
	if len(d.texts) == dictionaryWords || d.bytes+len(s) > dictionaryBytes {
		return 0, false
	}
	s = strings.Clone(s)
	code := int32(len(d.texts))
	d.codes[s] = code
	d.texts = append(d.texts, s)
	d.bytes += len(s)
	return code, true
}

func (d *dictionary) array() arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(d.texts, nil)
	return b.NewArray()
}

func (d *dictionary) reset() {
	clear(d.codes)
	d.texts, d.bytes = d.texts[:0], 0
}
