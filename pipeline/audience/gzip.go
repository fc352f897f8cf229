package audience

import (
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
)

// gzipLevel is the fastest one on lines of users, and leaves no larger files than
// the slower ones; see BenchmarkGzip.
const gzipLevel = 3

// gzipEncoder compresses what another encoder writes.
type gzipEncoder struct {
	Encoder
	gz *gzip.Writer
	latch
}

// NewGzip starts a file that holds, as one gzip member, what the encoder of open
// writes. The header has neither name nor time, so the bytes depend on what is
// compressed alone; without any they are a member that holds nothing.
func NewGzip(w io.Writer, open func(io.Writer) (Encoder, error)) (Encoder, error) {
	gz, err := gzip.NewWriterLevel(w, gzipLevel)
	if err != nil {
		return nil, err
	}
	gz.ModTime = time.Unix(0, 0) // the zero Time is written as a date in 2042
	e, err := open(gz)
	if err != nil {
		return nil, err
	}
	return &gzipEncoder{Encoder: e, gz: gz}, nil
}

func (e *gzipEncoder) Close() error {
	if err := e.Encoder.Close(); err != nil {
		return err
	}
	return e.guard(e.gz.Close)
}
