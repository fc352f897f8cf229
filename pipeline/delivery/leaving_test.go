package delivery

import (
	"fmt"
	"slices"
	"testing"
)

// A list longer than its memory and than a part gives everyone, in their order, and each
// part by itself.
func TestLeaversComeBackInTheirOrder(t *testing.T) {
	for _, n := range []int{0, 1, leavingPart, 2*leavingPart + 3} {
		l := &leavingList{temp: t.TempDir()}
		var want []leaving
		for i := range n {
			v := leaving{
				ID: fmt.Sprint("user ", i), Audience: []string{"a", "b"}[i/7%2], Identity: []string{"", `{"email":"x"}`}[i%2],
				Place: int64(i) - 5, Moved: i%2 == 0, Elsewhere: i%3 == 0, HeldOut: i%5 == 0, Why: []Reason{"", Renamed, Rejected}[i/9%3],
			}
			want = append(want, v)
			if err := l.add(v); err != nil {
				t.Fatal(err)
			}
		}
		var got []leaving
		for k := range l.parts {
			some, err := l.part(k)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, some...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d leavers: %d not as they were added", n, len(got))
		}
		for k := range l.parts {
			some, err := l.part(len(l.parts) - 1 - k)
			if first := (len(l.parts) - 1 - k) * leavingPart; err != nil || !slices.Equal(some, want[first:first+len(some)]) {
				t.Errorf("%d leavers, those from %d on: %v", n, first, err)
			}
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}
}
