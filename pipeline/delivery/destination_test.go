package delivery

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestUserImportTellsWhoLeft(t *testing.T) {
	k := newTool(t, "braze-csv", []string{"winback"}, "external_id: id", "note: note", "churn_change: change", "why: reason")
	hostile := "=1+1,\"ä\"\n😀"
	i := k.deliver(members{"winback", []person{{"id": "u1", "note": hostile}, {"id": "u2"}, {"id": "u3"}}})
	equal(t, "all members", k.csv(i, false), [][]string{
		{"external_id", "note", "churn_change", "why"},
		{"u1", "'" + hostile, "entered", ""}, {"u2", "", "entered", ""}, {"u3", "", "entered", ""},
	})
	equal(t, "names", i.names(), []string{"winback/winback_2024-10-05_0_0.csv"})
	k.why["u2"] = Score
	i = k.deliver(members{"winback", []person{{"id": "u1", "note": hostile}, {"id": "u3", "note": "new"}, {"id": "u4"}}})
	equal(t, "changes", k.csv(i, false), [][]string{
		{"external_id", "note", "churn_change", "why"},
		{"u3", "new", "updated", ""}, {"u4", "", "entered", ""}, {"u2", "", "left", "score"},
	})
}

// Without a column that says so, a row cannot tell that its user left.
func TestLeaversNeedAColumnThatTells(t *testing.T) {
	for _, destination := range []string{"braze-csv", "csv", "jsonl"} {
		k := newTool(t, destination, []string{"winback"}, "external_id: id")
		k.deliver(members{"winback", []person{{"id": "u1"}, {"id": "u2"}}})
		i := k.deliver(members{"winback", []person{{"id": "u1"}}})
		equal(t, destination+": files", i.names(), []string{})
		equal(t, destination+": left", i.Counts.Left, int64(1))
	}
}

func TestFormulaIsRefusedUnlessQuoted(t *testing.T) {
	k := newTool(t, "braze-csv", []string{"winback"}, "external_id: id", "note: note")
	k.job.Formula = "refuse"
	_, err := k.build(Full, members{"winback", []person{{"id": "u1", "note": "=1+1"}}})
	if err == nil || !strings.Contains(err.Error(), "formula: quote") {
		t.Errorf("a formula gave %v", err)
	}
}

// One series of files holds one row a user, whatever the number of audiences, and
// null for every attribute of those who left.
func TestPayloads(t *testing.T) {
	columns := []string{"external_id: id", "churn_audience: audience", "churn_note: note"}
	nights := [][]members{
		{{"a", []person{{"id": "u1", "note": "x"}, {"id": "u2", "note": "from a"}, {"id": "u5"}, {"id": "u6"}}}, {"b", []person{{"id": "u2", "note": "from b"}, {"id": "u3"}}}},
		{{"a", []person{{"id": "u4", "note": "\"quoted\"\n\\\u2028😀"}, {"id": "u6"}}}, {"b", []person{{"id": "u2", "note": "from b"}, {"id": "u3"}}}},
		{{"a", []person{{"id": "u6"}}}, {"b", []person{{"id": "u3", "note": "other"}, {"id": "u6"}}}},
	}
	k, plain := newTool(t, "braze-cdi", []string{"a", "b"}, columns...), newTool(t, "jsonl", []string{"a", "b"}, columns...)
	k.why["u5"], plain.why["u5"] = Absent, Absent
	want := []map[string]map[string]any{
		{
			"u1": {"churn_audience": "a", "churn_note": "x"}, "u2": {"churn_audience": "a,b", "churn_note": "from a"},
			"u3": {"churn_audience": "b", "churn_note": nil}, "u5": {"churn_audience": "a", "churn_note": nil}, "u6": {"churn_audience": "a", "churn_note": nil},
		},
		{
			"u1": {"churn_audience": nil, "churn_note": nil}, "u2": {"churn_audience": "b", "churn_note": "from b"},
			"u4": {"churn_audience": "a", "churn_note": "\"quoted\"\n\\\u2028😀"},
		},
		{
			"u2": {"churn_audience": nil, "churn_note": nil}, "u3": {"churn_audience": "b", "churn_note": "other"},
			"u4": {"churn_audience": nil, "churn_note": nil}, "u6": {"churn_audience": "a,b", "churn_note": nil},
		},
	}
	for n, night := range nights {
		i, other := k.deliver(night...), plain.deliver(night...)
		equal(t, "payloads", k.payloads(i, "external_id"), want[n])
		equal(t, "name", i.names(), []string{fmt.Sprintf("tool/tool_2024-10-0%d_%d_0.json", 5+n, n)})
		equal(t, "counts", i.Counts, other.Counts)
		equal(t, "reasons", i.Reasons, other.Reasons)
		left := int64(0)
		for _, users := range i.Reasons {
			left += users
		}
		equal(t, "users with a reason", left, i.Counts.Left)
	}
}

func TestAbsentLeaversAreSentWhenAsked(t *testing.T) {
	for _, asked := range []bool{false, true} {
		k := newTool(t, "braze-cdi", []string{"a"}, "email: email", "note: note")
		k.job.SendAbsent = asked
		k.why["u1"] = Absent
		k.deliver(members{"a", []person{{"id": "u1", "email": "one@example.com"}, {"id": "u2", "email": "two@example.com"}}})
		i := k.deliver(members{"a", []person{{"id": "u2", "email": "two@example.com"}}})
		_, sent := k.payloads(i, "email")["one@example.com"]
		equal(t, "sent", sent, asked)
	}
}

// All members again also clear those who left: a payload overwrites attributes of
// the users that it names, and of no others.
func TestFullPayloadsClearLeavers(t *testing.T) {
	k := newTool(t, "braze-cdi", []string{"a"}, "alias_name: id", "alias_label: note", "risk: city")
	k.deliver(members{"a", []person{{"id": "u1", "note": "crm", "city": "x"}, {"id": "u2", "note": "crm", "city": "y"}}})
	k.job.Changes = false
	i := k.deliver(members{"a", []person{{"id": "u2", "note": "crm", "city": "y"}}})
	equal(t, "rows", k.json(i), []map[string]any{
		{"alias_name": "u2", "alias_label": "crm", "payload": `{"risk":"y"}`},
		{"alias_name": "u1", "alias_label": "crm", "payload": `{"risk":null}`},
	})
}

// An audience that is delivered no more, or nothing being published at all, clears
// the attributes too.
func TestPayloadsOfWhatIsGone(t *testing.T) {
	k := newTool(t, "braze-cdi", []string{"a", "b"}, "external_id: id", "churn: audience")
	k.deliver(members{"a", []person{{"id": "u1"}}}, members{"b", []person{{"id": "u1"}, {"id": "u2"}}})
	k.job.Audiences = k.job.Audiences[:1]
	i := k.deliver(members{"a", []person{{"id": "u1"}}})
	equal(t, "without b", k.payloads(i, "external_id"), map[string]map[string]any{"u1": {"churn": "a"}, "u2": {"churn": nil}})
	equal(t, "reasons", i.Reasons, map[Reason]int64{AudienceRemoved: 1})
	i, err := k.job.build(t.Context(), Correction, Target{Date: k.day}, nil, k.last, func(standing) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "withdrawn", k.payloads(i, "external_id"), map[string]map[string]any{"u1": {"churn": nil}})
}

// A file that was never put said nothing: the next delivery says it, of all the
// audiences that one row speaks for.
func TestPayloadThatWasNeverPutIsSentAgain(t *testing.T) {
	k := newTool(t, "braze-cdi", []string{"a", "b"}, "external_id: id", "churn: audience")
	k.deliver(members{"a", []person{{"id": "u1"}}}, members{"b", []person{{"id": "u1"}, {"id": "u2"}}})
	never := k.deliver(members{"a", nil}, members{"b", []person{{"id": "u1"}}})
	equal(t, "never put", k.payloads(never, "external_id"), map[string]map[string]any{"u1": {"churn": "b"}, "u2": {"churn": nil}})
	p := k.publish([]members{{"a", nil}, {"b", []person{{"id": "u1"}}}})
	i, err := k.job.build(t.Context(), Changes, Target{Date: p.Date, Run: p.Run}, p, never, func(s standing) bool { return never.speaks(s) >= 0 })
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "sent again", k.payloads(i, "external_id"), k.payloads(never, "external_id"))
}

func TestNothingThatToolsMistakeIsWritten(t *testing.T) {
	tests := []struct {
		destination string
		columns     []string
		want        string
	}{
		{"braze-cdi", []string{"external_id: id"}, "deletes these users"},
		{"braze-cdi", []string{"note: note"}, "no column that tells who the user is"},
		{"braze-cdi", []string{"external_id: id", "email: email", "note: note"}, "both external_id and email"},
		{"braze-cdi", []string{"alias_name: id", "note: note"}, "alias_name alone"},
		{"braze-cdi", nil, "no column that tells who the user is"},
		{"google-customer-match", []string{"Email: email", "City: city"}, "City, which google-customer-match does not take"},
		{"google-customer-match", []string{"First Name: first", "Last Name: last", "Zip: zip"}, "no column that tells who the user is"},
		{"meta-custom-audience", []string{"fn: first"}, "no column that tells who the user is"},
	}
	for _, test := range tests {
		k := newTool(t, test.destination, []string{"a"}, test.columns...)
		_, err := k.build(Full, members{"a", []person{{"id": "u1"}}})
		if !errors.Is(err, ErrColumns) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s of %v gave %v, want %q", test.destination, test.columns, err, test.want)
		}
		staged, err := k.bucket().Objects(t.Context(), "deliveries/")
		if err != nil || len(staged) > 0 {
			t.Errorf("%s: staged %v, %v", test.destination, staged, err)
		}
	}
}

func TestAttributesAreBounded(t *testing.T) {
	columns := []string{"external_id: id"}
	for n := range 251 {
		columns = append(columns, fmt.Sprintf("a%d: note", n))
	}
	k := newTool(t, "braze-cdi", []string{"a"}, columns...)
	if _, err := k.build(Full, members{"a", nil}); !errors.Is(err, ErrColumns) || !strings.Contains(err.Error(), "251 attributes") {
		t.Errorf("251 attributes gave %v", err)
	}
	k = newTool(t, "braze-cdi", []string{"a"}, columns[:251]...)
	i := k.deliver(members{"a", []person{{"id": "u1"}}})
	equal(t, "250 attributes", len(k.payloads(i, "external_id")["u1"]), 250)
}

func TestAudiencesOfOnePayloadAreBounded(t *testing.T) {
	var names []string
	for n := range 17 {
		names = append(names, fmt.Sprint("a", n))
	}
	k := newTool(t, "braze-cdi", names, "external_id: id", "churn: audience")
	if _, err := k.build(Full); !errors.Is(err, ErrColumns) || !strings.Contains(err.Error(), "17 audiences") {
		t.Errorf("17 audiences gave %v", err)
	}
}

// Whatever the limits, no file is over them, and every user is in one file once.
func TestFilesStayWithinLimits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var users []person
	for n := range 3_000 {
		users = append(users, person{"id": fmt.Sprint("u", n), "email": fmt.Sprint(n, "@example.com"), "note": strings.Repeat("ä\"\n", random.IntN(40))})
	}
	tests := []struct {
		destination string
		columns     []string
	}{
		{"braze-csv", []string{"external_id: id", "note: note"}},
		{"braze-cdi", []string{"external_id: id", "note: note"}},
		{"google-customer-match", []string{"Email: email"}},
		{"meta-custom-audience", []string{"email: email"}},
		{"csv", nil},
		{"jsonl", nil},
		{"parquet", nil},
	}
	for _, test := range tests {
		for _, limit := range []struct{ bytes, rows int64 }{{40_000, 0}, {700, 0}, {0, 999}, {0, 1}, {9_000, 100}} {
			if test.destination == "parquet" && limit.rows == 0 {
				continue
			}
			k := newTool(t, test.destination, []string{"a"}, test.columns...)
			k.job.Destination.MaxBytes, k.job.Destination.MaxRows = limit.bytes, limit.rows
			few := users[:min(len(users), int(max(limit.bytes, 100*limit.rows)))]
			i := k.deliver(members{"a", few})
			t.Run(fmt.Sprint(test.destination, limit), func(t *testing.T) { k.T = t; k.checkLimits(i, few) })
		}
	}
}

func (k *tool) checkLimits(i *Intent, users []person) {
	d, rows, end := &k.job.Destination, int64(0), int64(0)
	if len(i.Files) < 2 {
		k.Fatalf("%d files", len(i.Files))
	}
	for _, f := range i.Files {
		if d.MaxBytes > 0 && d.Format != "parquet" && f.Bytes > d.MaxBytes || d.MaxRows > 0 && f.Rows > d.MaxRows || f.Rows == 0 {
			k.Errorf("%s has %d bytes and %d rows", f.Name, f.Bytes, f.Rows)
		}
		if f.From != end {
			k.Errorf("%s speaks of users from %d on, the one before to %d", f.Name, f.From, end)
		}
		rows, end = rows+f.Rows, f.To
	}
	equal(k.T, "rows", rows, int64(len(users)))
	seen := map[string]int{}
	switch d.Format {
	case "csv":
		for _, record := range k.csv(i, false)[1:] {
			seen[record[0]]++
		}
	case "jsonl":
		for _, row := range k.json(i) {
			id, _ := row["external_id"].(string)
			if !d.Merged {
				id, _ = row["id"].(string)
			}
			seen[id]++
		}
	default:
		for _, f := range i.Files {
			for _, row := range k.parquet(f.File) {
				seen[row[0]]++
			}
		}
	}
	if len(seen) != len(users) || slices.Max(slices.Collect(maps.Values(seen))) != 1 {
		k.Errorf("%d users of %d, once each", len(seen), len(users))
	}
}

func TestRowLargerThanAFileIsRefused(t *testing.T) {
	k := newTool(t, "braze-csv", []string{"a"}, "external_id: id", "note: note")
	k.job.Destination.MaxBytes = 100
	_, err := k.build(Full, members{"a", []person{{"id": "u1", "note": strings.Repeat("x", 200)}}})
	if !errors.Is(err, ErrColumns) || !strings.Contains(err.Error(), "at most 100") {
		t.Errorf("a row of 200 bytes gave %v", err)
	}
}

// A file without rows is written where the tool makes something of it.
func TestEmptyAudiences(t *testing.T) {
	for destination, want := range map[string]int{"csv": 1, "jsonl": 1, "parquet": 0, "braze-csv": 0, "braze-cdi": 0, "google-customer-match": 0, "meta-custom-audience": 0} {
		columns := map[string][]string{"google-customer-match": {"Email: email"}, "meta-custom-audience": {"email: email"}, "braze-csv": {"external_id: id"}, "braze-cdi": {"external_id: id", "a: note"}}
		k := newTool(t, destination, []string{"a"}, columns[destination]...)
		i := k.deliver(members{"a", nil})
		equal(t, destination+": files", len(i.Files), want)
	}
}

// A correction tells who left also where a list of all members would not, if a column
// says so.
func TestCorrectionTellsWhoLeft(t *testing.T) {
	k := newTool(t, "jsonl", []string{"a"}, "id: id", "change: change", "reason: reason")
	k.job.Changes = false
	k.deliver(members{"a", []person{{"id": "u1"}, {"id": "u2"}}})
	i, err := k.build(Correction, members{"a", []person{{"id": "u1"}}})
	if err != nil {
		t.Fatal(err)
	}
	rows := k.json(i)
	if len(rows) != 1 || rows[0]["id"] != "u2" || rows[0]["change"] != "left" || rows[0]["reason"] != "filter" {
		t.Errorf("rows %v", rows)
	}
}

// A row that speaks for several audiences has the day of the first of them, and the
// end of the cadence clears it.
func TestCadenceOfPayloads(t *testing.T) {
	k := newTool(t, "braze-cdi", []string{"a", "b"}, "external_id: id", "day: cadence_day", "churn: audience")
	k.job.Cadence = &Cadence{Days: 2, Cooldown: 30, OnExit: Stop}
	u := []person{{"id": "u1"}}
	equal(t, "night 1", k.payloads(k.deliver(members{"a", nil}, members{"b", u}), "external_id"), map[string]map[string]any{"u1": {"day": 1.0, "churn": "b"}})
	equal(t, "night 2", k.payloads(k.deliver(members{"a", u}, members{"b", u}), "external_id"), map[string]map[string]any{"u1": {"day": 1.0, "churn": "a,b"}})
	equal(t, "night 3", k.payloads(k.deliver(members{"a", u}, members{"b", u}), "external_id"), map[string]map[string]any{"u1": {"day": 2.0, "churn": "a"}})
	i := k.deliver(members{"a", u}, members{"b", u})
	equal(t, "night 4", k.payloads(i, "external_id"), map[string]map[string]any{"u1": {"day": nil, "churn": nil}})
	equal(t, "reasons", i.Reasons, map[Reason]int64{CadenceEnd: 1})
}
