package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/fsouza/fake-gcs-server/fakestorage"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"churntier": main, "interrupted": interruptedMain, "overtaken": overtakenMain})
}

// What a person types, and sees: a transcript for each command, with every exit code
// that it can end with, and one for each way to a first audience.
//
//   - exits N COMMAND... runs a command that ends with exit code N
//   - soon COMMAND... runs a command again and again until it ends well
//   - valid NAME says that the output is as schemas/NAME.json has it
//   - interrupted SIGNAL COMMAND... sends the signal while the command waits for the
//     cloud
//   - overtaken FIRST COMMAND... lets FIRST run whole when COMMAND is about to enter
//     something in a log
//
// Nobody answers at $ADDRESS. gs://warehouse/snapshots holds the snapshots of the fixtures, in a stand-in for
// Google's, and gs://nightly nothing. Transcripts that begin with [!telco] need the public telco churn table beside the project, and
// DuckDB to make a snapshot of it.
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
			address, err := freeAddress()
			if err != nil {
				return err
			}
			e.Setenv("ADDRESS", address)
			return errors.Join(os.Symlink(filepath.Join(root, "fixtures"), filepath.Join(e.WorkDir, "fixtures")), useCloud(e))
		},
		Condition: func(string) (bool, error) { return telco != "", nil },
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "soon": soon, "valid": valid},
	})
}

// useCloud starts a stand-in for Google Cloud Storage.
func useCloud(e *testscript.Env) error {
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1"})
	if err != nil {
		return err
	}
	e.Defer(server.Stop)
	for _, name := range []string{"nightly", "warehouse"} {
		server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: name})
	}
	e.Setenv("STORAGE_EMULATOR_HOST", server.URL())
	fixtures := os.DirFS(filepath.Join("..", "..", "fixtures"))
	return fs.WalkDir(fixtures, "snapshots", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fixtures, name)
		server.CreateObject(fakestorage.Object{ObjectAttrs: fakestorage.ObjectAttrs{BucketName: "warehouse", Name: name}, Content: content})
		return err
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		ts.Fatalf("%v", err)
	}
	got := 0
	if ended != nil {
		got = ended.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// patience bounds what soon waits for.
const patience = time.Minute

func soon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: soon COMMAND...")
	}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("not within %s: %v", patience, err)
		}
	}
}

// freeAddress gives an address of this machine at which nobody answers.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func valid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: valid NAME")
	}
	schema, err := jsonschema.NewCompiler().Compile("schemas/" + args[0] + ".json")
	ts.Check(err)
	said, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile("stdout")))
	ts.Check(err)
	ts.Check(schema.Validate(said))
}

// Every command has a transcript and, where it speaks JSON, a schema, in which every
// object names all of its keys.
func TestEveryCommandHasATranscriptAndASchema(t *testing.T) {
	parser, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Children {
		if _, err := os.Stat(filepath.Join("testdata", "transcripts", command.Name+".txtar")); err != nil {
			t.Error(err)
		}
		for _, flag := range command.Flags {
			if flag.Name == "json" {
				closed(t, filepath.Join("schemas", command.Name+".json"))
			}
		}
	}
	closed(t, "schemas/common.json")
}

func closed(t *testing.T, name string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Error(err)
		return
	}
	defer file.Close()
	schema, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, open := range openObjects("", schema) {
		t.Errorf("%s: %s may have any key", name, open)
	}
}

// openObjects finds the objects with properties that allow others too.
func openObjects(at string, schema any) (found []string) {
	switch s := schema.(type) {
	case map[string]any:
		if _, isObject := s["properties"].(map[string]any); isObject && s["additionalProperties"] != false && s["type"] == "object" {
			found = append(found, at)
		}
		for key, value := range s {
			found = append(found, openObjects(at+"/"+key, value)...)
		}
	case []any:
		for i, value := range s {
			found = append(found, openObjects(fmt.Sprint(at, "/", i), value)...)
		}
	}
	return found
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
