package pipeline_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/churntier/churntier/"

// floors is the house: a package imports only packages of lower floors. The
// parts of one room (an interface and its implementations) are listed in order.
var floors = [][]string{
	{"pipeline/date", "pipeline/guess"},
	{"pipeline/objstore", "pipeline/spill"},
	{"pipeline/objstore/mem", "pipeline/objstore/file", "pipeline/objstore/gcs", "pipeline/objstore/blob", "pipeline/objstore/dry", "pipeline/objstore/retry", "pipeline/objstore/faulty"},
	{"pipeline/objstore/dial", "pipeline/objstore/objstoretest"},
	{"pipeline/score/forest", "pipeline/filter"},
	{"pipeline/publish", "pipeline/gate", "pipeline/audience", "pipeline/score", "pipeline/selection", "pipeline/distribution", "pipeline/snapshot", "pipeline/identity"},
	{"pipeline", "pipeline/profile"},
	{"pipeline/localrun", "pipeline/delivery"},
	{"jobs/config"},
	{"jobs"},
	{"jobs/metrics", "jobs/notify", "jobs/web"},
	{"cmd/churntier"},
}

// only names imports that belong to a few packages.
var only = []struct {
	prefix string
	homes  []string
}{
	{"github.com/apache/arrow-go/", []string{"pipeline/snapshot", "pipeline/score", "pipeline/identity", "pipeline/audience", "pipeline/filter", "pipeline/delivery", "pipeline/profile"}},
	{"cel.dev/", []string{"pipeline/filter"}},
	{"cloud.google.com/", []string{"pipeline/objstore/gcs"}},
	{"gocloud.dev/", []string{"pipeline/objstore/blob"}},
	{"github.com/aws/", []string{"pipeline/objstore/blob"}},
	{"github.com/Azure/", []string{"pipeline/objstore/blob"}},
	{"github.com/cenkalti/backoff/", []string{"pipeline/objstore/retry", "jobs/notify"}},
	{"github.com/prometheus/", []string{"jobs/metrics"}},
	{"google.golang.org/", []string{"pipeline/objstore/gcs"}},
	{"github.com/alecthomas/kong", []string{"cmd/churntier"}},
	{"github.com/robfig/cron/", []string{"jobs/config"}},
	{"math/rand", []string{"pipeline/objstore/objstoretest"}},
}

func TestImportsGoDown(t *testing.T) {
	floorOf := map[string]int{}
	for i, floor := range floors {
		for _, p := range floor {
			floorOf[p] = i
		}
	}
	eachImport(t, func(pkg, file, imported string) {
		floor, known := floorOf[pkg]
		if !known {
			t.Errorf("%s: package %s is on no floor", file, pkg)
			return
		}
		if below, ours := strings.CutPrefix(imported, module); ours && floorOf[below] >= floor {
			t.Errorf("%s: %s (floor %d) imports %s (floor %d)", file, pkg, floor, below, floorOf[below])
		}
		for _, o := range only {
			if strings.HasPrefix(imported, o.prefix) && !slices.Contains(o.homes, pkg) {
				t.Errorf("%s: %s belongs to %v", file, imported, o.homes)
			}
		}
	})
}

// Clock and chance never reach the data: only the outermost floors tell the time.
func TestNoClockBelowJobs(t *testing.T) {
	eachFile(t, func(pkg, file string, source []byte) {
		if strings.HasPrefix(pkg, "pipeline") && strings.Contains(string(source), "time.Now(") {
			t.Errorf("%s tells the time", file)
		}
	})
}

func eachImport(t *testing.T, visit func(pkg, file, imported string)) {
	t.Helper()
	files := 0
	eachFile(t, func(pkg, file string, source []byte) {
		files++
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			visit(pkg, file, imported)
		}
	})
	if files < 50 {
		t.Fatalf("only %d files were found; the law was not looked at", files)
	}
}

func eachFile(t *testing.T, visit func(pkg, file string, source []byte)) {
	t.Helper()
	root := ".."
	for _, top := range []string{"cmd", "jobs", "pipeline"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			rel, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			source, err := os.ReadFile(name)
			visit(path.Dir(filepath.ToSlash(rel)), rel, source)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
