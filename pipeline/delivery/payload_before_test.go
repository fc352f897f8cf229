package delivery

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"github.com/zeebo/xxh3"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// linesOf gives what may be sent lastingly of those whom drawFew draws, by its hash.
func linesOf(t *rapid.T, merged bool) map[uint64]string {
	schema := arrow.NewSchema([]arrow.Field{{Name: "email", Type: arrow.BinaryTypes.String}, {Name: "note", Type: arrow.BinaryTypes.String}}, nil)
	l := audience.Layout{ID: "id", Columns: []audience.Column{{Name: "email", Column: "email"}, {Name: "note", Column: "note"}}}
	form := `{"email":%q,"note":%q}`
	if merged {
		l.Columns, form = l.Columns[1:], `%.0s{"note":%q}`
	}
	rows := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	var texts []string
	for email := range 4 {
		for _, note := range []string{"x", "y"} {
			rows.Field(0).(*array.StringBuilder).Append(fmt.Sprint(email, "@x"))
			rows.Field(1).(*array.StringBuilder).Append(note)
			texts = append(texts, fmt.Sprintf(form, fmt.Sprint(email, "@x"), note))
		}
	}
	h, err := audience.NewRowHasher(l, schema)
	if err != nil {
		t.Fatal(err)
	}
	hashes, err := h.Of(&audience.Block{Batch: rows.NewRecordBatch()})
	if err != nil {
		t.Fatal(err)
	}
	lines := map[uint64]string{}
	for i, text := range texts {
		lines[hashes[i]] = text
	}
	return lines
}

// byLine gives a delivery as the version before this one left it: with hashes of lines,
// and days added to them.
func (k *tool) byLine(t *rapid.T, i *Intent) *Intent {
	lines := linesOf(t, k.job.Destination.Merged)
	inLine := func(s *Standing) {
		for day := range uint64(4) {
			if line, found := lines[s.Payload-day]; found {
				s.Payload = xxh3.HashString(line) + day
				return
			}
		}
		if s.In {
			t.Fatalf("nothing has the hash of %+v", *s)
		}
	}
	all, err := readState(k.T, k.bucket(), i, func(standing) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	w := newStateWriter(k.Context(), k.bucket(), fmt.Sprintf("by line/%d/", i.N))
	w.bits = i.bits()
	for _, s := range all {
		inLine(&s.Now)
		inLine(&s.Before)
		if err := w.add(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.openBucket(i.Buckets - 1); err != nil {
		t.Fatal(err)
	}
	former := *i
	if former.State, err = w.close(); err != nil {
		t.Fatal(err)
	}
	former.Layers, former.Format = 0, 1
	return &former
}

// drawFew publishes a night in which most users are in one audience.
func drawFew(t *rapid.T, k *tool, n int) *publish.Published {
	arms := map[string][]person{}
	for u := range 8 {
		p := person{"id": fmt.Sprint("u", u), "email": fmt.Sprint(u/2, "@x"), "note": rapid.SampledFrom([]string{"x", "x", "y"}).Draw(t, "note")}
		for _, arm := range rapid.SampledFrom([][]string{{"a/part"}, {"a/part"}, {"b/part"}, {"a/control"}, {"a/part", "b/part"}, {}}).Draw(t, "arms") {
			arms[arm] = append(arms[arm], p)
		}
	}
	p := k.publish(nil)
	for _, name := range []string{"a", "b"} {
		a := publish.Audience{Name: name}
		for _, arm := range []string{"/part", "/control"} {
			a.Files = append(a.Files, k.write(fmt.Sprintf("runs/%s/%d/%s%s-00000.parquet", k.day, n, name, arm), arms[name+arm]))
		}
		p.Manifest.Audiences = append(p.Manifest.Audiences, a)
	}
	return p
}

// After a delivery of the version before this one, whose state has hashes of lines, the
// next ones tell of the same changes as after one of this version; also where the first
// of them was given up, and where it is the one before that was.
func TestStateOfLinesTellsOfNoOtherChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := drawTool(t, rt)
		k.job.Changes = true
		if rapid.Bool().Draw(rt, "cadence") {
			k.job.Cadence = &Cadence{Days: 3, Cooldown: 1, OnExit: Pause}
		}
		all := []func(standing) bool{nil, func(standing) bool { return true }, func(standing) bool { return false }}
		lost := func(name string) func(standing) bool { return rapid.SampledFrom(all).Draw(rt, name) }
		var nights []*publish.Published
		for n := range 4 {
			nights = append(nights, drawFew(rt, k, n))
		}
		first, _ := k.attempt(rt, nights[0], nil, nil)
		now, _ := k.attempt(rt, nights[1], first, nil)
		before := k.byLine(rt, now)
		lostFirst, lostNext := lost("what was given up"), lost("what was given up next")
		if lostNext != nil && lostNext(standing{}) {
			nights[3].Manifest = nights[2].Manifest // else one may have become again what nobody knows any more
		}
		for n, given := range []func(standing) bool{lostFirst, lostNext} {
			now, _ = k.attempt(rt, nights[2+n], now, given)
			before, _ = k.attempt(rt, nights[2+n], before, given)
			if before.Format != Format {
				rt.Fatalf("format %d", before.Format)
			}
			if diff := cmp.Diff(k.known(now), k.known(before)); diff != "" {
				rt.Fatalf("night %d: %s", 2+n, diff)
			}
		}
	})
}

// known is what came of a delivery as far as the next one needs it, unless it is given
// up: what was sent last of those who are out does not matter.
func (k *tool) known(i *Intent) map[string]string {
	all := k.outcome(i)
	maps.DeleteFunc(all, func(what, is string) bool {
		return strings.HasPrefix(what, "false ") || strings.HasPrefix(what, "true ") && strings.HasPrefix(is, "{false ")
	})
	return all
}

// Hashes of which nothing is known would tell a tool of everyone.
func TestStateOfALaterFormatIsRefused(t *testing.T) {
	log := Open(objstore.New(mem.New(), "mem://out"), "tool")
	for format, want := range map[int]error{0: ErrLog, 1: nil, Format: nil, Format + 1: ErrLog} {
		i := &Intent{Format: format, N: format}
		if _, err := log.Intend(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		if _, err := log.Intent(t.Context(), i.N); !errors.Is(err, want) {
			t.Errorf("format %d: got %v, expected %v", format, err, want)
		}
	}
}
