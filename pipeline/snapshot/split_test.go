package snapshot_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/snapshot"
)

func partsOf(groups [][]int64) []snapshot.Part {
	parts := make([]snapshot.Part, len(groups))
	for i, g := range groups {
		parts[i].GroupRows = g
		for _, rows := range g {
			parts[i].Rows += rows
		}
	}
	return parts
}

// Every row group is in exactly one split, in order, and rows are numbered without
// a gap.
func TestCutCoversEveryRowGroupOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		group := rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(1000, 200_000), rapid.Int64Range(1, 3_000_000))
		parts := partsOf(rapid.SliceOfN(rapid.SliceOfN(group, 0, 20), 0, 12).Draw(t, "row groups"))
		type place struct{ part, group int }
		var want, got []place
		for p, part := range parts {
			for g, rows := range part.GroupRows {
				if rows > 0 {
					want = append(want, place{p, g})
				}
			}
		}
		row := int64(0)
		for i, s := range snapshot.Cut(parts, snapshot.SplitRows) {
			if s.Index != i || s.First != row || s.Rows == 0 {
				t.Fatalf("split %d is %+v, want first row %d", i, s, row)
			}
			for _, r := range s.Ranges {
				before, rows := int64(0), int64(0)
				for g, n := range parts[r.Part].GroupRows {
					if g < r.Group {
						before += n
					} else if g < r.Group+r.Groups {
						rows += n
						if n > 0 {
							got = append(got, place{r.Part, g})
						}
					}
				}
				if r.Row != before || r.Rows != rows {
					t.Fatalf("range %+v: want row %d, rows %d", r, before, rows)
				}
				row += r.Rows
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d row groups in splits, %d in parts", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("row group %d is %v, want %v", i, got[i], want[i])
			}
		}
	})
}

func TestCutSizes(t *testing.T) {
	group := make([]int64, 11)
	for i := range group {
		group[i] = 122_880
	}
	for name, tc := range map[string]struct {
		parts  [][]int64
		splits int
	}{
		"a small snapshot is one split":            {[][]int64{{1000}, {1000}, {1000}}, 1},
		"many small parts share a split":           {[][]int64{{400_000}, {400_000}, {400_000}, {400_000}, {400_000}}, 2},
		"ten million rows in eight parts":          {[][]int64{group, group, group, group, group, group, group, group}, 10},
		"a row group is never divided":             {[][]int64{{5_000_000}, {10}}, 2},
		"no rows, no split":                        {[][]int64{{}, {0, 0}}, 0},
		"empty row groups make no split of theirs": {[][]int64{{0}, {5}, {0}}, 1},
	} {
		if got := snapshot.Cut(partsOf(tc.parts), snapshot.SplitRows); len(got) != tc.splits {
			t.Errorf("%s: %d splits, want %d: %+v", name, len(got), tc.splits, got)
		}
	}
}
