package pipeline_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/zeebo/xxh3"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// citizen is one row of the snapshot, as the evaluator of the test sees it.
type citizen struct {
	id, contact, country string // "" for null
	score, idle          int64  // -1 for null
}

const citizens = 2000

// populace gives rows in which every reason not to be a member occurs.
func populace() []citizen {
	r := rand.New(rand.NewPCG(11, 22))
	var all []citizen
	for i := range citizens {
		c := citizen{
			id: fmt.Sprint("u", i), contact: fmt.Sprintf("user%d@example.com", i/2), country: []string{"FR", "DE", "US", ""}[r.IntN(4)],
			score: int64(r.IntN(101)), idle: int64(r.IntN(70)),
		}
		switch r.IntN(15) {
		case 0:
			c.score = []int64{-1, 101}[r.IntN(2)]
		case 1:
			c.contact = ""
		case 2:
			c.contact = "office@example.com" // of too many users to stand for one
		case 3:
			c.idle = -1
		}
		all = append(all, c)
		if i%40 == 0 {
			c.idle = 65 + int64(i%2) // the later one
			all = append(all, c)
		}
	}
	return append(all, citizen{id: "", contact: "nobody@example.com", score: 50, idle: 1})
}

func every(n, of int) (ids []cell) {
	for i := of; i < citizens; i += n {
		ids = append(ids, fmt.Sprint("u", i))
	}
	return ids
}

// capital is a town with that populace and rules of every kind.
func capital(t *testing.T, rows []citizen) *town {
	w := newTown(t)
	n := &w.night
	n.SplitRows = 150
	n.Gates = gate.Limits{Rows: gate.Ratio{Max: 9}, Rejected: 1, Duplicates: 1, Constant: 1, NullShift: 1}
	text := func(s string) cell {
		if s == "" {
			return nil
		}
		return s
	}
	number := func(v int64) cell {
		if v < 0 {
			return nil
		}
		return v
	}
	half := len(rows) / 2
	for name, part := range map[string][]citizen{"a": rows[:half], "b": rows[half:]} {
		columns := map[string][]cell{}
		for _, c := range part {
			for column, v := range map[string]cell{
				"user_id": text(c.id), "contact": text(c.contact), "country": text(c.country), "churn_score": number(c.score), "idle": number(c.idle),
			} {
				columns[column] = append(columns[column], v)
			}
		}
		w.put("dt=2026-11-22/"+name+".parquet", fileOf(t, columns))
	}
	lists := objstore.New(mem.New(), "mem://lists")
	for name, cells := range map[string][]cell{"erased": every(50, 7), "complaints": every(30, 3), "unsubscribed": {"USER9@example.com", "user77@example.com "}} {
		if _, err := lists.CreateBytes(t.Context(), name+".parquet", fileOf(t, map[string][]cell{"key": cells})); err != nil {
			t.Fatal(err)
		}
	}
	n.Exclude = []pipeline.List{{URL: "mem://lists/erased", Bucket: lists, Files: "erased.parquet", ID: "key"}}
	n.Suppress = []pipeline.List{
		{URL: "mem://lists/complaints", Bucket: lists, Files: "complaints.parquet", ID: "key"},
		{URL: "mem://lists/unsubscribed", Bucket: lists, Files: "unsubscribed.parquet", Contact: "key"},
	}
	n.Rules.Contact, n.Rules.Eligible, n.Rules.Suppress = "contact", "idle <= 60", []string{`country == "DE" && idle == 5`}
	n.Rules.Categories = []distribution.Rule{{Name: "high", TopShare: 0.3}, {Name: "low"}}
	n.Rules.Exclusive = []string{"big", "small"}
	n.Rules.Holdout = &pipeline.Holdout{Share: 0.2, Salt: "winter", ByContact: true}
	files := []pipeline.File{{Format: "parquet", Columns: []pipeline.Column{{Name: "who", From: "user_id"}, {Name: "score", From: "score"}}}}
	n.Rules.Audiences = []pipeline.Audience{
		{Name: "small", Range: [2]uint16{3000, 9000}, Where: `country in ["FR", "DE"]`, Files: files},
		{Name: "big", Range: [2]uint16{6000, 10000}, Where: `idle < 40`, Limit: 150, Files: files},
		{Name: "top", Category: "high", Limit: 333, Files: []pipeline.File{{Format: "parquet"}}},
	}
	return w
}

// stand is what the evaluator says of one user.
type stand struct {
	why     pipeline.Why            // without a score; "" with one
	inRange map[string]bool         // by audience
	in      map[string]pipeline.Why // "member" for either arm; by audience
	held    bool
}

// evaluate decides about everyone by the definition, row by row.
func evaluate(rows []citizen, policy identity.Policy) map[string]*stand {
	count, contacts, latest := map[string]int{}, map[string]int{}, map[string]int64{}
	for _, c := range rows {
		count[c.id]++
		contacts[c.contact]++
		latest[c.id] = max(latest[c.id], c.idle)
	}
	excluded, complained := every(50, 7), every(30, 3)
	all, scored := map[string]*stand{}, map[string]citizen{}
	for _, c := range rows {
		removed := count[c.id] > 1 && (policy == identity.Reject || c.idle < latest[c.id])
		s := &stand{inRange: map[string]bool{}, in: map[string]pipeline.Why{}}
		switch {
		case c.id == "":
			continue
		case slices.Contains(excluded, cell(c.id)):
			s.why = pipeline.Excluded
		case removed && all[c.id] != nil:
			continue
		case removed:
			s.why = pipeline.Duplicate
		case c.idle < 0 || c.idle > 60:
			s.why = pipeline.Ineligible
		case c.score < 0 || c.score > 100:
			s.why = pipeline.Rejected
		default:
			scored[c.id] = c
		}
		all[c.id] = s
	}
	// The cut of the top share: the lowest score that no more than 30 % reach.
	cut := int64(101)
	for n := int64(0); cut > 0; cut-- {
		for _, c := range scored {
			if c.score == cut-1 {
				n++
			}
		}
		if float64(n) > 0.3*float64(len(scored)) {
			break
		}
	}
	big := func(c citizen) bool { return c.score >= 60 && c.idle < 40 }
	var candidates = map[string][]citizen{}
	for id, c := range scored {
		s := all[id]
		s.inRange = map[string]bool{"small": c.score >= 30 && c.score <= 90, "big": c.score >= 60, "top": c.score >= cut}
		key := c.contact
		if key == "" || contacts[key] > 20 {
			key = id
		}
		s.held = xxh3.HashString("winter\x00"+key)%10000 < 2000
		suppressed := slices.Contains(complained, cell(id)) || c.contact == "" || c.contact == "user9@example.com" || c.contact == "user77@example.com" ||
			c.country == "" && c.idle == 5 || c.country == "DE" && c.idle == 5
		for audience, filter := range map[string]bool{"small": c.country == "FR" || c.country == "DE", "big": big(c), "top": true} {
			switch {
			case suppressed:
				s.in[audience] = "suppressed"
			case !s.inRange[audience]:
				s.in[audience] = "score"
			case !filter:
				s.in[audience] = "filter"
			case audience == "small" && big(c):
				s.in[audience] = "exclusive"
			default:
				s.in[audience] = "member"
				candidates[audience] = append(candidates[audience], c)
			}
		}
	}
	for audience, limit := range map[string]int{"big": 150, "top": 333} {
		some := candidates[audience]
		slices.SortFunc(some, func(x, y citizen) int {
			return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(xxh3.HashString("churn-test\x00"+x.id), xxh3.HashString("churn-test\x00"+y.id)))
		})
		for _, c := range some[min(limit, len(some)):] {
			all[c.id].in[audience] = "limit"
		}
	}
	return all
}

// outsiders asks about everyone who is no member, and five whom nobody knows.
func outsiders(all map[string]*stand, audiences []pipeline.Audience, why func(s *stand, audience string) pipeline.Why) (asked []pipeline.Outsider, want []pipeline.Why) {
	for i := range citizens + 5 {
		id := fmt.Sprint("u", i)
		for _, a := range audiences {
			s := all[id]
			if s != nil && s.in[a.Name] == "member" && !s.held {
				continue
			}
			w := pipeline.Absent
			if s != nil {
				w = why(s, a.Name)
			}
			asked, want = append(asked, pipeline.Outsider{ID: id, Audience: a.Name}), append(want, w)
		}
	}
	return asked, want
}

func bySnapshot(s *stand, audience string) pipeline.Why {
	switch {
	case s.why != "":
		return s.why
	case s.in[audience] != "suppressed" && s.held:
		return "held_out"
	}
	return s.in[audience]
}

// byRun is what the files of the run can tell: who is suppressed or over a limit is
// taken for one who failed the filter.
func byRun(s *stand, audience string) pipeline.Why {
	inControl := false
	for _, why := range s.in {
		inControl = inControl || why == "member" && s.held
	}
	switch {
	case s.why == pipeline.Excluded || s.why == pipeline.Ineligible:
		return pipeline.Absent
	case s.why != "":
		return s.why
	case inControl:
		return "held_out"
	case !s.inRange[audience]:
		return "score"
	case audience == "small" && s.in["big"] == "member":
		return "exclusive"
	}
	return "filter"
}

// publication runs the night and gives what it published.
func (w *town) publication() *publish.Published {
	w.t.Helper()
	out, err := w.run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return &publish.Published{Date: w.night.Date, Run: out.Run, Manifest: out.Manifest}
}

type opener func(w *town, p *publish.Published, e pipeline.Engine) (*pipeline.Explainer, error)

func openSnapshot(w *town, p *publish.Published, e pipeline.Engine) (*pipeline.Explainer, error) {
	return pipeline.ExplainBySnapshot(w.t.Context(), w.night, p, e)
}

func openRun(w *town, p *publish.Published, e pipeline.Engine) (*pipeline.Explainer, error) {
	return pipeline.ExplainByRun(w.t.Context(), w.night, p, e)
}

// explains wants the reasons on any number of workers, asked at once and in two
// calls, and gives how often each occurs.
func (w *town) explains(p *publish.Published, open opener, asked []pipeline.Outsider, want []pipeline.Why) map[pipeline.Why]int {
	w.t.Helper()
	counts := map[pipeline.Why]int{}
	for _, workers := range []int{1, 2, 7} {
		e, err := open(w, p, localrun.Engine{Workers: workers, Memory: 64 << 20})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, from := range []int{0, len(asked) / 3} {
			got, err := e.Explain(w.t.Context(), asked[from:])
			if err != nil {
				w.t.Fatal(err)
			}
			if diff := gocmp.Diff(want[from:], got); diff != "" {
				w.t.Fatalf("%d workers: (- want, + got) %.2000s", workers, diff)
			}
		}
		if err := e.Close(); err != nil {
			w.t.Error(err)
		}
	}
	for _, why := range want {
		counts[why]++
	}
	return counts
}

func TestReasonsBySnapshotAreTheirDefinition(t *testing.T) {
	for _, policy := range []identity.Policy{identity.Reject, identity.KeepLatest} {
		rows := populace()
		w := capital(t, rows)
		w.night.Rules.Duplicates = policy
		if policy == identity.KeepLatest {
			w.night.Rules.OrderBy = "idle"
		}
		p := w.publication()
		asked, want := outsiders(evaluate(rows, policy), w.night.Rules.Audiences, bySnapshot)
		counts := w.explains(p, openSnapshot, asked, want)
		kinds := 11
		if policy == identity.KeepLatest {
			kinds = 10 // one row of each id is kept
		}
		if len(counts) != kinds {
			t.Errorf("%s: %d reasons occur, want %d: %v", policy, len(counts), kinds, counts)
		}
		t.Logf("%s: %v", policy, counts)
	}
}

func TestReasonsByRun(t *testing.T) {
	rows := populace()
	for _, scores := range []bool{true, false} {
		w := capital(t, rows)
		w.night.Rules.Scores = scores
		p := w.publication()
		for _, part := range []string{"a.parquet", "b.parquet", "_SUCCESS"} {
			if err := w.warehouse.Delete(t.Context(), "dt=2026-11-22/"+part, objstore.Any); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := openSnapshot(w, p, localrun.Engine{}); !errors.Is(err, snapshot.ErrNotReady) {
			t.Fatalf("a snapshot that is gone: %v", err)
		}
		asked, want := outsiders(evaluate(rows, identity.Reject), w.night.Rules.Audiences, func(s *stand, audience string) pipeline.Why {
			why := byRun(s, audience)
			if !scores && slices.Contains([]pipeline.Why{"score", "filter", "exclusive"}, why) {
				return pipeline.Absent
			}
			return why
		})
		t.Logf("scores published %v: %v", scores, w.explains(p, openRun, asked, want))
	}
}

// What is not the run's input any more explains nothing; the same bytes under
// another version do.
func TestReasonsBySnapshotNeedTheInputsOfTheRun(t *testing.T) {
	rows := populace()
	asked, want := outsiders(evaluate(rows, identity.Reject), []pipeline.Audience{{Name: "big"}}, bySnapshot)
	for name, c := range map[string]struct {
		change func(w *town)
		err    error
	}{
		"the same again": {func(w *town) { w.touch("a"); w.touch("b") }, nil},
		"another row":    {func(w *town) { w.put("dt=2026-11-22/c.parquet", fileOf(t, map[string][]cell{"user_id": {"x"}})) }, pipeline.ErrOtherInputs},
		"other bytes":    {func(w *town) { w.put("dt=2026-11-22/a.parquet", users(t, 0, 10)) }, pipeline.ErrOtherInputs},
		"another rule":   {func(w *town) { w.night.Rules.Audiences[1].Where = "idle < 41" }, pipeline.ErrOtherInputs},
		"another list":   {func(w *town) { w.night.Suppress = w.night.Suppress[:1] }, pipeline.ErrOtherInputs},
		"no list":        {func(w *town) { w.night.Suppress[0].Files = "gone.parquet" }, pipeline.ErrList},
	} {
		w := capital(t, rows)
		p := w.publication()
		c.change(w)
		e, err := openSnapshot(w, p, localrun.Engine{Workers: 2, Memory: 64 << 20})
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
		if err != nil {
			continue
		}
		if got, err := e.Explain(t.Context(), asked); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, other reasons than before", name, err)
		}
		_ = e.Close()
	}
}

// touch writes a part again, byte for byte.
func (w *town) touch(part string) {
	w.t.Helper()
	key := "dt=2026-11-22/" + part + ".parquet"
	data, _, err := w.warehouse.Read(w.t.Context(), key, 1<<30)
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(key, data)
}

func TestExplainRefuses(t *testing.T) {
	w := newTown(t)
	p := w.publication()
	e, err := openSnapshot(w, p, localrun.Engine{Workers: 1, Memory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Explain(t.Context(), []pipeline.Outsider{{ID: "u1", Audience: "low"}}); err == nil || !strings.Contains(err.Error(), `no audience "low"`) {
		t.Errorf("an audience that is none: %v", err)
	}
	// u99 has the score 99 and is a member of high.
	if _, err := e.Explain(t.Context(), []pipeline.Outsider{{ID: "u99", Audience: "high"}}); !errors.Is(err, pipeline.ErrCounts) {
		t.Errorf("a member: %v", err)
	}
	gone := errors.New("gone")
	w.decide = on(faulty.Answer(gone), faulty.Open, "")
	r, err := openRun(w, p, localrun.Engine{Workers: 1, Memory: 64 << 20})
	if err == nil {
		_, err = r.Explain(t.Context(), []pipeline.Outsider{{ID: "u1", Audience: "high"}})
	}
	if !errors.Is(err, gone) {
		t.Errorf("a run that cannot be read: %v", err)
	}
}

// heap is a progress that measures what is in use while rows are read.
type heap struct{ most uint64 }

func (*heap) Stage(string, int64, int64) {}

func (h *heap) Add(int64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	h.most = max(h.most, m.HeapAlloc)
}

// A million leavers are explained some at a time, and take no more memory than
// those that are asked for at once.
func TestMemoryOfAMillionOutsiders(t *testing.T) {
	w := newTown(t)
	p := w.publication()
	const atOnce, bound = 256 << 10, 80 << 20
	h := &heap{}
	w.night.Progress = h
	e, err := openSnapshot(w, p, localrun.Engine{Workers: 1, Memory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	counts := map[pipeline.Why]int{}
	for from := 0; from < 1_000_000; from += atOnce {
		var asked []pipeline.Outsider
		for i := from; i < from+atOnce; i++ {
			if i >= 600 || i%100 < 75 {
				asked = append(asked, pipeline.Outsider{ID: fmt.Sprint("u", i), Audience: "high"})
			}
		}
		whys, err := e.Explain(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		for _, why := range whys {
			counts[why]++
		}
	}
	if counts["score"] != 450 || counts[pipeline.Absent] != 1<<20-600 {
		t.Errorf("%v, want 450 by score, all others absent", counts)
	}
	if h.most == 0 || h.most > bound {
		t.Errorf("%d MiB in use at most, want no more than %d", h.most>>20, bound>>20)
	}
	t.Logf("%d MiB in use at most", h.most>>20)
}

// Rows that differ in a column which only a file takes are in conflict for the
// explainer too.
func TestReasonOfRowsThatAreNotIdentical(t *testing.T) {
	w := newTown(t)
	w.night.Gates = gate.Limits{Rows: gate.Ratio{Max: 9}, Rejected: 1, Duplicates: 1, Constant: 1, NullShift: 1}
	w.night.Rules.Duplicates = identity.KeepIdentical
	w.night.Rules.Audiences[0].Files = []pipeline.File{{Format: "parquet", Columns: append(planAs("", ""), pipeline.Column{Name: "user_id", From: "user_id"})}}
	for part, plan := range map[string]string{"a": "free", "b": "pro"} {
		w.put("dt=2026-11-22/"+part+".parquet", fileOf(t, map[string][]cell{
			"user_id": {"differs", part}, "churn_score": {int64(80), int64(80)}, "plan": {plan, plan},
		}))
	}
	p := w.publication()
	if members := p.Manifest.Audiences[0].Members; members != 2 {
		t.Fatalf("%d members, want a and b", members)
	}
	w.explains(p, openSnapshot, []pipeline.Outsider{{ID: "differs", Audience: "high"}}, []pipeline.Why{pipeline.Duplicate})
}
