package snapshot

import (
	"bytes"
	"strings"
	"testing"
)

func TestCompactSkipsWhatItDoesNotKnow(t *testing.T) {
	var w thriftWriter
	w.flag(50, true)
	w.head(51, kindByte)
	w.WriteByte(7)
	w.number(52, -1<<40)
	w.head(53, kindDouble)
	w.WriteString("8 bytes.")
	w.text(54, "text")
	w.head(55, kindList)
	w.Write([]byte{3<<4 | kindTrue, 1, 2, 1}) // three booleans
	w.head(56, kindSet)
	w.Write([]byte{15<<4 | kindByte, 16})
	w.Write(make([]byte, 16))
	w.head(57, kindMap)
	w.Write([]byte{2, kindBinary<<4 | kindTrue, 1, 'a', 1, 1, 'b', 2})
	w.head(58, kindMap)
	w.WriteByte(0)
	w.group(59, func() { w.group(1, func() { w.number(1, 5) }) })
	w.WriteByte(kindByte | 1<<4) // field 60, as a difference
	w.WriteByte(42)
	w.WriteByte(kindStop)
	w.WriteString("what follows")

	c := &compact{data: w.Bytes()}
	got := int64(0)
	c.fields(func(id int64, kind byte) bool {
		if id == 60 {
			got = c.int(kind)
		}
		return id == 60
	})
	if c.err != nil || got != 42 || string(c.data) != "what follows" {
		t.Errorf("field 60 is %d, the rest %q, error %v; want 42 and what follows", got, c.data, c.err)
	}
}

func TestCompactRefuses(t *testing.T) {
	one := func(kind byte, value ...byte) []byte { return append(append([]byte{1<<4 | kind}, value...), kindStop) }
	asInt := func(c *compact, kind byte) { c.int(kind) }
	for name, c := range map[string]struct {
		data []byte
		read func(*compact, byte)
		want string
	}{
		"nothing":              {nil, asInt, "ends early"},
		"no end":               {[]byte{1<<4 | kindI32, 2}, asInt, "ends early"},
		"half a number":        {[]byte{1<<4 | kindI32, 0x80}, asInt, "ends early"},
		"endless number":       {one(kindI64, bytes.Repeat([]byte{0xff}, 11)...), asInt, "more than 64 bits"},
		"long number":          {one(kindI64, 0xfe, 0xff, 0xff, 0xff, 0xff, 1), func(c *compact, k byte) { c.int32(k) }, "32-bit"},
		"text for a number":    {one(kindBinary, 1, 'a'), asInt, "an integer belongs"},
		"number for text":      {one(kindI32, 1), func(c *compact, k byte) { c.string(k) }, "text belongs"},
		"number for a flag":    {one(kindI32, 1), func(c *compact, k byte) { c.bool(k) }, "a boolean belongs"},
		"number for a list":    {one(kindI32, 1), func(c *compact, k byte) { c.list(k) }, "a list belongs"},
		"list of numbers":      {one(kindList, 1<<4|kindI32, 1), func(c *compact, k byte) { c.structs(k, func() {}) }, "a struct belongs"},
		"text beyond the end":  {one(kindBinary, 0xff, 0xff, 0xff, 0xff, 0x7f), func(c *compact, k byte) { c.string(k) }, "ends early"},
		"list beyond the end":  {one(kindList, 15<<4|kindI32, 0xff, 0xff, 0x7f), func(c *compact, k byte) { c.list(k) }, "ends early"},
		"map beyond the end":   {one(kindMap, 0xff, 0xff, 0x7f, kindI32<<4|kindI32), func(c *compact, k byte) { c.skip(k) }, "ends early"},
		"unknown kind":         {one(14), func(c *compact, k byte) { c.skip(k) }, "a known value belongs"},
		"structs without end":  {bytes.Repeat([]byte{1<<4 | kindStruct}, 100), func(c *compact, k byte) { c.skip(k) }, "nests deeper"},
		"lists without end":    {append([]byte{1<<4 | kindList}, bytes.Repeat([]byte{1<<4 | kindList}, 100)...), func(c *compact, k byte) { c.skip(k) }, "nests deeper"},
		"number for a meaning": {one(kindI32, 1), func(c *compact, k byte) { readAnnotation(c, k) }, "an annotation belongs"},
	} {
		reader := &compact{data: c.data}
		reader.fields(func(_ int64, kind byte) bool { c.read(reader, kind); return true })
		if reader.err == nil || !strings.Contains(reader.err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, reader.err, c.want)
		}
	}
}
