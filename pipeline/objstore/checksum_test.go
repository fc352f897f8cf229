package objstore_test

import (
	"math/rand/v2"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
)

func TestJoinedChecksumsAreThoseOfAllBytes(t *testing.T) {
	data := someBytes(100_000)
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		var joined objstore.Checksum
		for at := 0; at < len(data); {
			n := min(r.IntN(1<<r.IntN(16)), len(data)-at)
			joined.Join(objstore.ChecksumOf(data[at : at+n]))
			at += n
		}
		if want := objstore.ChecksumOf(data); joined != want {
			t.Fatalf("joined are %+v, want %+v", joined, want)
		}
	}
}

// TestJoinKnowsManyBytes holds a length that no test reads against zeros appended one
// block at a time.
func TestJoinKnowsManyBytes(t *testing.T) {
	joined, want := objstore.ChecksumOf([]byte("start")), objstore.ChecksumOf([]byte("start"))
	block := objstore.ChecksumOf(make([]byte, 1<<20))
	var zeros objstore.Checksum
	for range 1 << 13 {
		zeros.Join(block)
		want.Join(block)
	}
	joined.Join(zeros)
	if joined != want || joined.Size != 5+1<<33 {
		t.Errorf("joined are %+v, want %+v", joined, want)
	}
}
