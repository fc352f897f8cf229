package snapshot

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// thriftWriter writes structs in Thrift's compact protocol.
type thriftWriter struct {
	bytes.Buffer
}

func (w *thriftWriter) head(id int16, kind byte) {
	w.WriteByte(kind)
	w.Write(binary.AppendVarint(nil, int64(id)))
}

func (w *thriftWriter) number(id int16, v int64) {
	w.head(id, kindI64)
	w.Write(binary.AppendVarint(nil, v))
}

func (w *thriftWriter) flag(id int16, v bool) {
	if v {
		w.head(id, kindTrue)
	} else {
		w.head(id, kindFalse)
	}
}

func (w *thriftWriter) text(id int16, s string) {
	w.head(id, kindBinary)
	w.Write(binary.AppendUvarint(nil, uint64(len(s))))
	w.WriteString(s)
}

func (w *thriftWriter) group(id int16, write func()) {
	w.head(id, kindStruct)
	write()
	w.WriteByte(kindStop)
}

// encode writes the header of a page.
func (h pageHeader) encode() []byte {
	var w thriftWriter
	w.number(1, int64(h.kind))
	w.number(2, int64(h.size))
	w.number(3, int64(h.stored))
	if h.hasCRC {
		w.number(4, int64(int32(h.crc)))
	}
	switch h.kind {
	case dataPage:
		w.group(5, func() {
			w.number(1, int64(h.values))
			w.number(2, int64(h.encoding))
			w.number(3, int64(h.definition))
			w.number(4, int64(h.repetition))
		})
	case dictionaryPage:
		w.group(7, func() {
			w.number(1, int64(h.values))
			w.number(2, int64(h.encoding))
		})
	case dataPageV2:
		w.group(8, func() {
			w.number(1, int64(h.values))
			w.number(2, int64(h.nulls))
			w.number(3, int64(h.values))
			w.number(4, int64(h.encoding))
			w.number(5, int64(h.definitionBytes))
			w.number(6, int64(h.repetitionBytes))
			w.flag(7, h.compressed)
		})
	}
	w.WriteByte(kindStop)
	return w.Bytes()
}

// rawPage is a page as it is in a file.
type rawPage struct {
	pageHeader
	body []byte
	more []byte // a field at the end of the header that no reader knows
}

func footerOf(t testing.TB, data []byte) (*metadata.FileMetaData, int) {
	t.Helper()
	start := len(data) - tailBytes - int(binary.LittleEndian.Uint32(data[len(data)-tailBytes:]))
	m, err := metadata.NewFileMetaData(data[start:len(data)-tailBytes], nil)
	if err != nil {
		t.Fatal(err)
	}
	return m, start
}

// withFooter gives the file with a changed footer.
func withFooter(t testing.TB, data []byte, change func(*metadata.FileMetaData)) []byte {
	t.Helper()
	m, start := footerOf(t, data)
	change(m)
	footer, err := m.Serialize(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return closeFile(bytes.Clone(data[:start]), footer)
}

func closeFile(pages, footer []byte) []byte {
	out := append(pages, footer...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(footer)))
	return append(out, magic...)
}

// withPages gives a file of one column chunk with changed pages.
func withPages(t testing.TB, data []byte, change func([]rawPage) []rawPage) []byte {
	t.Helper()
	m, start := footerOf(t, data)
	var pages []rawPage
	for rest := data[len(magic):start]; len(rest) > 0; {
		h, n, err := parsePageHeader(rest)
		if err != nil || h.kind < 0 {
			break // page indexes follow
		}
		pages = append(pages, rawPage{pageHeader: h, body: rest[n : n+int(h.stored)]})
		rest = rest[n+int(h.stored):]
	}
	out := []byte(magic)
	for _, p := range change(pages) {
		header := p.encode()
		out = slices.Concat(out, header[:len(header)-1], p.more, []byte{kindStop}, p.body)
	}
	c := m.RowGroups[0].Columns[0].MetaData
	c.DataPageOffset, c.DictionaryPageOffset = int64(len(magic)), nil
	c.TotalCompressedSize = int64(len(out) - len(magic))
	footer, err := m.Serialize(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return closeFile(out, footer)
}

// numbers is a file of one required int32 column "n" with values 0, 1, 2, ...
func numbers(t testing.TB, rows int, w writing) []byte {
	b := array.NewInt32Builder(memory.DefaultAllocator)
	for i := range rows {
		b.Append(int32(i))
	}
	return oneColumn(t, "n", b.NewArray(), false, w)
}

// words is a file of one optional text column "w" with the given values; "" is null.
func words(t testing.TB, values []string, w writing) []byte {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for _, v := range values {
		if v == "" {
			b.AppendNull()
		} else {
			b.Append(v)
		}
	}
	return oneColumn(t, "w", b.NewArray(), true, w)
}

func oneColumn(t testing.TB, name string, a arrow.Array, nullable bool, w writing) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: name, Type: a.DataType(), Nullable: nullable}}, nil)
	return w.write(t, array.NewRecordBatch(schema, []arrow.Array{a}, int64(a.Len())))
}

var uncompressed = writing{compress.Codecs.Uncompressed, parquet.DataPageV1, "plain", 1 << 20}

// withCodec changes the codec that the footer tells of. It counts up to it, since the
// type of the field is internal to arrow-go.
func withCodec(t testing.TB, data []byte, c compress.Compression) []byte {
	return withFooter(t, data, func(m *metadata.FileMetaData) {
		k := m.RowGroups[0].Columns[0].MetaData
		for k.Codec = 0; compress.Compression(k.Codec) != c; k.Codec++ {
			continue
		}
	})
}
