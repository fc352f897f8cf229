package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/zstd"
)

// inflater decompresses pages into buffers of the declared size and refuses a page
// that would need more, before it is allocated.
type inflater func(page, stored []byte) error

var errInflated = errors.New("it does not decompress to the declared size")

// newInflater gives the inflater of a codec, or an error that names the codec.
func newInflater(c compress.Compression) (inflater, error) {
	switch c {
	case compress.Codecs.Uncompressed:
		return copyPage, nil
	case compress.Codecs.Zstd:
		return inflateZstd()
	case compress.Codecs.Snappy:
		inflate, err := inflateWith(c)
		return checkSnappy(inflate), err
	case compress.Codecs.Gzip, compress.Codecs.Brotli, compress.Codecs.Lz4Raw:
		return inflateWith(c)
	}
	return nil, fmt.Errorf("compressed with %s; accepted are snappy, zstd, gzip, brotli, lz4_raw and none", c)
}

func copyPage(page, stored []byte) error {
	if len(stored) != len(page) {
		return errInflated
	}
	copy(page, stored)
	return nil
}

// inflateWith uses arrow-go's codec, which stops at the end of the page.
func inflateWith(c compress.Compression) (inflater, error) {
	codec, err := compress.GetCodec(c)
	return func(page, stored []byte) error {
		got, err := compress.Decode(codec, page, stored)
		return checkInflated(page, got, err)
	}, err
}

// checkSnappy checks the size that a snappy block begins with: arrow-go's codec
// would allocate whatever it says.
func checkSnappy(inflate inflater) inflater {
	return func(page, stored []byte) error {
		if n, width := binary.Uvarint(stored); width <= 0 || n != uint64(len(page)) {
			return errInflated
		}
		return inflate(page, stored)
	}
}

// zstdDecoder stops at the capacity it is given, where arrow-go's would go on to
// 64 GiB. It is safe for concurrent use.
var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderConcurrency(0))
})

func inflateZstd() (inflater, error) {
	decoder, err := zstdDecoder()
	return func(page, stored []byte) error {
		got, err := decoder.DecodeAll(stored, page[:0:len(page)])
		return checkInflated(page, got, err)
	}, err
}

func checkInflated(page, got []byte, err error) error {
	if err != nil {
		return err
	}
	if len(got) != len(page) {
		return errInflated
	}
	return nil
}
