package audience

import (
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// codec compresses pages.
type codec struct {
	id compress.Compression
	// compress gives src compressed, in dst's memory when that is large enough.
	compress func(dst, src []byte) []byte
	// optional says that a column chunk is stored as it is when its first page
	// hardly shrinks.
	optional bool
}

// codecOf gives the codec of a name in a config.
func codecOf(name string) (codec, error) {
	switch name {
	case "", "zstd":
		return codec{id: compress.Codecs.Zstd, compress: compressZstd}, nil
	case "snappy":
		return codec{id: compress.Codecs.Snappy, compress: s2.EncodeSnappy, optional: true}, nil
	}
	return codec{}, fmt.Errorf("%w: compression %q: want zstd or snappy", ErrOption, name)
}

// compressZstd makes one frame with a checksum of what it holds.
func compressZstd(dst, src []byte) []byte { return zstdEncoder().EncodeAll(src, dst[:0]) }

// zstdEncoder is on the fastest level: on ids and scores it takes a quarter less time
// than the default and leaves no larger files. Random ids, in which it finds nothing
// to repeat, still have their characters coded in fewer bits.
var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithAllLitEntropyCompression(true))
	if err != nil {
		panic(err) // of options that cannot be combined
	}
	return e
})

// hardlyShrinks says whether a page saves less than a thirty-second.
func hardlyShrinks(stored, page []byte) bool { return len(stored) > len(page)-len(page)/32 }
