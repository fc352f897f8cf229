package main

import (
	"fmt"
	"math/big"

	"github.com/xitongsys/parquet-go-source/local"
	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/reader"

	"github.com/churntier/churntier/scripts/interop/internal/tally"
)

// batch is how many values of a column are held at a time.
const batch = 16 << 10

// readFile tallies a file column by column.
func readFile(path string) (*tally.Table, error) {
	file, err := local.NewLocalFileReader(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := reader.NewParquetColumnReader(file, 1)
	if err != nil {
		return nil, err
	}
	defer r.ReadStop()

	t := tally.New(path)
	t.Rows = r.GetNumRows()
	for i := range r.SchemaHandler.ValueColumns {
		if err := readColumn(t, r, int64(i)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func readColumn(t *tally.Table, r *reader.ParquetReader, index int64) error {
	path := r.SchemaHandler.ValueColumns[index]
	element := r.SchemaHandler.SchemaElements[r.SchemaHandler.MapIndex[path]]
	name := r.SchemaHandler.GetExName(int(r.SchemaHandler.MapIndex[path]))
	c := t.Column(name)
	for c.Seen() < t.Rows {
		values, _, _, err := r.ReadColumnByIndex(index, min(batch, t.Rows-c.Seen()))
		if err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		if len(values) == 0 {
			return fmt.Errorf("column %s: read %d rows, the footer says %d", name, c.Seen(), t.Rows)
		}
		for _, v := range values {
			if err := addValue(c, v, element); err != nil {
				return fmt.Errorf("column %s: %w", name, err)
			}
		}
	}
	return nil
}

func addValue(c *tally.Column, value any, element *parquet.SchemaElement) error {
	switch v := value.(type) {
	case nil:
		c.Null()
	case bool:
		c.Bool(v)
	case int32:
		c.Decimal(big.NewInt(int64(v)), element.GetScale())
	case int64:
		c.Decimal(big.NewInt(v), element.GetScale())
	case float32:
		c.Float(float64(v))
	case float64:
		c.Float(v)
	case string:
		addBytes(c, v, element)
	default:
		return fmt.Errorf("no sum for a value of type %T", value)
	}
	return nil
}

// addBytes adds a text, or a decimal stored as bytes.
func addBytes(c *tally.Column, v string, element *parquet.SchemaElement) {
	if element.ConvertedType == nil || element.GetConvertedType() != parquet.ConvertedType_DECIMAL {
		c.Text(v)
		return
	}
	c.Decimal(twosComplement([]byte(v)), element.GetScale())
}

// twosComplement reads a signed big-endian integer.
func twosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}
