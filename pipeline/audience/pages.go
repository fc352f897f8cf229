package audience

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
)

// pageBytes is about how large a page is; a dictionary and its codes are a page each.
const pageBytes = 64 << 10

// fixed writes values of width bytes each, in their PLAIN form.
func (w *chunkWriter) fixed(l *levels, values []byte, width int) error {
	rows := pageBytes / width
	for from := 0; from < l.rows; from += rows {
		to := min(l.rows, from+rows)
		n := l.values(from, to) * width
		w.page = append(l.appendTo(w.page[:0], from, to), values[:n]...)
		if err := w.values(w.page, to-from, parquet.Encodings.Plain); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// bools writes codes of 0 and 1 as booleans.
func (w *chunkWriter) bools(l *levels, codes []uint16) error {
	w.page = appendPacked(l.appendTo(w.page[:0], 0, l.rows), codes, 1)
	return w.values(w.page, l.rows, parquet.Encodings.Plain)
}

// texts writes texts with their lengths before their bytes, which compresses better
// and faster than each length before its text.
func (w *chunkWriter) texts(l *levels, lengths []int32, bytes []byte) error {
	for from := 0; from < l.rows; {
		rows, texts, size := l.page(from, lengths)
		w.page = appendDeltas(l.appendTo(w.page[:0], from, from+rows), lengths[:texts])
		w.page = append(w.page, bytes[:size]...)
		if err := w.values(w.page, rows, parquet.Encodings.DeltaLengthByteArray); err != nil {
			return err
		}
		from, lengths, bytes = from+rows, lengths[texts:], bytes[size:]
	}
	return nil
}

// page measures the page of texts that begins at row from: how many rows, how many
// texts and how many bytes of these it has. lengths are of the texts from there on.
func (l *levels) page(from int, lengths []int32) (rows, texts, size int) {
	for from+rows < l.rows && size+4*rows < pageBytes {
		if l.nulls == 0 || l.def[from+rows] == 1 {
			size += int(lengths[texts])
			texts++
		}
		rows++
	}
	return rows, texts, size
}

// coded writes a dictionary of n words in their PLAIN form, and the code of each value.
func (w *chunkWriter) coded(l *levels, codes []uint16, words []byte, n int) error {
	if err := w.dictionary(words, n); err != nil {
		return err
	}
	width := widthOf(n)
	w.page = append(l.appendTo(w.page[:0], 0, l.rows), byte(width))
	w.page = appendHybrid(w.page, codes, width)
	return w.values(w.page, l.rows, parquet.Encodings.RLEDict)
}

// number numbers values of 4 or 8 bytes in their PLAIN form, if a dictionary is worth
// while.
func (w *chunkWriter) number(values []byte, width int) (codes []uint16, words []byte, ok bool) {
	if width == 4 {
		ok = w.narrow.number(arrow.GetData[uint32](values))
		return w.narrow.codes, arrow.GetBytes(w.narrow.words), ok
	}
	ok = w.wide.number(arrow.GetData[uint64](values))
	return w.wide.codes, arrow.GetBytes(w.wide.words), ok
}
