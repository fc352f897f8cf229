package profile_test

import (
	"context"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore/dial"
	"github.com/churntier/churntier/pipeline/profile"
	"github.com/churntier/churntier/pipeline/snapshot"
)

func day(t *testing.T, text string) date.Date {
	t.Helper()
	d, err := date.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// fixture profiles the newest night of the fixtures.
func fixture(t *testing.T) profile.Table {
	t.Helper()
	b, err := dial.Open(t.Context(), "../../fixtures/snapshots", dial.Options{})
	if err != nil {
		t.Fatal(err)
	}
	source := snapshot.Source{Bucket: b, Partition: "dt={date}", Files: "*.parquet"}
	pinned, err := snapshot.Pin(t.Context(), source, day(t, "2026-11-22"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := snapshot.Open(t.Context(), pinned, snapshot.VerifyRead, "", snapshot.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	table, err := profile.Take(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := profile.Take(cancelled, f); err == nil {
		t.Error("a cancelled look gave a table")
	}
	return table
}

// What DuckDB counts in the same files.
func TestTakeCountsWhatIsThere(t *testing.T) {
	want := map[string]profile.Column{
		"user_id":     {Rows: 3108, Distinct: 3108},
		"email":       {Rows: 3108, Nulls: 156, Distinct: 2951, Addresses: 2952},
		"country":     {Rows: 3108, Distinct: 13},
		"churn_score": {Rows: 3108, Distinct: 2355},
		"updated_at":  {Rows: 3108, Distinct: 3106, Newest: day(t, "2026-11-22")},
	}
	for _, c := range fixture(t) {
		w, ok := want[c.Name]
		if !ok {
			continue
		}
		delete(want, c.Name)
		w.Name, w.Type = c.Name, c.Type
		if c != w {
			t.Errorf("%s: %+v, want %+v", c.Name, c, w)
		}
	}
	if len(want) > 0 {
		t.Errorf("not looked at: %v", want)
	}
}

var (
	text  = arrow.BinaryTypes.String
	whole = arrow.PrimitiveTypes.Int64
	float = arrow.PrimitiveTypes.Float64
	truth = arrow.FixedWidthTypes.Boolean
)

func unique(name string, t arrow.DataType) profile.Column {
	return profile.Column{Name: name, Type: t, Rows: 1000, Distinct: 1000}
}

func few(name string, t arrow.DataType) profile.Column {
	return profile.Column{Name: name, Type: t, Rows: 1000, Distinct: 4}
}

func TestID(t *testing.T) {
	mails := unique("email_id", text)
	mails.Addresses = 1000
	half := unique("user_id", text)
	half.Distinct = 500
	nearly := unique("Customer-ID", text)
	nearly.Distinct = 995
	for _, test := range []struct {
		table profile.Table
		want  string
	}{
		{profile.Table{unique("balance", float), unique("order_id", text), unique("userId", whole)}, "userId"},
		{profile.Table{unique("msisdn_hash", text), unique("row_number", whole)}, "msisdn_hash"},
		{profile.Table{unique("row_number", whole), few("country_id", text)}, ""},
		{profile.Table{mails, half, nearly}, "Customer-ID"},
		{profile.Table{half}, ""},
		{profile.Table{{Name: "id", Type: text}}, ""},
		{nil, ""},
	} {
		if got := test.table.ID(); got.Column != test.want {
			t.Errorf("%v: the id is %q, want %q", test.table, got.Column, test.want)
		}
	}
}

func TestContact(t *testing.T) {
	mail := unique("where_to_write", text)
	mail.Nulls, mail.Addresses = 100, 890
	handles := unique("email", text)
	handles.Addresses = 400
	empty := profile.Column{Name: "email2", Type: text, Rows: 1000, Nulls: 1000}
	if got := (profile.Table{handles, empty, mail}).Contact(); got.Column != "where_to_write" {
		t.Errorf("the contact is %q", got.Column)
	}
	if got := (profile.Table{handles, empty}).Contact(); got.Column != "" {
		t.Errorf("the contact is %q, and there is none", got.Column)
	}
}

func TestAsOf(t *testing.T) {
	night := day(t, "2026-11-22")
	at := func(name, newest string) profile.Column {
		return profile.Column{Name: name, Type: arrow.FixedWidthTypes.Date32, Rows: 1000, Distinct: 9, Newest: day(t, newest)}
	}
	table := profile.Table{at("last_seen", "2026-11-22"), at("loaded_on", "2026-11-23"), at("updated_at", "2026-11-22")}
	if got := table.AsOf(night); got.Column != "updated_at" {
		t.Errorf("as_of is %q", got.Column)
	}
	if got := table[:2].AsOf(night); got.Column != "" {
		t.Errorf("as_of is %q, and there is none", got.Column)
	}
}

func TestScoresAndOptOuts(t *testing.T) {
	table := profile.Table{
		unique("credit_score", whole), unique("ChurnProbability", float), few("churn_risk", text), few("churn", whole),
		unique("score", arrow.PrimitiveTypes.Float32), few("Email_OptOut", truth), few("sms_opt_out", text),
	}
	var scores []string
	for _, g := range table.Scores() {
		scores = append(scores, g.Column)
	}
	if len(scores) != 2 || scores[0] != "ChurnProbability" || scores[1] != "score" {
		t.Errorf("scores: %q", scores)
	}
	if outs := table.OptOuts(); len(outs) != 1 || outs[0].Column != "Email_OptOut" {
		t.Errorf("opt-outs: %v", outs)
	}
}

func TestFeatures(t *testing.T) {
	constant := few("market", text)
	constant.Distinct = 1
	for _, test := range []struct {
		column  profile.Column
		feature bool
	}{
		{few("plan", text), true}, {unique("comment", text), false}, {unique("ltv", float), true}, {few("push", truth), true},
		{constant, false}, {few("Churn", text), false}, {few("Exited", whole), false},
	} {
		if got := test.column.IsFeature(); got != test.feature {
			t.Errorf("%s is a feature: %v", test.column.Name, got)
		}
	}
}
