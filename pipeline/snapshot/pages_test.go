package snapshot

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/klauspost/compress/zstd"
)

func TestHostilePages(t *testing.T) {
	plain := numbers(t, 100, uncompressed)
	v2 := words(t, strings.Fields(strings.Repeat("red green blue ", 30)), writing{version: parquet.DataPageV2, encoding: "plain", groupRows: 100})
	indexed := words(t, strings.Fields(strings.Repeat("red green blue ", 30)), writing{encoding: "dictionary", groupRows: 100})
	for want, c := range map[string]struct {
		file   []byte
		change func([]rawPage) []rawPage
	}{
		"page with a negative size":                      {plain, change(0, func(p *rawPage) { p.size = -1 })},
		"page of 67108865 bytes, more than the limit":    {plain, change(0, func(p *rawPage) { p.size = 64<<20 + 1 })},
		"page of 501 bytes where the column has 500":     {plain, change(0, func(p *rawPage) { p.stored = 401 + oldPadding })},
		"page of 101 rows where the footer leaves 100":   {plain, change(0, func(p *rawPage) { p.values++ })},
		"page of 2147483647 rows where the footer":       {plain, change(0, func(p *rawPage) { p.values = math.MaxInt32 })},
		"cannot be decompressed: it does not decompress": {plain, change(0, func(p *rawPage) { p.size++ })},
		"the end of the column 1 rows early":             {plain, change(0, func(p *rawPage) { p.values-- })},
		"the end of the column 100 rows early":           {plain, func([]rawPage) []rawPage { return nil }},
		"fewer values than it declares":                  {plain, change(0, func(p *rawPage) { p.body, p.size, p.stored = p.body[:40], 40, 40 })},
		"unknown encoding type":                          {plain, change(0, func(p *rawPage) { p.encoding = 77 })},
		"checksum (CRC) does not fit":                    {plain, change(0, func(p *rawPage) { p.hasCRC, p.crc = true, crc32.ChecksumIEEE(p.body)+1 })},
		"found more rows than the footer":                {plain, func(p []rawPage) []rawPage { return append(p, p[0]) }},
		"bytes of levels in":                             {v2, change(0, func(p *rawPage) { p.definitionBytes = p.size + 1 })},
		"page with a negative size; ":                    {v2, change(0, func(p *rawPage) { p.repetitionBytes = -1 })},
		"dictionary in encoding":                         {indexed, change(0, func(p *rawPage) { p.encoding = parquet.Encodings.RLEDict })},
		"dictionary of 1000 texts in 24 bytes":           {indexed, change(0, func(p *rawPage) { p.values = 1000 })},
		"more than the limit of 16777216":                {indexed, change(0, func(p *rawPage) { p.values = 1<<24 + 1 })},
		"dictionary that ends at text 3 of 4":            {indexed, change(0, func(p *rawPage) { p.values++ })},
		"dictionary that ends at text 2 of 3":            {indexed, change(0, func(p *rawPage) { p.body, p.size, p.stored = p.body[:20], 20, 20 })},
		"value of 1048577 bytes, more than":              {indexed, change(0, func(p *rawPage) { p.body = append([]byte{1, 0, 16, 0}, p.body[4:]...) })},
		"found a second dictionary":                      {indexed, func(p []rawPage) []rawPage { return append([]rawPage{p[0]}, p...) }},
		"row group 0: column \"w\": ":                    {indexed, func(p []rawPage) []rawPage { return p[1:] }},
		"Thrift kind 8 where a struct":                   {plain, func([]rawPage) []rawPage { return []rawPage{{pageHeader: pageHeader{kind: 99}, more: oddHeader()}} }},
	} {
		t.Run(want, func(t *testing.T) {
			_, err := readWhole(withPages(t, c.file, c.change), DefaultLimits())
			mustFail(t, err, ErrDamaged, want)
		})
	}
}

// Delta pages count their values themselves, which arrow-go does not compare with
// the rows of the page.
func TestFewerValuesThanRows(t *testing.T) {
	delta := writing{encoding: "special", groupRows: 100}
	for want, data := range map[string][]byte{
		"found a page with fewer values than it declares": numbers(t, 40, delta),
		"values in 100 rows":                              words(t, strings.Fields(strings.Repeat("red green ", 20)), delta),
	} {
		data = withPages(t, data, change(0, func(p *rawPage) {
			p.values = 100
			if levels := []byte{2, 0, 0, 0, 40 << 1, 1}; bytes.HasPrefix(p.body, levels) { // a run of 40 ones
				p.body = slices.Concat([]byte{3, 0, 0, 0, 200, 1, 1}, p.body[len(levels):])
				p.size, p.stored = p.size+1, p.stored+1
			}
		}))
		data = withFooter(t, data, func(m *metadata.FileMetaData) {
			m.NumRows, m.RowGroups[0].NumRows, m.RowGroups[0].Columns[0].MetaData.NumValues = 100, 100, 100
		})
		_, err := readWhole(data, DefaultLimits())
		mustFail(t, err, ErrDamaged, want)
	}
}

// change alters one page.
func change(i int, do func(*rawPage)) func([]rawPage) []rawPage {
	return func(p []rawPage) []rawPage {
		p[i].body = bytes.Clone(p[i].body)
		do(&p[i])
		return p
	}
}

// oddHeader is a field of a page header, its data header, that is text.
func oddHeader() []byte {
	var w thriftWriter
	w.text(5, "not a header")
	return w.Bytes()
}

func TestHarmlessPages(t *testing.T) {
	plain := numbers(t, 100, uncompressed)
	for name, change := range map[string]func([]rawPage) []rawPage{
		"as they are": func(p []rawPage) []rawPage { return p },
		"true CRC":    change(0, func(p *rawPage) { p.hasCRC, p.crc = true, crc32.ChecksumIEEE(p.body) }),
		"page of a kind to come, page without rows": func(p []rawPage) []rawPage {
			index := rawPage{pageHeader: pageHeader{kind: 1, size: 3, stored: 3}, body: []byte("abc")}
			empty := rawPage{pageHeader: pageHeader{kind: dataPage, definition: 3, repetition: 3}}
			return append([]rawPage{index, empty}, p[0], empty, index)
		},
		"header longer than the first guess": change(0, func(p *rawPage) {
			var w thriftWriter
			w.text(99, strings.Repeat("x", 5000))
			p.more = w.Bytes()
		}),
	} {
		t.Run(name, func(t *testing.T) {
			if rows, err := readWhole(withPages(t, plain, change), DefaultLimits()); rows != 100 || err != nil {
				t.Errorf("read %d rows, %v; want 100", rows, err)
			}
		})
	}
}

// Writers of old leave the header of the dictionary out of the size of a chunk.
func TestChunkDeclaredTooShort(t *testing.T) {
	data := numbers(t, 100, uncompressed)
	short := withFooter(t, data, func(m *metadata.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.TotalCompressedSize -= 20 })
	if rows, err := readWhole(short, DefaultLimits()); rows != 100 || err != nil {
		t.Errorf("read %d rows, %v; want 100", rows, err)
	}
}

// A few stored bytes must not become more than the page declares.
func TestDecompressionBombs(t *testing.T) {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 64<<20)
	gzip, err := compress.GetCodec(compress.Codecs.Gzip)
	if err != nil {
		t.Fatal(err)
	}
	brotli, err := compress.GetCodec(compress.Codecs.Brotli)
	if err != nil {
		t.Fatal(err)
	}
	bombs := map[compress.Compression][]byte{
		compress.Codecs.Zstd:   encoder.EncodeAll(zeros, nil),
		compress.Codecs.Snappy: binary.AppendUvarint(nil, math.MaxUint32),
		compress.Codecs.Gzip:   gzip.Encode(nil, zeros),
		compress.Codecs.Brotli: brotli.EncodeLevel(nil, zeros, 1),
		compress.Codecs.Lz4Raw: bytes.Repeat([]byte{0xff}, 1000),
	}
	for codec, bomb := range bombs {
		data := withPages(t, numbers(t, 100, uncompressed), change(0, func(p *rawPage) { p.body, p.stored = bomb, int32(len(bomb)) }))
		data = withCodec(t, data, codec)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readWhole(data, DefaultLimits())
		runtime.ReadMemStats(&after)
		mustFail(t, err, ErrDamaged, "cannot be decompressed")
		if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
			t.Errorf("%s: %d bytes were allocated for a page of 400", codec, took)
		}
	}
}

func TestUnsupportedCodecs(t *testing.T) {
	for codec, name := range map[compress.Compression]string{compress.Codecs.Lzo: "LZO", compress.Codecs.Lz4: "LZ4"} {
		data := withCodec(t, numbers(t, 100, uncompressed), codec)
		_, err := readWhole(data, DefaultLimits())
		mustFail(t, err, ErrSchema, `column "n": `)
		mustFail(t, err, ErrSchema, "compressed with "+name+"; accepted are snappy")
	}
}

// An index beyond the dictionary is found out, not read.
func TestIndexBeyondDictionary(t *testing.T) {
	data := words(t, strings.Fields(strings.Repeat("red green blue ", 30)), writing{encoding: "dictionary", groupRows: 100})
	data = withPages(t, data, change(0, func(p *rawPage) { p.values, p.size, p.stored, p.body = 2, 16, 16, p.body[:16] }))
	err := eachBatch(openBytes(t, data), []string{"w"}, func(arrow.RecordBatch) {})
	mustFail(t, err, ErrDamaged, `column "w"`)
}

// Pages may not inflate to less than they declare either.
func TestPagesThatInflateToLess(t *testing.T) {
	for _, codec := range []compress.Compression{
		compress.Codecs.Snappy, compress.Codecs.Gzip, compress.Codecs.Brotli, compress.Codecs.Zstd, compress.Codecs.Lz4Raw,
	} {
		data := numbers(t, 100, writing{codec: codec, encoding: "plain", groupRows: 100})
		_, err := readWhole(withPages(t, data, change(0, func(p *rawPage) { p.size++ })), DefaultLimits())
		mustFail(t, err, ErrDamaged, "cannot be decompressed")
	}
}

func TestPagesAreSequential(t *testing.T) {
	var p pages
	p.SetMaxPageHeaderSize(1)
	p.Reset(nil, 0, compress.Codecs.Uncompressed, nil)
	if d, err := p.GetDictionaryPage(); d != nil || err != nil || p.Err() == nil || p.SeekToPageWithRow(1) == nil || p.Close() != nil {
		t.Error("pages can be read out of order")
	}
}
