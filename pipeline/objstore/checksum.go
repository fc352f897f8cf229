package objstore

import (
	"fmt"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum says which bytes are meant: how many, and their CRC32C. The zero
// value is that of no bytes.
type Checksum struct {
	Size   int64
	CRC32C uint32
}

// ChecksumOf gives the checksum of data.
func ChecksumOf(data []byte) Checksum {
	var c Checksum
	c.Add(data)
	return c
}

// Add appends p to the bytes that c stands for.
func (c *Checksum) Add(p []byte) {
	c.Size += int64(len(p))
	c.CRC32C = crc32.Update(c.CRC32C, castagnoli, p)
}

// Join appends the bytes that next stands for to those that c stands for.
func (c *Checksum) Join(next Checksum) {
	c.Size += next.Size
	c.CRC32C = times(c.CRC32C, shift(next.Size)) ^ next.CRC32C
}

// A CRC is a polynomial over the two numbers 0 and 1, modulo that of Castagnoli. The
// highest bit is the coefficient of 1, the next one that of x. To append n bytes is to
// multiply by x to the power of 8n and to add.
const one, x = 1 << 31, 1 << 30

// shift gives x to the power of 8n.
func shift(n int64) uint32 {
	power, square := uint32(one), uint32(x)
	for n *= 8; n > 0; n /= 2 {
		if n%2 == 1 {
			power = times(power, square)
		}
		square = times(square, square)
	}
	return power
}

// times gives the product of two polynomials.
func times(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		if a&one != 0 {
			product ^= b
		}
		b = b>>1 ^ crc32.Castagnoli*(b&1)
	}
	return product
}

// Check returns ErrChecksum, with both in the message, unless c is want.
func (c Checksum) Check(want Checksum) error {
	if c == want {
		return nil
	}
	return fmt.Errorf("%w: found %d bytes with crc32c %08x, expected %d bytes with crc32c %08x",
		ErrChecksum, c.Size, c.CRC32C, want.Size, want.CRC32C)
}
