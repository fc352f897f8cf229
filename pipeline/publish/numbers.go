package publish

import (
	"fmt"
	"math"
	"strconv"
)

// Hundredths is a score from 0.00 to 100.00 as an exact count of hundredths. In
// JSON it is a number with as many decimals as it needs: 7500 is 75, 4999 is 49.99.
type Hundredths uint16

// String gives the JSON form.
func (h Hundredths) String() string {
	return strconv.FormatFloat(float64(h)/100, 'f', -1, 64)
}

// MarshalJSON gives the number of String.
func (h Hundredths) MarshalJSON() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalJSON reads what MarshalJSON gives, and nothing else.
func (h *Hundredths) UnmarshalJSON(data []byte) error {
	f, err := strconv.ParseFloat(string(data), 64)
	n := math.Round(f * 100)
	if err != nil || !(n >= 0 && n <= math.MaxUint16) || Hundredths(n).String() != string(data) {
		return fmt.Errorf("score %s: expected a number with up to two decimals, such as 49.99", data)
	}
	*h = Hundredths(n)
	return nil
}

// Checksum is a CRC32C (Castagnoli), in JSON as 8 hex digits in quotes.
type Checksum uint32

// String gives the 8 hex digits.
func (c Checksum) String() string { return fmt.Sprintf("%08x", uint32(c)) }

// MarshalText gives the form of String.
func (c Checksum) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the form of String, and nothing else.
func (c *Checksum) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 32)
	if err != nil || Checksum(n).String() != string(text) {
		return fmt.Errorf("crc32c %q: expected 8 hex digits", text)
	}
	*c = Checksum(n)
	return nil
}
