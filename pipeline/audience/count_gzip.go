package audience

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// CountGzip reads a written gzip file again with count, which must read to the
// end. It decompresses with another library than the encoder, holds no more than
// a window of the data, and compares length and checksum. A file that is not one
// gzip member to its last byte, or whose header says more than the encoder's
// does, is ErrDamaged.
func CountGzip(r io.Reader, count func(io.Reader) (int64, error)) (int64, error) {
	in := bufio.NewReaderSize(r, 64<<10) // a ByteReader: nothing after the member is read from it
	gz, err := gzip.NewReader(in)
	if err != nil {
		return 0, damagedGzip(err)
	}
	gz.Multistream(false)
	if h := gz.Header; h.Name != "" || h.Comment != "" || h.Extra != nil || !h.ModTime.IsZero() {
		return 0, fmt.Errorf("%w: the gzip header has a name, a comment, a time or more", ErrDamaged)
	}
	rows, err := count(gz)
	if err != nil {
		return 0, damagedGzip(err)
	}
	switch _, err := in.ReadByte(); err {
	case io.EOF:
		return rows, nil
	case nil:
		return 0, fmt.Errorf("%w: bytes follow the end of the gzip member", ErrDamaged)
	default:
		return 0, err
	}
}

// damagedGzip makes what is wrong with the data an ErrDamaged, and leaves errors
// of the reader below.
func damagedGzip(err error) error {
	var corrupt flate.CorruptInputError
	for _, kind := range []error{gzip.ErrHeader, gzip.ErrChecksum, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, kind) {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if errors.As(err, &corrupt) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}
