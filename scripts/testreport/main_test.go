package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const events = `{"Action":"start","Package":"m/a"}
{"Action":"run","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"noise\n"}
{"Action":"pass","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestAbsent","Output":"=== RUN   TestAbsent\n"}
{"Action":"output","Package":"m/a","Test":"TestAbsent","Output":"    a_test.go:7: no shared folder\n"}
{"Action":"output","Package":"m/a","Test":"TestAbsent","Output":"--- SKIP: TestAbsent (0.00s)\n"}
{"Action":"skip","Package":"m/a","Test":"TestAbsent"}
{"Action":"output","Package":"m/a","Test":"TestBad","Output":"    a_test.go:9: 1, want 2\n"}
{"Action":"fail","Package":"m/a","Test":"TestBad"}
{"Action":"fail","Package":"m/a"}
{"ImportPath":"m/b","Action":"build-output","Output":"b.go:3: undefined: x\n"}
{"ImportPath":"m/b","Action":"build-fail"}
{"Action":"skip","Package":"m/empty"}
`

func TestTheReportHoldsFailuresAndSkips(t *testing.T) {
	r := report{output: map[string][]string{}}
	if err := r.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	r.write(&got)
	want := `FAILED m/a.TestBad
    a_test.go:9: 1, want 2
FAILED m/a
FAILED m/b
b.go:3: undefined: x
skipped m/a.TestAbsent: a_test.go:7: no shared folder
1 passed, 1 skipped, 3 failed
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoEventIsAnError(t *testing.T) {
	r := report{output: map[string][]string{}}
	if err := r.read(strings.NewReader("FAIL m/a\n")); err == nil {
		t.Error("plain output was taken for events")
	}
}
