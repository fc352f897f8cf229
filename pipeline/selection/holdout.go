package selection

import "github.com/zeebo/xxh3"

// Buckets is into how many buckets a holdout sorts its keys.
const Buckets = 10_000

// Holdout keeps a share of the users of every audience in the control arm. The
// same key is in the same bucket for ever: a greater share moves users into the
// control arm and none out of it, and users with one key are in one arm.
type Holdout struct {
	Share float64 // above 0, below 1
	Salt  string
}

// Bucket is the bucket of a key: xxh3_64(salt, 0x00, key) mod 10000.
func (h *Holdout) Bucket(key []byte) int { return int(saltedHash(h.Salt, key) % Buckets) }

// saltedHash is xxh3_64(salt, 0x00, key).
func saltedHash(salt string, key []byte) uint64 {
	var room [128]byte
	text := append(room[:0], salt...)
	text = append(text, 0)
	return xxh3.Hash(append(text, key...))
}

// Holds tells whether a key is in the control arm.
func (h *Holdout) Holds(key []byte) bool { return float64(h.Bucket(key)) < h.Share*Buckets }
