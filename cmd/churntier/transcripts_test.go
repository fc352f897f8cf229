package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"churntier": main})
}

// What a person types, and sees. Transcripts that begin with [!telco] need the public
// telco churn table beside the project, and DuckDB to make a snapshot of it.
func TestTranscripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	telco := telcoSnapshot(t, root)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/transcripts",
		Setup: func(e *testscript.Env) error {
			e.Setenv("FIXTURES", filepath.Join(root, "fixtures"))
			e.Setenv("MODELS", filepath.Join(root, "..", "shared", "models"))
			e.Setenv("TELCO", telco)
			return nil
		},
		Condition: func(string) (bool, error) { return telco != "", nil },
	})
}

// telcoSnapshot gives the folder of the nights of telco, or "" where it cannot be
// made.
func telcoSnapshot(t *testing.T, root string) string {
	t.Helper()
	table := filepath.Join(root, "..", "shared", "datasets", "telco.csv")
	for _, needed := range []string{table, filepath.Join(root, "scripts", "peers", "node_modules", "@duckdb")} {
		if _, err := os.Stat(needed); err != nil {
			t.Logf("without telco: %v; scripts/peers/install installs DuckDB", err)
			return ""
		}
	}
	dir := t.TempDir()
	if out, err := exec.Command("node", filepath.Join(root, "scripts", "telco", "telco.js"), table, dir).CombinedOutput(); err != nil {
		t.Fatalf("telco.js: %v\n%s", err, out)
	}
	return filepath.Join(dir, "snapshots")
}
