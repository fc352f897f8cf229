package score

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLabels(t *testing.T) {
	labels, err := NewLabels([]uint16{10001, 7500, 7500, 5000, 0})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]uint8, 8)
	labels.Apply(got, []uint16{10000, 7500, 7499, 5000, 4999, 0, NoScore, 10001})
	if diff := cmp.Diff([]uint8{1, 1, 3, 3, 4, 4, NoCategory, NoCategory}, got); diff != "" {
		t.Errorf("categories (-want +got):\n%s", diff)
	}
}

func TestLabelsRefuseCuts(t *testing.T) {
	for _, cuts := range [][]uint16{nil, {5000}, {5000, 7500, 0}, {10002, 0}, make([]uint16, 256)} {
		if _, err := NewLabels(cuts); err == nil {
			t.Errorf("cuts %v are taken, want an error", cuts)
		}
	}
}
