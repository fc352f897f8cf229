package snapshot

import (
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
)

// pageKind is PageType of parquet.thrift.
type pageKind int32

const (
	dataPage       pageKind = 0
	dictionaryPage pageKind = 2
	dataPageV2     pageKind = 3
)

// pageHeader is PageHeader of parquet.thrift, with the header of its kind.
type pageHeader struct {
	kind   pageKind
	size   int32 // of the body, decompressed
	stored int32 // of the body in the part
	crc    uint32
	hasCRC bool

	values   int32
	encoding parquet.Encoding

	// Of data pages: their levels. A page of version 2 stores these before the
	// values and never compressed.
	definition, repetition           parquet.Encoding
	nulls                            int32
	definitionBytes, repetitionBytes int32
	compressed                       bool
}

// parsePageHeader reads a header from the start of data, which may go on after
// it, and gives its length.
func parsePageHeader(data []byte) (h pageHeader, length int, err error) {
	h.kind, h.compressed = -1, true
	c := &compact{data: data}
	c.fields(func(id int64, kind byte) bool { return h.readField(c, id, kind) })
	length = len(data) - len(c.data)
	return h, length, c.err
}

func (h *pageHeader) readField(c *compact, id int64, kind byte) bool {
	switch id {
	case 1:
		h.kind = pageKind(c.int32(kind))
	case 2:
		h.size = c.int32(kind)
	case 3:
		h.stored = c.int32(kind)
	case 4:
		h.crc, h.hasCRC = uint32(c.int32(kind)), true
	case 5:
		h.readData(c, kind)
	case 7:
		h.readDictionary(c, kind)
	case 8:
		h.readDataV2(c, kind)
	default:
		return false
	}
	return true
}

func (h *pageHeader) readData(c *compact, kind byte) {
	h.readStruct(c, kind, func(id int64, kind byte) bool {
		switch id {
		case 1:
			h.values = c.int32(kind)
		case 2:
			h.encoding = parquet.Encoding(c.int32(kind))
		case 3:
			h.definition = parquet.Encoding(c.int32(kind))
		case 4:
			h.repetition = parquet.Encoding(c.int32(kind))
		default:
			return false
		}
		return true
	})
}

func (h *pageHeader) readDictionary(c *compact, kind byte) {
	h.readStruct(c, kind, func(id int64, kind byte) bool {
		switch id {
		case 1:
			h.values = c.int32(kind)
		case 2:
			h.encoding = parquet.Encoding(c.int32(kind))
		default:
			return false
		}
		return true
	})
}

func (h *pageHeader) readDataV2(c *compact, kind byte) {
	h.readStruct(c, kind, func(id int64, kind byte) bool {
		switch id {
		case 1:
			h.values = c.int32(kind)
		case 2:
			h.nulls = c.int32(kind)
		case 4:
			h.encoding = parquet.Encoding(c.int32(kind))
		case 5:
			h.definitionBytes = c.int32(kind)
		case 6:
			h.repetitionBytes = c.int32(kind)
		case 7:
			h.compressed = c.bool(kind)
		default:
			return false
		}
		return true
	})
}

func (h *pageHeader) readStruct(c *compact, kind byte, visit func(int64, byte) bool) {
	if kind != kindStruct {
		c.unexpected("a struct", kind)
		return
	}
	c.fields(visit)
}

// isData says whether the page holds rows.
func (h *pageHeader) isData() bool { return h.kind == dataPage || h.kind == dataPageV2 }

// usesDictionary says whether the values of a data page are indices.
func (h *pageHeader) usesDictionary() bool {
	return h.encoding == parquet.Encodings.PlainDict || h.encoding == parquet.Encodings.RLEDict
}

// levelBytes is how many bytes at the start of the body are never compressed.
func (h *pageHeader) levelBytes() int64 {
	if h.kind != dataPageV2 {
		return 0
	}
	return int64(h.definitionBytes) + int64(h.repetitionBytes)
}

// check compares the header with the limits, the bytes left of the chunk and the
// values it still owes.
func (h *pageHeader) check(lim Limits, bytes, owed int64) error {
	size, stored, values := int64(h.size), int64(h.stored), int64(h.values)
	switch levels := h.levelBytes(); {
	case size < 0 || stored < 0 || values < 0 || h.definitionBytes < 0 || h.repetitionBytes < 0:
		return fmt.Errorf("found a page with a negative size")
	case size > lim.Page || stored > lim.Page:
		return fmt.Errorf("found a page of %d bytes, more than the limit of %d", max(size, stored), lim.Page)
	case stored > bytes:
		return fmt.Errorf("found a page of %d bytes where the column has %d left", stored, bytes)
	case levels > size || levels > stored:
		return fmt.Errorf("found a page with %d bytes of levels in %d bytes", levels, min(size, stored))
	case h.isData() && values > owed:
		return fmt.Errorf("found a page of %d rows where the footer leaves %d", values, owed)
	case values > lim.pageValues():
		return fmt.Errorf("found a page of %d values, more than the limit of %d", values, lim.pageValues())
	}
	return nil
}
