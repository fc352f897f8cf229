package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kinds of value in Thrift's compact protocol, in which Parquet writes its footer
// and page headers (thrift/doc/specs/thrift-compact-protocol.md).
const (
	kindStop   = 0
	kindTrue   = 1
	kindFalse  = 2
	kindByte   = 3
	kindI16    = 4
	kindI32    = 5
	kindI64    = 6
	kindDouble = 7
	kindBinary = 8
	kindList   = 9
	kindSet    = 10
	kindMap    = 11
	kindStruct = 12
)

// maxDepth is how deep structs may nest; Parquet needs 7.
const maxDepth = 32

// errShort says that the bytes end before the value does.
var errShort = errors.New("metadata ends early")

// compact reads values of the compact protocol. It allocates nothing by a declared
// size. The first fault stays in err; from then on every method gives zero values.
type compact struct {
	data  []byte // not yet read
	depth int
	err   error
}

func (c *compact) fail(err error) {
	if c.err == nil {
		c.err, c.data = err, nil
	}
}

func (c *compact) take(n uint64) []byte {
	if n > uint64(len(c.data)) {
		c.fail(errShort)
		return nil
	}
	taken := c.data[:n]
	c.data = c.data[n:]
	return taken
}

func (c *compact) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *compact) uvarint() uint64 {
	v, n := binary.Uvarint(c.data)
	switch {
	case c.err != nil:
		return 0
	case n == 0:
		c.fail(errShort)
		return 0
	case n < 0:
		c.fail(errors.New("metadata holds a number of more than 64 bits"))
		return 0
	}
	c.data = c.data[n:]
	return v
}

func (c *compact) zigzag() int64 {
	v := c.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// int reads an integer field of any width.
func (c *compact) int(kind byte) int64 {
	switch kind {
	case kindByte:
		return int64(int8(c.byte()))
	case kindI16, kindI32, kindI64:
		return c.zigzag()
	}
	c.unexpected("an integer", kind)
	return 0
}

// int32 reads an integer field that must fit 32 bits.
func (c *compact) int32(kind byte) int32 {
	v := c.int(kind)
	if v != int64(int32(v)) {
		c.fail(fmt.Errorf("metadata holds %d where a 32-bit number belongs", v))
	}
	return int32(v)
}

func (c *compact) bool(kind byte) bool {
	if kind != kindTrue && kind != kindFalse {
		c.unexpected("a boolean", kind)
	}
	return kind == kindTrue
}

func (c *compact) string(kind byte) string {
	if kind != kindBinary {
		c.unexpected("text", kind)
		return ""
	}
	return string(c.take(c.uvarint()))
}

func (c *compact) unexpected(want string, kind byte) {
	c.fail(fmt.Errorf("metadata holds a value of Thrift kind %d where %s belongs", kind, want))
}

// list reads the head of a list: the kind and number of its elements. Each takes a
// byte or more, so the number is bounded by the bytes at hand.
func (c *compact) list(kind byte) (element byte, n int) {
	if kind != kindList && kind != kindSet {
		c.unexpected("a list", kind)
		return 0, 0
	}
	head := c.byte()
	size := uint64(head >> 4)
	if size == 15 {
		size = c.uvarint()
	}
	if size > uint64(len(c.data)) {
		c.fail(errShort)
		return 0, 0
	}
	return head & 15, int(size)
}

// structs reads a list of structs, each with read.
func (c *compact) structs(kind byte, read func()) {
	element, n := c.list(kind)
	if n > 0 && element != kindStruct {
		c.unexpected("a struct", element)
	}
	for ; n > 0 && c.err == nil; n-- {
		read()
	}
}

// fields reads a struct: visit is called for each field and either reads its value
// or returns false, and then the value is skipped.
func (c *compact) fields(visit func(id int64, kind byte) bool) {
	if c.depth++; c.depth > maxDepth {
		c.fail(fmt.Errorf("metadata nests deeper than %d", maxDepth))
	}
	defer func() { c.depth-- }()
	id := int64(0)
	for {
		head := c.byte()
		if c.err != nil || head == kindStop {
			return
		}
		if delta := head >> 4; delta != 0 {
			id += int64(delta)
		} else {
			id = c.zigzag()
		}
		if !visit(id, head&15) {
			c.skip(head & 15)
		}
	}
}

func (c *compact) skip(kind byte) {
	switch kind {
	case kindTrue, kindFalse:
	case kindByte:
		c.byte()
	case kindI16, kindI32, kindI64:
		c.uvarint()
	case kindDouble:
		c.take(8)
	case kindBinary:
		c.take(c.uvarint())
	case kindList, kindSet:
		c.skipList(kind)
	case kindMap:
		c.skipMap()
	case kindStruct:
		c.fields(func(int64, byte) bool { return false })
	default:
		c.unexpected("a known value", kind)
	}
}

func (c *compact) skipList(kind byte) {
	if c.depth++; c.depth > maxDepth {
		c.fail(fmt.Errorf("metadata nests deeper than %d", maxDepth))
	}
	element, n := c.list(kind)
	for ; n > 0 && c.err == nil; n-- {
		c.skipElement(element)
	}
	c.depth--
}

func (c *compact) skipMap() {
	n := c.uvarint()
	if n == 0 {
		return
	}
	kinds := c.byte()
	for ; n > 0 && c.err == nil; n-- {
		c.skipElement(kinds >> 4)
		c.skipElement(kinds & 15)
	}
}

// skipElement skips an element of a list or map, where a boolean takes a byte.
func (c *compact) skipElement(kind byte) {
	if kind == kindTrue || kind == kindFalse {
		kind = kindByte
	}
	c.skip(kind)
}
