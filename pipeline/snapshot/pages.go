package snapshot

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
)

const (
	readAhead     = 1 << 20 // of one column; it bounds requests to a remote store
	headerGuess   = 1 << 10
	maxPageHeader = 4 << 20
	oldPadding    = 100 // parquet-mr before 1.2.9 leaves the dictionary's header out of a chunk's size (PARQUET-816)
)

// pages reads the pages of one column chunk after another, each checked against
// the limits before memory is taken for it and against its CRC when it has one.
// It is the file.PageReader of arrow-go's column readers, which gives it a run of
// pages at a time: pages that are all dictionary indices, or none.
//
// Its buffers are reused: a page holds until the next one is asked for, a
// dictionary until the end of the chunk.
type pages struct {
	input  io.ReaderAt
	limits Limits
	text   bool // whether a dictionary holds texts, to be kept apart from its indices

	inflate  inflater
	piece    *piece // that holds the chunk; nil where it is read from input
	at, end  int64  // what of the chunk is not read ahead yet
	declared int64  // end of the chunk without padding
	window   []byte
	unread   []byte // part of window
	owed     int64  // values not seen yet
	header   pageHeader
	body     []byte // of the page that waits, decompressed
	waits    bool   // whether header and body hold a page not handed out yet
	indexed  bool   // whether the run is of indices
	entries  []byte // of a dictionary that is not text
	distinct *dictionary
	numbers  []byte  // 0, 1, 2, ...: the dictionary handed out in place of texts
	lengths  []int32 // of the texts of a page that has them apart
	offer    file.Page
	current  file.Page
	err      error
}

// leave forgets the chunk that was read.
func (p *pages) leave() {
	p.input, p.piece, p.unread, p.distinct, p.offer, p.current = nil, nil, nil, nil, nil, nil
	if cap(p.body) > mostBody {
		p.body = nil
	}
	if cap(p.window) > mostBody {
		p.window = nil
	}
}

// open starts a chunk of a part of size bytes; held is the piece that it is in, or nil.
func (p *pages) open(c chunk, size int64, held *piece) error {
	inflate, err := newInflater(c.codec)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSchema, err)
	}
	p.inflate, p.at, p.declared = inflate, c.offset, c.offset+c.size
	if p.piece = held; held != nil {
		size = held.offset + held.size
	}
	p.end = min(p.declared+oldPadding, size)
	p.owed, p.unread = c.values, nil
	p.waits, p.distinct, p.offer, p.current, p.err = false, nil, nil, nil, nil
	p.entries = p.entries[:0]
	return nil
}

// nextRun starts the next run of pages. It is an error that there is none.
func (p *pages) nextRun() error {
	if !p.wait() {
		return p.err
	}
	p.indexed = p.isIndexed()
	if p.indexed {
		p.offer = p.numberPage()
	}
	return nil
}

// isIndexed says whether the waiting page holds indices into texts.
func (p *pages) isIndexed() bool { return p.text && p.header.usesDictionary() }

// Next implements file.PageReader. It ends a run without an error.
func (p *pages) Next() bool {
	p.current = nil
	if p.offer == nil && (!p.wait() || p.isIndexed() != p.indexed) {
		return false
	}
	if p.offer != nil {
		p.current, p.offer = p.offer, nil
		return true
	}
	p.current, p.waits = p.header.page(p.body), false
	return true
}

// page makes the page that arrow-go decodes.
func (h *pageHeader) page(body []byte) file.Page {
	data := memory.NewBufferBytes(body)
	if h.kind == dataPage {
		return file.NewDataPageV1(data, h.values, h.encoding, h.definition, h.repetition, h.size)
	}
	return file.NewDataPageV2(data, h.values, h.nulls, h.values, h.encoding, h.definitionBytes, h.repetitionBytes, h.size, false)
}

// wait makes a data page wait; when it cannot, err says why. A dictionary on the way
// is kept or offered.
func (p *pages) wait() bool {
	for !p.waits && p.err == nil {
		stored, err := p.readPage()
		switch {
		case err != nil:
			p.err = err
		case p.header.isData() && p.header.values > 0:
			p.body = resize(p.body, p.header.size)
			p.err = p.decompress(p.body, stored)
			p.owed -= int64(p.header.values)
			p.waits = p.err == nil
		case p.header.kind == dictionaryPage:
			p.err = p.keepDictionary(stored)
		}
	}
	return p.waits
}

// readPage reads the next header, and gives its body as stored.
func (p *pages) readPage() ([]byte, error) {
	if err := p.readHeader(); err != nil {
		return nil, err
	}
	if err := p.header.check(p.limits, p.left(), p.owed); err != nil {
		return nil, err
	}
	stored := int(p.header.stored)
	if err := p.fill(stored); err != nil {
		return nil, err
	}
	body := p.unread[:stored]
	p.unread = p.unread[stored:]
	if p.header.hasCRC && crc32.ChecksumIEEE(body) != p.header.crc {
		return nil, errors.New("found a page whose checksum (CRC) does not fit its bytes")
	}
	return body, nil
}

// readHeader reads the header of the next page.
func (p *pages) readHeader() error {
	beyond := p.beyond()
	err := p.parseHeader()
	if err != nil && beyond && !errors.Is(err, errInput) {
		return fmt.Errorf("found the end of the column %d rows early", p.owed)
	}
	return err
}

// parseHeader takes more bytes as long as the header is not whole.
func (p *pages) parseHeader() error {
	most := min(p.left(), maxPageHeader)
	for n := min(headerGuess, most); ; n = min(4*n, most) {
		if err := p.fill(int(n)); err != nil {
			return err
		}
		header, length, err := parsePageHeader(p.unread)
		if err == nil {
			p.header, p.unread = header, p.unread[length:]
			return nil
		}
		if !errors.Is(err, errShort) || n == most {
			return fmt.Errorf("page header: %w", err)
		}
	}
}

// beyond says whether what the footer calls the chunk is used up.
func (p *pages) beyond() bool { return p.at-int64(len(p.unread)) >= p.declared }

// left counts the bytes of the chunk not used yet.
func (p *pages) left() int64 { return int64(len(p.unread)) + p.end - p.at }

// fill makes unread hold n bytes or more; the chunk must have them.
func (p *pages) fill(n int) error {
	if n <= len(p.unread) {
		return nil
	}
	if p.piece != nil { // all that is left, where it lies
		p.unread = p.piece.from(p.end - p.left())[:p.left()]
		p.at = p.end
		return nil
	}
	want := int(min(int64(max(n, readAhead)), p.left()))
	if cap(p.window) < want {
		p.window = make([]byte, want)
	}
	had := copy(p.window[:want], p.unread)
	if err := fullAt(p.input, p.window[had:want], p.at); err != nil {
		return err
	}
	p.at += int64(want - had)
	p.unread = p.window[:want]
	return nil
}

func (p *pages) decompress(body, stored []byte) error {
	if !p.header.compressed {
		return copyPage(body, stored)
	}
	levels := p.header.levelBytes()
	copy(body, stored[:levels])
	body, stored = body[levels:], stored[levels:]
	if len(body) == 0 {
		return nil // some writers leave an empty region empty, whatever the codec
	}
	if err := p.inflate(body, stored); err != nil {
		return fmt.Errorf("found a page that cannot be decompressed: %w", err)
	}
	return nil
}

func (p *pages) keepDictionary(stored []byte) error {
	if e := p.header.encoding; e != parquet.Encodings.Plain && e != parquet.Encodings.PlainDict {
		return fmt.Errorf("found a dictionary in encoding %s, expected PLAIN", e)
	}
	if p.distinct != nil || p.offer != nil {
		return errors.New("found a second dictionary in one column chunk")
	}
	p.entries = resize(p.entries, p.header.size)
	if err := p.decompress(p.entries, stored); err != nil {
		return err
	}
	if !p.text {
		p.offer = file.NewDictionaryPage(memory.NewBufferBytes(p.entries), p.header.values, parquet.Encodings.Plain)
		return nil
	}
	var err error
	p.distinct, err = newDictionary(p.entries, int(p.header.values), p.limits.Value)
	return err
}

// numberPage is a dictionary of the numbers from 0: with it, arrow-go decodes the
// indices of texts as integers, checked to be inside the dictionary.
func (p *pages) numberPage() file.Page {
	n := 0
	if p.distinct != nil {
		n = p.distinct.len()
	}
	for i := len(p.numbers) / 4; i < n; i++ {
		p.numbers = append(p.numbers, byte(i), byte(i>>8), byte(i>>16), byte(i>>24))
	}
	return file.NewDictionaryPage(memory.NewBufferBytes(p.numbers[:4*n]), int32(n), parquet.Encodings.Plain)
}

// surplus says whether the chunk holds rows beyond those that were owed.
func (p *pages) surplus() bool {
	return !p.beyond() && p.readHeader() == nil && p.header.isData() && p.header.values > 0
}

// resize gives a buffer of n bytes, b itself when it is large enough.
func resize(b []byte, n int32) []byte {
	return slices.Grow(b[:0], int(n))[:n]
}

// Page implements file.PageReader.
func (p *pages) Page() file.Page { return p.current }

// Err implements file.PageReader.
func (p *pages) Err() error { return p.err }

// Close implements file.PageReader; the buffers stay for the next chunk.
func (p *pages) Close() error { return nil }

// SetMaxPageHeaderSize implements file.PageReader; the limit is fixed.
func (p *pages) SetMaxPageHeaderSize(int) {}

// errSequential says that pages are read in order only.
var errSequential = errors.New("pages are read in order only")

// Reset implements file.PageReader; open does its work.
func (p *pages) Reset(parquet.BufferedReader, int64, compress.Compression, *file.CryptoContext) {
	p.err = errSequential
}

// GetDictionaryPage implements file.PageReader. A dictionary that is due comes from
// Next.
func (p *pages) GetDictionaryPage() (*file.DictionaryPage, error) { return nil, nil }

// SeekToPageWithRow implements file.PageReader.
func (p *pages) SeekToPageWithRow(int64) error { return errSequential }
