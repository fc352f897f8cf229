package snapshot

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// signatures are the first bytes of what people take for Parquet.
var signatures = []struct{ bytes, name string }{
	{"PARE", "encrypted Parquet, which is not supported"},
	{"\x1f\x8b", "a gzip file"},
	{"\x28\xb5\x2f\xfd", "a zstd file"},
	{"PK\x03\x04", "a zip file"},
	{"BZh", "a bzip2 file"},
	{"ORC", "an ORC file"},
	{"Obj\x01", "an Avro file"},
	{"ARRO", "an Arrow IPC file"},
	{"SQLi", "an SQLite database"},
	{"{", "JSON"},
	{"[", "JSON"},
	{"<", "XML or HTML"},
}

// foreign names what a file without Parquet's magic seems to be.
func foreign(r io.ReaderAt, head []byte, size int64) string {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.bytes)) {
			return s.name
		}
	}
	const sample = 512
	start, err := readAt(r, 0, min(size, sample))
	if err == nil && isText(start) {
		return "text, such as CSV"
	}
	return fmt.Sprintf("a file that starts with the bytes % x", head)
}

// isText says whether a sample, which may end inside a character, is text.
func isText(sample []byte) bool {
	for len(sample) > utf8.UTFMax {
		r, n := utf8.DecodeRune(sample)
		if r == utf8.RuneError || r < ' ' && !bytes.ContainsRune([]byte("\t\r\n\f"), r) && n == 1 {
			return false
		}
		sample = sample[n:]
	}
	return bytes.IndexFunc(sample, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' }) < 0
}
