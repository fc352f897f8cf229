// Package interop_test proves that churntier reads what other libraries write and
// writes what other libraries read: arrow15 and xitongsys, programs of this
// folder, and DuckDB and Polars, scripts in ../peers.
package interop_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// night is the date of every snapshot here.
const night = "2026-11-21"

// config publishes every column of the snapshots, by the upstream team's score.
const config = `prediction: interop
snapshot:
  url: snapshots
  id: user_id
  as_of: updated_at
  duplicates: keep_latest
  order_by: updated_at
score:
  column: {name: churn_score, range: [0, 1]}
gates:
  rejected: {max_share: 0.01}
  duplicates: {max_share: 0.01}
publish:
  url: out
  passthrough: [email, country, plan, days_since_last_session, sessions_7d, sessions_30d, purchases_90d, ltv, tenure_days, push_enabled, avg_session_min, support_tickets_90d, email_opt_out, updated_at]
`

// reader is a program that prints the tally of Parquet files.
type reader struct {
	name    string
	command []string
}

// tally is what a reader prints; see the package tally.
type tally struct {
	Files []table
	Total table
}

type table struct {
	File    string
	Rows    int64
	Columns map[string]column
}

type column struct {
	Nulls     int64
	NotFinite int64 `json:"not_finite"`
	Sum       float64
	Checksum  string
}

// programs is the folder of the built programs.
var programs string

func program(name string) string { return filepath.Join(programs, name) }

func TestMain(m *testing.M) { os.Exit(withPrograms(m.Run)) }

// withPrograms builds the programs that the tests run, and removes them after.
func withPrograms(tests func() int) int {
	var err error
	if programs, err = os.MkdirTemp("", "interop"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	const module = "github.com/churntier/churntier/"
	build := exec.Command("go", "build", "-o", programs+string(filepath.Separator),
		module+"scripts/interop/arrow15", module+"scripts/interop/xitongsys", module+"scripts/fakegcs", module+"cmd/churntier")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, out)
		return 1
	}
	return tests()
}

func TestEveryReaderReadsWhatBothWritersWrote(t *testing.T) {
	for _, writer := range []string{"arrow15", "xitongsys"} {
		t.Run(writer, func(t *testing.T) {
			dir := t.TempDir()
			writeSnapshot(t, writer, dir, "--spoil")
			sameTallies(t, readers(), glob(t, dir, "dt="+night, "*.parquet"))
		})
	}
}

func TestEveryReaderReadsWhatChurntierPublished(t *testing.T) {
	for _, writer := range []string{"arrow15", "xitongsys"} {
		for _, compression := range []string{"zstd", "snappy"} {
			t.Run(writer+" "+compression, func(t *testing.T) {
				dir := t.TempDir()
				snapshots := filepath.Join(dir, "snapshots")
				writeSnapshot(t, writer, snapshots)
				publish(t, dir, compression)

				scores := glob(t, dir, "out", "runs", night, "*", "scores", "*.parquet")
				audiences := glob(t, dir, "out", "runs", night, "*", "audiences", "*", "*.parquet")
				sameTallies(t, readers(), append(audiences, scores...))
				keepsItsColumns(t, readers()[0], glob(t, snapshots, "dt="+night, "*.parquet"), scores)
			})
		}
	}
}

func TestEveryReaderReadsTheRejectedRowsAndTheDistribution(t *testing.T) {
	dir := t.TempDir()
	writeSnapshot(t, "arrow15", filepath.Join(dir, "snapshots"), "--spoil")
	publish(t, dir, "zstd")
	run := filepath.Join(dir, "out", "runs", night, "*")
	tables := append(glob(t, run, "rejected", "*.parquet"), glob(t, run, "distribution.parquet")...)
	sameTallies(t, readers(), tables)
}

func TestTheFixturesAreWhatTheirScriptWrites(t *testing.T) {
	dir := t.TempDir()
	run(t, "../../fixtures/generate", dir)
	want := glob(t, dir, "dt=*", "*")
	if got := glob(t, "../../fixtures/snapshots/dt=*/*"); len(got) != len(want) {
		t.Errorf("fixtures hold %d objects, the script writes %d", len(got), len(want))
	}
	for _, path := range want {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(content(t, path), content(t, filepath.Join("../../fixtures/snapshots", name))) {
			t.Errorf("%s has other bytes in fixtures", name)
		}
	}
}

func TestAPeerSaysWhichFileItCannotRead(t *testing.T) {
	good := content(t, "../../fixtures/snapshots/dt=2026-11-20/part-00000.parquet")
	for name, data := range map[string][]byte{
		"empty":     nil,
		"text":      []byte("user_id,email\n1,ada@example.com\n"),
		"truncated": good[:len(good)/2],
		"headless":  good[len(good)/2:],
	} {
		path := filepath.Join(t.TempDir(), name+".parquet")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, peer := range []string{"arrow15", "xitongsys"} {
			stdout, stderr, err := output(t, program(peer), "read", path)
			if err == nil || len(stdout) > 0 || !bytes.Contains(stderr, []byte("read "+path)) || bytes.Contains(stderr, []byte("goroutine ")) {
				t.Errorf("%s on a %s file: %v, printed %q and %q; want an error that names the file", peer, name, err, stdout, stderr)
			}
		}
	}
}

// keepsItsColumns compares the published scores with a snapshot without flaws:
// every user is there, with the values that the snapshot has.
func keepsItsColumns(t *testing.T, r reader, parts, shards []string) {
	t.Helper()
	snapshot, scores := read(t, r, parts).Total, read(t, r, shards).Total
	if snapshot.Rows != scores.Rows {
		t.Errorf("published %d users of %d", scores.Rows, snapshot.Rows)
	}
	for name, want := range snapshot.Columns {
		if name == "churn_score" {
			continue // a fraction there, a score of 0 to 100 here
		}
		if diff := cmp.Diff(want, scores.Columns[name], nearly); diff != "" {
			t.Errorf("column %s, snapshot against published: %s", name, diff)
		}
	}
}

// nearly allows for the order in which a reader sums floats.
var nearly = cmpopts.EquateApprox(1e-12, 0)

// sameTallies demands the same tally of every reader.
func sameTallies(t *testing.T, readers []reader, files []string) {
	t.Helper()
	want := read(t, readers[0], files)
	for _, f := range want.Files {
		if f.Rows == 0 {
			t.Errorf("%s has no rows", f.File)
		}
	}
	for _, r := range readers[1:] {
		if diff := cmp.Diff(want, read(t, r, files), nearly); diff != "" {
			t.Errorf("%s against %s: %s", readers[0].name, r.name, diff)
		}
	}
}

func read(t *testing.T, r reader, files []string) tally {
	t.Helper()
	var out tally
	if err := json.Unmarshal(run(t, append(r.command, files...)...), &out); err != nil {
		t.Fatalf("%s: %v", r.name, err)
	}
	return out
}

// readers are the programs, and the scripts where their libraries are installed.
func readers() []reader {
	all := []reader{
		{"arrow15", []string{program("arrow15"), "read"}},
		{"xitongsys", []string{program("xitongsys"), "read"}},
	}
	if _, err := os.Stat("../peers/node_modules"); err == nil {
		all = append(all,
			reader{"DuckDB", []string{"node", "../peers/duckdb.js"}},
			reader{"Polars", []string{"node", "../peers/polars.js"}})
	}
	return all
}

func TestDuckDBAndPolarsAreAmongTheReaders(t *testing.T) {
	if len(readers()) < 4 {
		t.Skip("scripts/peers/install was not run: the interop tests ran without DuckDB and Polars")
	}
}

func writeSnapshot(t *testing.T, writer, dir string, flags ...string) {
	t.Helper()
	run(t, append([]string{program(writer), "write", dir, "--date", night, "--users", "2000", "--parts", "3"}, flags...)...)
}

func publish(t *testing.T, dir, compression string) {
	t.Helper()
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, program("churntier"), "run", "-c", path, "--date", night, "--quiet", "--set", "publish.compression="+compression)
}

func glob(t *testing.T, elements ...string) []string {
	t.Helper()
	pattern := filepath.Join(elements...)
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file matches %s: %v", pattern, err)
	}
	return files
}

// run gives the standard output of a command that must succeed.
func run(t *testing.T, command ...string) []byte {
	t.Helper()
	stdout, stderr, err := output(t, command...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, stderr)
	}
	return stdout
}

func output(t *testing.T, command ...string) (stdout, stderr []byte, err error) {
	t.Helper()
	var out, errors bytes.Buffer
	c := exec.CommandContext(t.Context(), command[0], command[1:]...)
	c.Stdout, c.Stderr = &out, &errors
	err = c.Run()
	return out.Bytes(), errors.Bytes(), err
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
