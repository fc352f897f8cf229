package audience_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/publish"
)

// TestBytesOfTheRevision: files of the same users have the bytes that they had when
// publish.Revision was last raised. Where they change on purpose, raise it and write the
// new sums down here.
func TestBytesOfTheRevision(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("bytes are promised to be the same on amd64; compressors differ elsewhere")
	}
	if publish.Revision != 5 {
		t.Fatal("write down the sums of the new revision")
	}
	block, layout := benchBlock()
	schema := block.Batch.Schema()
	parquet := func(compression string) func(io.Writer) (audience.Encoder, error) {
		return func(w io.Writer) (audience.Encoder, error) {
			return audience.NewParquet(w, layout, schema, audience.ParquetOptions{Compression: compression})
		}
	}
	jsonl := func(w io.Writer) (audience.Encoder, error) { return audience.NewJSONL(w, layout, schema) }
	for name, form := range map[string]struct {
		open func(io.Writer) (audience.Encoder, error)
		want string
	}{
		"zstd":   {parquet("zstd"), "59e31c230cf2f0274eb2702b43734bf413af5745c9a41f2fdb1813d80ce29420"},
		"snappy": {parquet("snappy"), "23c15881e8d1375153dd96bc62802fdbe1c8e17fa09ba212e95822f20949f3b7"},
		"csv": {func(w io.Writer) (audience.Encoder, error) {
			return audience.NewCSV(w, layout, schema, audience.CSVOptions{})
		}, "82589bfbb0d8c6a6f64b549823943a3ac6c63be57bcd390689acb40874ca175a"},
		"jsonl":    {jsonl, "c8518ca5a658a4f66810c4cea5b54eac2d78c034394b74cc4a9c52b6a2b66ee4"},
		"jsonl.gz": {func(w io.Writer) (audience.Encoder, error) { return audience.NewGzip(w, jsonl) }, "fa6fe3e93e17dff0c1e794a9ef7b434e6667c4ff53d72faeeed4ff13c2fb6651"},
	} {
		sum := sha256.New()
		e, err := form.open(sum)
		if err != nil {
			t.Fatal(err)
		}
		for range 9 { // more than a row group
			err = errors.Join(err, e.Write(block, ascending(benchRows)))
		}
		if err := errors.Join(err, e.Close()); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != form.want {
			t.Errorf("%s: %s, want %s", name, got, form.want)
		}
	}
}
