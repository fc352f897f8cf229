package audience

import "testing"

// TestNumbersWhoseHashesFallTogether: numbers made to meet in one slot are not numbered,
// rather than compared with each other for hours.
func TestNumbersWhoseHashesFallTogether(t *testing.T) {
	factor, inverse := uint64(0x9E3779B97F4A7C15), uint64(0xF1DE83E19937733D) // of the hash, modulo 2^64
	if factor*inverse != 1 {
		t.Fatal("not the inverse")
	}
	values := make([]uint64, groupRows)
	for i := range values {
		values[i] = uint64(i%40_000) * inverse // the hash is i
	}
	var d numbering[uint64]
	if d.number(values) {
		t.Errorf("%d words with the same hash were numbered", len(d.words))
	}
	for i := range values {
		values[i] = uint64(i % 40_000)
	}
	if !d.number(values) || len(d.words) != 40_000 {
		t.Errorf("%d of 40,000 words were numbered", len(d.words))
	}
}
