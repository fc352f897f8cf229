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

// Check returns ErrChecksum, with both in the message, unless c is want.
func (c Checksum) Check(want Checksum) error {
	if c == want {
		return nil
	}
	return fmt.Errorf("%w: found %d bytes with crc32c %08x, expected %d bytes with crc32c %08x",
		ErrChecksum, c.Size, c.CRC32C, want.Size, want.CRC32C)
}
