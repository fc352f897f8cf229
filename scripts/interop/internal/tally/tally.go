// Package tally sums what a Parquet reader saw, so that two readers can be
// compared without comparing rows: equal tables give equal tallies, whatever the
// order of their rows, their files, pages or encodings.
//
// Sums are exact for integers and decimals, and exact in practice for floats
// (300 bits, rounded to float64 once, at the end). The checksum of a text column
// is the sum modulo 2^64 of the low 64 bits of each value's MD5; in DuckDB that
// is sum(md5_number_lower(x)) % 18446744073709551616.
package tally

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
)

// Table is the tally of one file, or of several added up.
type Table struct {
	File    string             `json:"file,omitempty"`
	Rows    int64              `json:"rows"`
	Columns map[string]*Column `json:"columns"`
}

// New gives the tally of a file of which nothing was read yet.
func New(file string) *Table {
	return &Table{File: file, Columns: map[string]*Column{}}
}

// Column gives the tally of a column, an empty one at first.
func (t *Table) Column(name string) *Column {
	if t.Columns[name] == nil {
		t.Columns[name] = &Column{}
		t.Columns[name].reals.SetPrec(precision)
	}
	return t.Columns[name]
}

// Add takes the tally of another file into t. A column may be missing on either
// side; one that is numeric here and text there is an error.
func (t *Table) Add(o *Table) error {
	for name, c := range o.Columns {
		if err := t.Column(name).add(c); err != nil {
			return fmt.Errorf("column %s of %s: %w", name, o.File, err)
		}
	}
	t.Rows += o.Rows
	return nil
}

// precision of sums of floats, in bits.
const precision = 300

type kind int

const (
	unknown kind = iota // only nulls so far
	exact               // integers, booleans, dates, times, decimals
	real
	text
)

// Column is the tally of one column. All its values must come through the same
// one of Int, Decimal, Float and Text.
type Column struct {
	kind      kind
	values    int64
	nulls     int64
	notFinite int64 // NaN and infinities, which no sum holds
	units     big.Int
	scale     int32
	reals     big.Float
	checksum  uint64
}

// Seen counts the values and nulls so far.
func (c *Column) Seen() int64 { return c.values + c.nulls }

// Null counts a null.
func (c *Column) Null() { c.nulls++ }

// Int adds an integer, or what is stored as one.
func (c *Column) Int(v int64) { c.Decimal(big.NewInt(v), 0) }

// Bool adds a boolean: the sum counts those that are true.
func (c *Column) Bool(v bool) {
	if v {
		c.Int(1)
	} else {
		c.Int(0)
	}
}

// Decimal adds unscaled / 10^scale. The scale is the column's, the same each time.
func (c *Column) Decimal(unscaled *big.Int, scale int32) {
	c.kind, c.scale = exact, scale
	c.values++
	c.units.Add(&c.units, unscaled)
}

// Float adds a float; NaN and infinities are counted apart.
func (c *Column) Float(v float64) {
	c.kind = real
	c.values++
	if math.IsNaN(v) || math.IsInf(v, 0) {
		c.notFinite++
		return
	}
	c.reals.Add(&c.reals, big.NewFloat(v))
}

// Text adds a text.
func (c *Column) Text(v string) {
	c.kind = text
	c.values++
	sum := md5.Sum([]byte(v))
	c.checksum += binary.LittleEndian.Uint64(sum[8:])
}

func (c *Column) add(o *Column) error {
	if c.kind == unknown {
		c.kind, c.scale = o.kind, o.scale
	}
	if o.kind != unknown && (c.kind != o.kind || c.scale != o.scale) {
		return fmt.Errorf("its type differs from that in the files before")
	}
	c.values += o.values
	c.nulls += o.nulls
	c.notFinite += o.notFinite
	c.units.Add(&c.units, &o.units)
	c.reals.Add(&c.reals, &o.reals)
	c.checksum += o.checksum
	return nil
}

// MarshalJSON writes the nulls, and the sum of numbers or the checksum of texts.
// The checksum is a string: it has more digits than a JSON number keeps.
func (c *Column) MarshalJSON() ([]byte, error) {
	out := struct {
		Nulls     int64       `json:"nulls"`
		NotFinite int64       `json:"not_finite,omitempty"`
		Sum       json.Number `json:"sum,omitempty"`
		Checksum  string      `json:"checksum,omitempty"`
	}{Nulls: c.nulls, NotFinite: c.notFinite}
	switch c.kind {
	case exact:
		out.Sum = json.Number(c.decimalSum())
	case real:
		sum, _ := c.reals.Float64()
		out.Sum = json.Number(strconv.FormatFloat(sum, 'g', -1, 64))
	case text:
		out.Checksum = strconv.FormatUint(c.checksum, 10)
	case unknown:
	}
	return json.Marshal(out)
}

func (c *Column) decimalSum() string {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.scale)), nil)
	return new(big.Rat).SetFrac(&c.units, scale).FloatString(int(c.scale))
}
