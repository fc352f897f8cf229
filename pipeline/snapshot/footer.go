package snapshot

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
)

// footer is what a part says of itself at its end: FileMetaData of the format's
// parquet.thrift, reduced to what reading needs. arrow-go's own parser is not used:
// it panics on annotations it does not know, even of columns that nobody wants, and
// allocates by declared sizes.
type footer struct {
	rows     int64
	elements []element
	groups   []group
}

// element is a node of the schema's tree, in depth-first order.
type element struct {
	name       string
	physical   parquet.Type
	typed      bool // whether it has a physical type: it is a leaf
	length     int32
	repetition parquet.Repetition
	children   int32
	annotation annotation
}

// group is one row group.
type group struct {
	rows   int64
	chunks []chunk
}

// chunk is the pages of one column in one row group.
type chunk struct {
	offset    int64 // of its first page
	size      int64 // of its pages as stored, headers included
	values    int64 // nulls included
	nulls     int64 // as its statistics say, or -1; not checked
	codec     compress.Compression
	physical  parquet.Type
	encrypted bool
	elsewhere bool // in another file
}

// parseFooter reads the metadata of a part. What it says is not checked yet.
func parseFooter(data []byte, lim Limits) (*footer, error) {
	f := &footer{rows: -1}
	c := &compact{data: data}
	c.fields(func(id int64, kind byte) bool {
		switch id {
		case 2:
			c.structs(kind, func() { f.addElement(c, lim) })
		case 3:
			f.rows = c.int(kind)
		case 4:
			c.structs(kind, func() { f.groups = append(f.groups, readGroup(c)) })
		default:
			return false
		}
		return true
	})
	if c.err != nil {
		return nil, c.err
	}
	if f.rows < 0 {
		return nil, fmt.Errorf("found %d rows in the metadata, expected 0 or more", f.rows)
	}
	return f, nil
}

// elementsPerColumn bounds the schema's tree: its groups come on top of its columns.
const elementsPerColumn = 8

func (f *footer) addElement(c *compact, lim Limits) {
	if len(f.elements) > elementsPerColumn*lim.Columns {
		c.fail(fmt.Errorf("found more than %d columns", lim.Columns))
		return
	}
	f.elements = append(f.elements, readElement(c))
}

func readElement(c *compact) element {
	var e element
	converted, legacy := int32(-1), annotation{}
	c.fields(func(id int64, kind byte) bool {
		switch id {
		case 1:
			e.physical, e.typed = parquet.Type(c.int32(kind)), true
		case 2:
			e.length = c.int32(kind)
		case 3:
			e.repetition = parquet.Repetition(c.int32(kind))
		case 4:
			e.name = c.string(kind)
		case 5:
			e.children = c.int32(kind)
		case 6:
			converted = c.int32(kind)
		case 7:
			legacy.scale = c.int32(kind)
		case 8:
			legacy.precision = c.int32(kind)
		case 10:
			e.annotation = readAnnotation(c, kind)
		default:
			return false
		}
		return true
	})
	if e.annotation.kind == noMeaning && converted >= 0 {
		e.annotation = legacy.converted(converted)
	}
	return e
}

// readGroup reads a RowGroup. A group or chunk that lacks what every one has is a
// fault at once, so that a few bytes never become many empty structs.
func readGroup(c *compact) group {
	g := group{rows: -1}
	c.fields(func(id int64, kind byte) bool {
		switch id {
		case 1:
			c.structs(kind, func() { g.chunks = append(g.chunks, readChunk(c)) })
		case 3:
			g.rows = c.int(kind)
		default:
			return false
		}
		return true
	})
	if len(g.chunks) == 0 {
		c.fail(errors.New("found a row group without columns"))
	}
	return g
}

func readChunk(c *compact) chunk {
	var k chunk
	described := false
	c.fields(func(id int64, kind byte) bool {
		switch {
		case id == 1:
			k.elsewhere = c.string(kind) != ""
		case id == 3 && kind == kindStruct:
			described = true
			k.read(c)
		case id == 8:
			k.encrypted = true
			return false
		default:
			return false
		}
		return true
	})
	if !described && !k.encrypted {
		c.fail(errors.New("found a column chunk without metadata"))
	}
	return k
}

// read reads a ColumnMetaData.
func (k *chunk) read(c *compact) {
	dictionary, data := int64(0), int64(-1)
	k.nulls = -1
	c.fields(func(id int64, kind byte) bool {
		switch id {
		case 1:
			k.physical = parquet.Type(c.int32(kind))
		case 4:
			k.codec = compress.Compression(c.int32(kind))
		case 5:
			k.values = c.int(kind)
		case 7:
			k.size = c.int(kind)
		case 9:
			data = c.int(kind)
		case 11:
			dictionary = c.int(kind)
		case 12:
			return k.readStatistics(c, kind)
		default:
			return false
		}
		return true
	})
	k.offset = data
	if dictionary > 0 && dictionary < data {
		k.offset = dictionary
	}
	if data < 0 {
		c.fail(fmt.Errorf("found a column chunk at byte %d of the part", data))
	}
}

// readStatistics reads the null count of a Statistics.
func (k *chunk) readStatistics(c *compact, kind byte) (read bool) {
	if kind != kindStruct {
		return false
	}
	c.fields(func(id int64, kind byte) bool {
		if id == 3 && kind == kindI64 {
			k.nulls = c.int(kind)
			return true
		}
		return false
	})
	return true
}
