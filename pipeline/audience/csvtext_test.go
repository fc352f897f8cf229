package audience

import (
	"strings"
	"testing"
)

func TestIsBare(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for b := range 256 {
				s := strings.Repeat("z", at) + string([]byte{byte(b)}) + strings.Repeat("-", length-at-1)
				if got, want := isBare(s), b > ',' && b < 0x80; got != want {
					t.Fatalf("%q: %t, want %t", s, got, want)
				}
			}
		}
	}
}
