package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/jobs/metrics"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/filter"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
	"github.com/churntier/churntier/pipeline/spill"
)

// kinds are the exported kinds of error that a command may end with, and their exit
// codes.
var kinds = map[string]struct {
	err  error
	code int
}{
	"jobs.ErrUsage":          {jobs.ErrUsage, exitUsage},
	"jobs.ErrDelivery":       {jobs.ErrDelivery, exitFailed},
	"config.ErrConfig":       {config.ErrConfig, exitUsage},
	"delivery.ErrAgain":      {delivery.ErrAgain, exitUsage},
	"delivery.ErrColumns":    {delivery.ErrColumns, exitFailed},
	"delivery.ErrLog":        {delivery.ErrLog, exitFailed},
	"delivery.ErrPut":        {delivery.ErrPut, exitFailed},
	"delivery.ErrTooFew":     {delivery.ErrTooFew, exitFailed},
	"delivery.ErrUnknown":    {delivery.ErrUnknown, exitFailed},
	"pipeline.ErrBaseline":   {pipeline.ErrBaseline, exitUsage},
	"pipeline.ErrCounts":     {pipeline.ErrCounts, exitFailed},
	"pipeline.ErrDamage":     {pipeline.ErrDamage, exitFailed},
	"pipeline.ErrGate":       {pipeline.ErrGate, exitRefused},
	"pipeline.ErrList":       {pipeline.ErrList, exitRefused},
	"pipeline.ErrMemory":     {pipeline.ErrMemory, exitUsage},
	"pipeline.ErrProjection": {pipeline.ErrProjection, exitFailed},
	"pipeline.ErrRefused":    {pipeline.ErrRefused, exitRefused},
	"pipeline.ErrStaged":     {pipeline.ErrStaged, exitFailed},
	"publish.ErrConflict":    {publish.ErrConflict, exitFailed},
	"publish.ErrDamaged":     {publish.ErrDamaged, exitFailed},
	"publish.ErrExpired":     {publish.ErrExpired, exitUsage},
	"publish.ErrForeign":     {publish.ErrForeign, exitUsage},
	"publish.ErrLatest":      {publish.ErrLatest, exitFailed},
	"publish.ErrLog":         {publish.ErrLog, exitFailed},
	"publish.ErrNewer":       {publish.ErrNewer, exitUsage},
	"publish.ErrRetry":       {publish.ErrRetry, exitFailed},
	"publish.ErrSuperseded":  {publish.ErrSuperseded, exitSuperseded},
	"publish.ErrTarget":      {publish.ErrTarget, exitUsage},
	"publish.ErrUnknown":     {publish.ErrUnknown, exitFailed},
	"snapshot.ErrDamaged":    {snapshot.ErrDamaged, exitRefused},
	"snapshot.ErrEmpty":      {snapshot.ErrEmpty, exitRefused},
	"snapshot.ErrNotReady":   {snapshot.ErrNotReady, exitNotReady},
	"snapshot.ErrSchema":     {snapshot.ErrSchema, exitRefused},
	"score.ErrModel":         {score.ErrModel, exitUsage},
	"score.ErrOptions":       {score.ErrOptions, exitUsage},
	"score.ErrSchema":        {score.ErrSchema, exitRefused},
	"filter.ErrSyntax":       {filter.ErrSyntax, exitUsage},
	"filter.ErrType":         {filter.ErrType, exitRefused},
	"distribution.ErrRules":  {distribution.ErrRules, exitUsage},
	"identity.ErrNaN":        {identity.ErrNaN, exitRefused},
	"audience.ErrColumn":     {audience.ErrColumn, exitRefused},
	"audience.ErrFormula":    {audience.ErrFormula, exitRefused},
	"audience.ErrText":       {audience.ErrText, exitRefused},
	"audience.ErrValue":      {audience.ErrValue, exitRefused},
	"spill.ErrDamaged":       {spill.ErrDamaged, exitFailed},
	"objstore.ErrChanged":    {objstore.ErrChanged, exitNotReady},
	"objstore.ErrChecksum":   {objstore.ErrChecksum, exitFailed},
	"objstore.ErrKey":        {objstore.ErrKey, exitUsage},
	"objstore.ErrNoBucket":   {objstore.ErrNoBucket, exitFailed},
	"objstore.ErrNoSpace":    {objstore.ErrNoSpace, exitFailed},
	"objstore.ErrPermission": {objstore.ErrPermission, exitFailed},
	"objstore.ErrScheme":     {objstore.ErrScheme, exitUsage},
	"objstore.ErrUnsafe":     {objstore.ErrUnsafe, exitUsage},
}

// never are the kinds that no command ends with: their packages' callers answer
// them or give them another kind.
var never = []string{
	"objstore.ErrNotExist", "objstore.ErrPrecondition", "objstore.ErrTooLarge", "faulty.ErrCrashed", "faulty.ErrReset",
	"forest.ErrFormat", "forest.ErrUnsupported", "identity.ErrType", "audience.ErrOption", "audience.ErrDamaged",
	"pipeline.ErrOtherInputs", "pipeline.ErrShared",
}

func TestEveryKindHasAnExitCodeAndAHint(t *testing.T) {
	declared := declaredKinds(t)
	for _, name := range declared {
		k, known := kinds[name]
		if known == slices.Contains(never, name) {
			t.Errorf("%s: want it among kinds, or among never", name)
		}
		if !known {
			continue
		}
		if f := classify(fmt.Errorf("of a command: %w", k.err)); f.code != k.code || f.hint == "" || f.kind == "failed" {
			t.Errorf("%s: %+v, want exit code %d, a kind and a hint", name, f, k.code)
		}
	}
	if len(declared) != len(kinds)+len(never) {
		t.Errorf("%d kinds are declared, and %d are known here", len(declared), len(kinds)+len(never))
	}
}

// Every kind has a line in the table of scripts/deploy, with its exit code.
func TestEveryKindIsExplained(t *testing.T) {
	readme, err := os.ReadFile("../../scripts/deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(readme), "\n")
	for _, m := range meanings {
		explained := slices.ContainsFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, fmt.Sprintf("| %d |", m.code)) && strings.Contains(line, "`"+m.kind+"`")
		})
		if !explained {
			t.Errorf("no line of exit code %d explains %s", m.code, m.kind)
		}
	}
}

// declaredKinds lists the exported kinds of error of the packages below.
func declaredKinds(t *testing.T) []string {
	t.Helper()
	declaration := regexp.MustCompile(`(?m)^\s*(?:var )?(Err[A-Z]\w*) += `)
	var found []string
	for _, root := range []string{"../../jobs", "../../pipeline"} {
		err := fs.WalkDir(os.DirFS(root), ".", func(name string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			source, err := os.ReadFile(filepath.Join(root, name))
			for _, m := range declaration.FindAllSubmatch(source, -1) {
				found = append(found, path.Base(path.Dir(path.Join(root, name)))+"."+string(m[1]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// Where an error is of several kinds, or none, the one that tells what to do decides.
func TestExitCodes(t *testing.T) {
	terminated := &interrupted{syscall.SIGTERM}
	for _, c := range []struct {
		err    error
		code   int
		status string
	}{
		{errors.New("anything"), 1, "failed"},
		{fmt.Errorf("%w: %w", jobs.ErrUsage, objstore.ErrNotExist), 2, "failed"},
		{snapshot.ErrNotReady, 3, "not-ready"},
		{fmt.Errorf("%w: %w", snapshot.ErrNotReady, snapshot.ErrEmpty), 3, "not-ready"},
		{fmt.Errorf("%w: %w", pipeline.ErrStaged, objstore.ErrChanged), 1, "failed"}, // not an input
		{errors.Join(pipeline.ErrGate, objstore.ErrPermission), 4, "refused"},        // the evidence could not be kept
		{fmt.Errorf("%w: %w", pipeline.ErrRefused, snapshot.ErrDamaged), 4, "refused"},
		{fmt.Errorf("%w: %w", snapshot.ErrDamaged, objstore.ErrChecksum), 4, "refused"},
		{publish.ErrSuperseded, 5, "superseded"},
		{fmt.Errorf("%w: %w", pipeline.ErrProjection, publish.ErrConflict), 1, "published"},
		{errors.Join(terminated, context.Canceled), 143, "failed"},
		{errors.Join(&interrupted{syscall.SIGINT}, context.Canceled), 130, "failed"},
		{errors.Join(terminated, pipeline.ErrProjection), 143, "published"}, // it is, whatever came after
	} {
		if f := classify(c.err); f.code != c.code || f.status != c.status {
			t.Errorf("%v: %d %s, want %d %s", c.err, f.code, f.status, c.code, c.status)
		}
	}
	if f := classify(errors.Join(terminated, publish.ErrUnknown)); f.kind != "unknown" {
		t.Errorf("an interruption hides that the night may be published: %+v", f)
	}
}

// A signal in the middle: nothing visible, the code of the signal, and JSON that
// says so.
func TestInterruptedRun(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 1000)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&interrupted{syscall.SIGTERM})
	c := runCommand{configFlags: configFlags{Config: p.path("churntier.yaml")}, Date: "latest", Timeout: time.Hour, workFlags: workFlags{Memory: "256MiB"}}
	_, _, _, err := c.publish(&terminal{ctx: ctx, stderr: t.Output()}, metrics.New())
	if status, form := errorOf(err); classify(err).code != 143 || status != "failed" || form.Kind != "interrupted" {
		t.Errorf("%v: %s %+v", err, status, form)
	}
	if len(p.visible()) > 0 {
		t.Errorf("something became visible: %v", p.visible())
	}
}

func TestFailuresAreJSONToo(t *testing.T) {
	p := newPlace(t)
	config := p.path("churntier.yaml")
	for _, args := range [][]string{{"show", "-c", config}, {"files", "-c", config}, {"check", "-c", config}, {"try", p.path("none.parquet")}} {
		r := p.churntier(append(args, "--json")...)
		if r.code == exitDone || r.stderr != "" {
			t.Errorf("%v: exit %d, standard error %q", args, r.code, r.stderr)
		}
		r.expect(t, r.code, `"status":"failed"`, `"message":`)
	}
}

// A run that takes too long ends by itself, and leaves nothing visible.
func TestTimeout(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 1000)
	out, r := p.runJSON("--timeout", "1ns")
	r.expect(t, exitFailed)
	if out.Status != "failed" || out.Error.Kind != "timeout" || !strings.Contains(out.Error.Message, "gave up after 1ns (--timeout)") {
		t.Errorf("%+v", out.Error)
	}
	if len(p.visible()) > 0 {
		t.Errorf("something became visible: %v", p.visible())
	}
	p.night().expect(t, exitDone)
}

// What a run would refuse, a check before the night refuses with the same code.
func TestCheckRefusesAsARunDoes(t *testing.T) {
	p := newPlace(t)
	p.ordinary(night22, 10)
	hashed := "audiences=[{name: all, files: [{format: csv, columns: {id: {from: churn_score, hash: sha256-lower-trim}}}]}]"
	for _, command := range []string{"check", "run"} {
		args := []string{command, "-c", p.path("churntier.yaml"), "--set"}
		p.churntier(append(args, hashed)...).expect(t, exitRefused, "only text can be hashed")
		p.churntier(append(args, "publish.url=gs://bucket/a//b")...).expect(t, exitUsage, "two in a row")
	}
}
