package identity

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func assertEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Fatalf("%d files left in the temp folder, first %s", len(entries), entries[0].Name())
	}
}

// pairs is a night of n rows, each id on two rows of equal content.
func pairs(n int) night {
	users := make([]user, n)
	for i := range users {
		users[i].id = "user-" + string(rune('a'+i/2%26)) + string(rune('a'+i/52))
	}
	return night{users: users, o: Options{Rows: int64(n), Workers: 1, Policy: KeepIdentical}}
}

func TestSuspectsAreABitmap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.Int64Range(0, 300).Draw(t, "rows")
		s := newSuspects(Options{Rows: rows / 2, Listed: rows - rows/2})
		has := make([]bool, rows)
		for row := range has {
			if has[row] = rapid.IntRange(0, 20).Draw(t, "suspect") == 0; has[row] {
				s.add(int64(row))
			}
		}
		s.seal()
		next, count := int64(-1), int64(0)
		for row := rows - 1; row >= 0; row-- {
			if has[row] {
				next = row
				count++
			}
			if s.Has(row) != has[row] || s.Next(row) != next {
				t.Fatalf("row %d: Has %v, Next %d, want %v, %d", row, s.Has(row), s.Next(row), has[row], next)
			}
			n := rapid.Int64Range(0, 100).Draw(t, "n")
			if s.Any(row, n) != (next >= 0 && next < row+n) {
				t.Fatalf("Any(%d, %d) is %v, next is %d", row, n, s.Any(row, n), next)
			}
		}
		if s.Count() != count || s.Has(-1) || s.Has(rows) || s.Next(rows) != -1 || s.Next(-5) != s.Next(0) {
			t.Fatalf("count %d, want %d; or wrong beyond the ends", s.Count(), count)
		}
	})
}

func TestIDsThatAreOnlyOnListsAreNoSuspects(t *testing.T) {
	n := night{users: []user{{id: "a"}}, listed: []string{"x", "y", "x"}, o: Options{Rows: 1, Listed: 3, Workers: 1}}
	s, err := n.sieve()
	if err != nil {
		t.Fatal(err)
	}
	if s.Count() != 0 {
		t.Fatalf("%d suspects, the first is row %d", s.Count(), s.Next(0))
	}
}

// A crowd begins at the 21st row, listed rows of the same id beside; a list goes
// before it.
func TestWhereACrowdBegins(t *testing.T) {
	for name, hash := range hashes {
		n := night{listed: []string{"other", "listed", "listed"}}
		for _, id := range []string{"twenty", "many", "listed"} {
			for range map[string]int{"twenty": 20, "many": 21, "listed": 25}[id] {
				n.users = append(n.users, user{id: id, content: byte(len(n.users))})
			}
		}
		n.o = Options{Rows: int64(len(n.users)), Listed: 3, Workers: 1, Policy: Crowd, hash: hash}
		got, s, err := n.fates()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(n.bruteForce(), got); diff != "" || got[0] != Kept || got[20] != Crowded || got[41] != Listed {
			t.Fatalf("%s: %s", name, diff)
		}
		if name == "xxh3" && s.Count() != 21+25+2 {
			t.Errorf("%d suspects: those of the twenty are none", s.Count())
		}
	}
}

func TestNoFatesKeepsEveryRow(t *testing.T) {
	dst := []Fate{Listed, DuplicateID}
	found, err := NoFates().Fill(5, dst)
	if found || err != nil || dst[0] != Kept || dst[1] != Kept || NoFates().Close() != nil {
		t.Fatalf("got %v, %v, %v", dst, found, err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	cases := map[string]Options{
		"keep_newest": {Policy: "keep_newest"},
		"negative":    {Rows: -1},
	}
	for want, o := range cases {
		if _, err := NewSieve(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("sieve: got %v, want %q named", err, want)
		}
		if _, err := NewJudge(o, newSuspects(Options{})); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("judge: got %v, want %q named", err, want)
		}
	}
	if _, err := NewJudge(Options{Rows: 5, Listed: 1}, newSuspects(Options{Rows: 4, Listed: 2})); err == nil {
		t.Error("suspects of another snapshot were taken")
	}
}

func TestRowsOutsideTheAnnouncedAreRefused(t *testing.T) {
	s, err := NewSieve(Options{Rows: 2, Listed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	builder := array.NewStringBuilder(memory.DefaultAllocator)
	builder.AppendValues([]string{"a", "b"}, nil)
	var ids IDs
	if err := ids.Load(builder.NewStringArray()); err != nil {
		t.Fatal(err)
	}
	for _, first := range []int64{-1, 2} {
		if err := s.Collector().Add(&ids, first); err == nil || !strings.Contains(err.Error(), "3 rows") {
			t.Errorf("first row %d: got %v", first, err)
		}
	}
	if _, err := s.Suspects(context.Background()); err == nil {
		t.Error("suspects were told beside an open collector")
	}
}

func TestTheJudgeTakesEachSuspectAndNoOther(t *testing.T) {
	o := Options{Rows: 4, Listed: 1}
	s := newSuspects(o)
	s.add(1)
	s.add(4)
	s.seal()
	j, err := NewJudge(o, s)
	if err != nil {
		t.Fatal(err)
	}
	c := j.Collector()
	for want, err := range map[string]error{
		"row 0 is no suspect":  c.AddRow(0, nil, nil, [16]byte{}),
		"the snapshot has 4":   c.AddRow(4, nil, nil, [16]byte{}),
		"lists begin at 4":     c.AddListed(1, nil),
		"row 9 is no suspect":  c.AddListed(9, nil),
		"row -1 is no suspect": c.AddRow(-1, nil, nil, [16]byte{}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := errors.Join(c.AddRow(1, []byte("a"), nil, [16]byte{}), c.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Fates(context.Background()); err == nil || !strings.Contains(err.Error(), "1 of 2 suspects") {
		t.Errorf("got %v, want the suspect that was not read again", err)
	}
}
