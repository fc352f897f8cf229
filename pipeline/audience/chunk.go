package audience

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// chunkWriter writes the pages of a Parquet file, one column chunk after the other.
// A chunk has a dictionary or none, and then data pages of one encoding.
type chunkWriter struct {
	out   io.Writer
	at    int64 // bytes of the file so far
	codec codec
	*scratch

	// Of the open chunk.
	from     int64 // where its first page begins
	data     int64 // where its first data page begins
	whole    int64 // bytes of its pages decompressed, headers included
	pages    int32 // data pages
	encoding parquet.Encoding
	isCoded  bool // it has a dictionary
	asIs     bool // its pages are not compressed
}

// scratch is the working memory in which a row group is written, reused from column to
// column and from file to file.
type scratch struct {
	narrow numbering[uint32]
	wide   numbering[uint64]
	page   []byte // what a page holds, levels first
	stored []byte // the page, compressed
	header []byte
}

// write adds bytes to the file.
func (w *chunkWriter) write(p []byte) error {
	n, err := w.out.Write(p)
	w.at += int64(n)
	return err
}

// begin starts a chunk.
func (w *chunkWriter) begin() {
	w.from, w.data, w.whole, w.pages = w.at, w.at, 0, 0
	w.isCoded, w.asIs = false, false
}

// dictionary writes a page of words, each in its PLAIN form, as the first of the chunk.
func (w *chunkWriter) dictionary(page []byte, words int) error {
	w.isCoded = true
	err := w.put(pageHeader{kind: dictionaryPage, values: words, encoding: parquet.Encodings.Plain}, page)
	w.data = w.at
	return err
}

// values writes a page of so many rows: their levels, if the column has any, and the
// values in their encoding. Levels and values are compressed together, so that a
// checksum of zstd covers both; that is a page of version 1.
func (w *chunkWriter) values(page []byte, rows int, encoding parquet.Encoding) error {
	w.pages++
	w.encoding = encoding
	return w.put(pageHeader{kind: dataPage, values: rows, encoding: encoding}, page)
}

func (w *chunkWriter) put(h pageHeader, page []byte) error {
	body := page
	if !w.asIs {
		w.stored = w.codec.compress(w.stored, page)
		body = w.stored
		if w.codec.optional && w.at == w.from && h.kind == dataPage && hardlyShrinks(body, page) {
			w.asIs, body = true, page
		}
	}
	h.size, h.stored, h.crc = len(page), len(body), crc32.ChecksumIEEE(body)
	w.header = h.append(w.header[:0])
	w.whole += int64(len(w.header) + len(page))
	if err := w.write(w.header); err != nil {
		return err
	}
	return w.write(body)
}

// finish describes the chunk of so many rows, nulls included, in the footer.
func (w *chunkWriter) finish(meta *metadata.ColumnChunkMetaDataBuilder, rows int) error {
	info := metadata.ChunkMetaInfo{
		NumValues: int64(rows), IndexPageOffset: -1, DataPageOffset: w.data,
		CompressedSize: w.at - w.from, UncompressedSize: w.whole,
	}
	count := metadata.EncodingStats{DataEncodingStats: map[parquet.Encoding]int32{w.encoding: w.pages}}
	if w.isCoded {
		info.DictPageOffset = w.from
		count.DictEncodingStats = map[parquet.Encoding]int32{parquet.Encodings.Plain: 1}
	}
	if w.asIs {
		// The builder knows one codec a column; the format has one a chunk.
		meta.Contents().MetaData.Codec = 0 // UNCOMPRESSED
	}
	return meta.Finish(info, w.isCoded, false, count)
}

// pageKind is PageType of parquet.thrift.
type pageKind int

const (
	dataPage       pageKind = 0
	dictionaryPage pageKind = 2
)

// pageHeader is PageHeader of parquet.thrift, for the pages that are written.
type pageHeader struct {
	kind     pageKind
	size     int // of the page
	stored   int // of the page as it stands in the file
	crc      uint32
	values   int
	encoding parquet.Encoding
}

// append adds the header in Thrift's compact protocol: a field is the distance from the
// number of the one before in four bits and its type in four, and then its value, an
// i32 as a zigzag varint (thrift/doc/specs/thrift-compact-protocol.md).
func (h pageHeader) append(dst []byte) []byte {
	const next, i32, structure, stop = 1 << 4, 5, 12, 0
	field := func(value int) { dst = binary.AppendVarint(append(dst, next|i32), int64(value)) }
	field(int(h.kind))
	field(h.size)
	field(h.stored)
	field(int(int32(h.crc)))
	if h.kind == dictionaryPage { // field 7
		dst = append(dst, 3*next|structure)
		field(h.values)
		field(int(h.encoding))
		return append(dst, stop, stop)
	}
	dst = append(dst, next|structure) // field 5
	field(h.values)
	field(int(h.encoding))
	field(int(parquet.Encodings.RLE)) // of definition levels
	field(int(parquet.Encodings.RLE)) // of repetition levels
	return append(dst, stop, stop)
}
