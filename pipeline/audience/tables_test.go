package audience_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/audience"
)

func TestRejected(t *testing.T) {
	var out bytes.Buffer
	e, err := audience.NewRejected(&out, audience.ParquetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range [][]audience.RejectedRow{
		{
			{Reason: "id_null", Column: "user_id", Value: "null", File: "a.parquet", Row: 7},
			{ID: []byte("bad\xffid"), HasID: true, Reason: "id_not_utf8", Column: "user_id", Value: "string, 6 bytes", File: "a.parquet", Row: 8},
		},
		nil,
		{
			{ID: []byte(strings.Repeat("é", 600)), HasID: true, Reason: "id_too_long", File: "b\xff.parquet", Row: 1 << 40},
			{ID: nil, HasID: true, Reason: "duplicate", Column: "c\xff", File: "b.parquet"},
		},
	} {
		if err := e.Write(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e.Rows() != 4 {
		t.Errorf("Rows() = %d, want 4", e.Rows())
	}
	schema, got := readBack(t, out.Bytes())
	want := [][]any{
		{nil, "id_null", "user_id", "null", "a.parquet", int64(7)},
		{"bad\uFFFDid", "id_not_utf8", "user_id", "string, 6 bytes", "a.parquet", int64(8)},
		{strings.Repeat("é", 512), "id_too_long", nil, nil, "b\uFFFD.parquet", int64(1 << 40)},
		{"", "duplicate", "c\uFFFD", nil, "b.parquet", int64(0)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	var names []string
	for _, f := range schema.Fields() {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"id", "reason", "column", "value", "file", "row"}, names); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestRejectedErrors(t *testing.T) {
	if _, err := audience.NewRejected(io.Discard, audience.ParquetOptions{Compression: "none"}); !errors.Is(err, audience.ErrOption) {
		t.Errorf("error %v, want ErrOption", err)
	}
	w := failAt(100)
	e, err := audience.NewRejected(&w, audience.ParquetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(e.Write([]audience.RejectedRow{{Reason: "score_nan", File: "a"}}), e.Close())
	if !errors.Is(err, errFull) {
		t.Errorf("a full sink: error %v", err)
	}
}

func TestDistributionTable(t *testing.T) {
	counts := make([]int64, 10_001)
	for i := range counts {
		counts[i] = int64(i) * 1e9
	}
	category := func(h uint16) string {
		if h >= 7500 {
			return "high"
		}
		return "low"
	}
	var out bytes.Buffer
	if err := audience.NewDistributionTable(&out, counts, category, audience.ParquetOptions{Compression: "snappy"}); err != nil {
		t.Fatal(err)
	}
	schema, rows := readBack(t, out.Bytes())
	if got := schema.Field(0).Type.String(); got != "decimal(5, 2)" {
		t.Errorf("scores are %s", got)
	}
	if len(rows) != 10_001 {
		t.Fatalf("%d rows, want one for each score", len(rows))
	}
	for _, want := range [][]any{
		{"0", int32(1), "low", int64(0)},
		{"499", int32(1), "low", int64(499e9)},
		{"500", int32(2), "low", int64(500e9)},
		{"7499", int32(15), "low", int64(7499e9)},
		{"7500", int32(16), "high", int64(7500e9)},
		{"9500", int32(20), "high", int64(9500e9)},
		{"10000", int32(20), "high", int64(10_000e9)},
	} {
		row := int(want[3].(int64) / 1e9)
		if diff := cmp.Diff(want, rows[row]); diff != "" {
			t.Errorf("row %d (-want +got):\n%s", row, diff)
		}
	}
}

func TestDistributionTableErrors(t *testing.T) {
	low := func(uint16) string { return "low" }
	if err := audience.NewDistributionTable(io.Discard, make([]int64, 100), low, audience.ParquetOptions{}); err == nil {
		t.Error("100 counts were taken for 10,001")
	}
	if err := audience.NewDistributionTable(io.Discard, make([]int64, 10_001), low, audience.ParquetOptions{Compression: "x"}); !errors.Is(err, audience.ErrOption) {
		t.Errorf("error %v, want ErrOption", err)
	}
	w := failAt(50)
	if err := audience.NewDistributionTable(&w, make([]int64, 10_001), low, audience.ParquetOptions{}); !errors.Is(err, errFull) {
		t.Errorf("a full sink: error %v", err)
	}
	bad := func(uint16) string { return "\xff" }
	if err := audience.NewDistributionTable(io.Discard, make([]int64, 10_001), bad, audience.ParquetOptions{}); !errors.Is(err, audience.ErrText) {
		t.Errorf("a name that is not UTF-8: error %v", err)
	}
}
