package publish

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
)

// Revision counts the changes of the bytes that a run writes from the same inputs
// and config. It is part of the fingerprint, so that a date is published again
// only on purpose.
const Revision = 5

// Source is one file that a run reads, known by its content. Name is relative, so
// that a moved snapshot stays the same.
type Source struct {
	Name   string
	Size   int64 // bytes
	CRC32C uint32
}

// FingerprintInput is all that the bytes of a publication depend on.
type FingerprintInput struct {
	Parts       []Source // in any order
	Lists       []Source // in any order
	ModelSHA256 string   // hex; "" without a model
	Mode        string
	Config      []byte // canonical form of the config that affects bytes
}

// Fingerprint gives a SHA-256 in hex that is equal for equal inputs. It is taken
// over fields, each written as its length in decimal, a colon and its bytes, in
// this order: "churntier", Revision, mode, model, config, the number of parts, of
// each part name, size and crc32c (8 hex digits), and the same for the lists. Parts
// and lists are in order of these three; numbers are in decimal.
func Fingerprint(in FingerprintInput) string {
	h := fields{sha256.New()}
	h.add("churntier", strconv.Itoa(Revision), in.Mode, in.ModelSHA256, string(in.Config))
	h.addSources(in.Parts)
	h.addSources(in.Lists)
	return hex.EncodeToString(h.Sum(nil))
}

// fields hashes texts so that no two lists of texts look alike.
type fields struct{ hash.Hash }

func (h fields) add(texts ...string) {
	for _, t := range texts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(t), t) // a hash takes everything
	}
}

func (h fields) addSources(sources []Source) {
	h.add(strconv.Itoa(len(sources)))
	sorted := slices.SortedFunc(slices.Values(sources), func(a, b Source) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Size, b.Size), cmp.Compare(a.CRC32C, b.CRC32C))
	})
	for _, s := range sorted {
		h.add(s.Name, strconv.FormatInt(s.Size, 10), Checksum(s.CRC32C).String())
	}
}
