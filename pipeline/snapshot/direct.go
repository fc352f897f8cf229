package snapshot

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
)

// direct is a data page that is decoded here and not by arrow-go: one in PLAIN or with a
// dictionary, of a type that needs no conversion, which is what warehouses write, and
// texts in DELTA_LENGTH_BYTE_ARRAY, as we write ids. It holds until the next page is
// asked for.
type direct struct {
	rows       int    // left
	optional   bool   // whether rows have levels
	levels     hybrid // 1 for a row with a value
	dictionary bool   // whether the values are indices
	indices    hybrid
	values     []byte  // in PLAIN, those not yet taken
	bit        int     // of booleans: where in values the next one is
	apart      bool    // whether the lengths of texts are apart from values
	lengths    []int32 // these, as far as values goes
}

// takes says whether the page that waits can be decoded directly, and opens it then.
func (d *direct) takes(p *pages, optional bool, v taker) (bool, error) {
	h := &p.header
	if !v.direct(h.encoding) || h.repetitionBytes > 0 || optional && h.kind == dataPage && h.definition != parquet.Encodings.RLE {
		return false, nil
	}
	*d = direct{optional: optional, dictionary: h.usesDictionary()}
	body, err := d.openLevels(h, p.body)
	if err != nil {
		return false, err
	}
	if err := d.openValues(p, body); err != nil {
		return false, err
	}
	d.rows, p.waits = int(h.values), false
	return true, nil
}

func (d *direct) openValues(p *pages, body []byte) (err error) {
	switch {
	case d.dictionary && len(body) == 0: // a page of nulls may lack even the width
	case d.dictionary && body[0] > 32:
		return fmt.Errorf("found indices of %d bits", body[0])
	case d.dictionary:
		d.indices = hybrid{width: int(body[0]), data: body[1:]}
	case p.header.encoding == parquet.Encodings.DeltaLengthByteArray:
		p.lengths, d.values, err = readDeltas(p.lengths[:0], body, int(p.header.values))
		d.apart, d.lengths = true, p.lengths
	default:
		d.values = body
	}
	return err
}

// openLevels gives what follows the levels in the body of a page.
func (d *direct) openLevels(h *pageHeader, body []byte) ([]byte, error) {
	size := int64(h.definitionBytes)
	if h.kind == dataPage && d.optional {
		if len(body) < 4 {
			return nil, errFew
		}
		size, body = int64(binary.LittleEndian.Uint32(body)), body[4:]
	}
	if size > int64(len(body)) {
		return nil, fmt.Errorf("found a page with %d bytes of levels in %d bytes", size, len(body))
	}
	d.levels = hybrid{width: 1, data: body[:size]}
	return body[size:], nil
}

// decode appends at most n rows to v and gives how many rows and values it took.
func (d *direct) decode(v taker, n int, levels []int16) (took int64, values int, err error) {
	n = min(n, d.rows)
	d.rows -= n
	values = n
	if d.optional {
		if values, err = d.levels.levels(levels[:n]); err != nil {
			return 0, 0, err
		}
	}
	return int64(n), values, v.take(d, values)
}

// copy fills dst with the next bytes of values in PLAIN.
func (d *direct) copy(dst []byte) error {
	if len(dst) > len(d.values) {
		return errFew
	}
	d.values = d.values[copy(dst, d.values):]
	return nil
}

// lookUp fills dst by its indices into a dictionary in PLAIN; numbers is working memory
// of as many indices.
func lookUp[T arrow.FixedWidthType](d *direct, entries []byte, dst []T, numbers []int32) error {
	if err := d.indices.numbers(numbers); err != nil {
		return err
	}
	known := arrow.GetData[T](entries)
	for i, index := range numbers {
		if uint(uint32(index)) >= uint(len(known)) {
			return outside(index, len(known))
		}
		dst[i] = known[uint32(index)]
	}
	return nil
}

// outside is the error of an index that a dictionary does not have.
func outside(index int32, entries int) error {
	return fmt.Errorf("found index %d into a dictionary of %d values", uint32(index), entries)
}

func (f *fixed[T]) direct(e parquet.Encoding) bool { return f.indices != nil && isSimple(e) }

func isSimple(e parquet.Encoding) bool {
	return e == parquet.Encodings.Plain || e == parquet.Encodings.RLEDict || e == parquet.Encodings.PlainDict
}

func (f *fixed[T]) take(d *direct, n int) error {
	dst := f.values[f.count : f.count+n]
	f.count += n
	if d.dictionary {
		return lookUp(d, f.pages.entries, dst, f.indices[:n])
	}
	return d.copy(arrow.GetBytes(dst))
}

func (b *bools) direct(e parquet.Encoding) bool { return e == parquet.Encodings.Plain }

func (b *bools) take(d *direct, n int) error {
	if n > 8*len(d.values)-d.bit {
		return errFew
	}
	for i := range b.values[b.count : b.count+n] {
		bit := d.bit + i
		b.values[b.count+i] = d.values[bit>>3]>>(bit&7)&1 == 1
	}
	d.bit += n
	b.count += n
	return nil
}

func (t *texts) direct(e parquet.Encoding) bool {
	return isSimple(e) || e == parquet.Encodings.DeltaLengthByteArray
}

func (t *texts) take(d *direct, n int) error {
	if !d.dictionary {
		if err := t.makePlain(); err != nil {
			return err
		}
		if d.apart {
			return t.takeLengths(d, n)
		}
		return t.takePlain(d, n)
	}
	known := t.pages.distinct
	switch {
	case n == 0:
		return nil
	case known == nil:
		return outside(0, 0)
	case known.len() > maxDistinct:
		t.plain = true
	}
	indices := t.indices[t.count : t.count+n]
	if t.plain {
		indices = t.indices[:n]
	}
	if err := d.indices.numbers(indices); err != nil {
		return err
	}
	for _, index := range indices {
		if uint(uint32(index)) >= uint(known.len()) {
			return outside(index, known.len())
		}
	}
	if t.plain {
		return t.appendIndexed(indices)
	}
	t.count += n
	return nil
}

// takePlain appends texts that stand in the page one after the other, each behind its
// length in four bytes.
func (t *texts) takePlain(d *direct, n int) error {
	bytes, ends, page := t.bytes, t.ends[t.count+1:t.count+1+n], d.values
	longest := min(t.pages.limits.Value, math.MaxInt32)
	for i := range ends {
		if len(page) < 4 {
			return errFew
		}
		length, rest := binary.LittleEndian.Uint32(page), page[4:]
		switch {
		case int64(length) > longest:
			return tooLong(int64(length), longest)
		case int64(length) > int64(len(rest)):
			return errFew
		case int(length) > maxBatchText-len(bytes):
			return tooMuchText()
		}
		bytes = append(bytes, rest[:length]...)
		ends[i] = int32(len(bytes))
		page = rest[length:]
	}
	t.bytes, t.count, d.values = bytes, t.count+n, page
	return nil
}

// takeLengths appends texts that stand in the page one after the other, with their
// lengths apart.
func (t *texts) takeLengths(d *direct, n int) error {
	if n > len(d.lengths) {
		return errFew
	}
	ends, end := t.ends[t.count+1:t.count+1+n], int64(len(t.bytes))
	for i, length := range d.lengths[:n] {
		if length < 0 || int64(length) > t.pages.limits.Value {
			return tooLong(int64(length), t.pages.limits.Value)
		}
		if end += int64(length); end > maxBatchText {
			return tooMuchText()
		}
		ends[i] = int32(end)
	}
	total := int(end) - len(t.bytes)
	if total > len(d.values) {
		return errFew
	}
	t.bytes = append(t.bytes, d.values[:total]...)
	t.count += n
	d.lengths, d.values = d.lengths[n:], d.values[total:]
	return nil
}
