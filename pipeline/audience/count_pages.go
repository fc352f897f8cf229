package audience

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// Faults of pages.
var (
	errFew  = errors.New("a page ends before its values do")
	errMany = errors.New("a page goes on behind its values")
)

// counter counts the values of one column chunk, a page after the other, and makes
// nothing of them.
type counter struct {
	column *schema.Column
	words  int // of the dictionary; -1 as long as there is none
}

func newCounter(group *file.RowGroupReader, column int) (*counter, error) {
	c := &counter{column: group.MetaData().Schema.Column(column), words: -1}
	if c.column.MaxRepetitionLevel() > 0 || c.column.MaxDefinitionLevel() > 1 {
		return nil, errors.New("a column of lists or groups is never written")
	}
	return c, nil
}

// page checks a page and gives its rows.
func (c *counter) page(p file.Page) (rows int64, err error) {
	n := int(p.NumValues())
	switch p := p.(type) {
	case *file.DictionaryPage:
		if e := parquet.Encoding(p.Encoding()); c.words >= 0 || e != parquet.Encodings.Plain && e != parquet.Encodings.PlainDict {
			return 0, fmt.Errorf("a second dictionary, or one in the encoding %s", e)
		}
		c.words = n
		return 0, c.plain(p.Data(), n)
	case *file.DataPageV1:
		for _, e := range []parquet.Encoding{p.DefinitionLevelEncoding(), p.RepetitionLevelEncoding()} {
			if e != parquet.Encodings.RLE {
				return 0, fmt.Errorf("levels in the encoding %s are never written", e)
			}
		}
		return int64(n), c.values(p, n)
	}
	return 0, fmt.Errorf("a page of type %s is never written", p.Type())
}

// values checks a data page of n rows.
func (c *counter) values(p *file.DataPageV1, n int) error {
	data := p.Data()
	if c.column.MaxDefinitionLevel() > 0 {
		if len(data) < 4 || int64(binary.LittleEndian.Uint32(data)) > int64(len(data)-4) {
			return errFew
		}
		end := 4 + int(binary.LittleEndian.Uint32(data))
		ones, err := countOnes(data[4:end], n)
		if err != nil {
			return fmt.Errorf("levels: %w", err)
		}
		data, n = data[end:], ones
	}
	switch e := parquet.Encoding(p.Encoding()); e {
	case parquet.Encodings.Plain:
		return c.plain(data, n)
	case parquet.Encodings.DeltaLengthByteArray:
		return checkTexts(data, n)
	case parquet.Encodings.RLEDict, parquet.Encodings.PlainDict:
		return c.indices(data, n)
	default:
		return fmt.Errorf("the encoding %s is never written", e)
	}
}

// plain checks n values in their PLAIN form.
func (c *counter) plain(data []byte, n int) error {
	var size int
	switch t := c.column.PhysicalType(); t {
	case parquet.Types.Boolean:
		size = (n + 7) / 8
	case parquet.Types.Int32, parquet.Types.Float:
		size = 4 * n
	case parquet.Types.Int64, parquet.Types.Double:
		size = 8 * n
	case parquet.Types.FixedLenByteArray:
		size = c.column.TypeLength() * n
	case parquet.Types.ByteArray:
		return checkPlainTexts(data, n)
	default:
		return fmt.Errorf("%s is a type that is never written", t)
	}
	return checkSize(len(data), size)
}

func checkSize(got, want int) error {
	switch {
	case got < want:
		return errFew
	case got > want:
		return errMany
	}
	return nil
}

// checkPlainTexts checks n texts that each have their length before them.
func checkPlainTexts(data []byte, n int) error {
	for range n {
		if len(data) < 4 || int64(binary.LittleEndian.Uint32(data)) > int64(len(data)-4) {
			return errFew
		}
		data = data[4+int(binary.LittleEndian.Uint32(data)):]
	}
	return checkSize(len(data), 0)
}

// indices checks n indices into the dictionary.
func (c *counter) indices(data []byte, n int) error {
	if n == 0 {
		return nil // a page of nulls may lack even the width
	}
	if len(data) == 0 {
		return errFew
	}
	return checkCodes(data[1:], n, int(data[0]), c.words)
}
