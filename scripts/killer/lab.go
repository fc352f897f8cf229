//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// dates are the nights of the snapshot: those of fixtures/.
var dates = []string{"2026-11-20", "2026-11-21", "2026-11-22"}

// variants is the number of configs, which select other users each.
const variants = 2

// config publishes three tables and two audiences with their control arms. Its
// JSON lines are larger than what the cloud takes in one request.
const config = `prediction: killed
snapshot: {url: %s, id: user_id, contact: email}
score: {column: {name: churn_score, range: [0, 1]}}
gates: {rejected: {max_share: 0.01}, duplicates: {max_share: 0.01}}
holdout: {share: 0.05, salt: salt-%d}
audiences:
  - name: save-them
    score: [75, 100]
    limit: 100
    files: [{format: csv, columns: {external_id: user_id, churn_risk: category}}]
  - name: everybody
    score: [0, 100]
    files:
      - format: jsonl
        columns: {id: user_id, mail: email, country: country, plan: plan, sessions: sessions_30d, days: days_since_last_session, risk: category}
publish: {url: out, keep_days: 36500, passthrough: [country, plan]}
`

// lab is what all processes share: the binary, the snapshot and what an
// undisturbed run makes of it.
type lab struct {
	folder     string
	binary     string
	fakegcs    string
	snapshots  string
	temp       string // of the processes
	configs    [variants]string
	references map[job]reference // by date and variant
	places     int               // given out so far
}

// reference is what an undisturbed run publishes.
type reference struct {
	fingerprint string
	shards      map[string]string // SHA-256 by key relative to the run
}

// newLab builds the programs and the snapshot in a folder.
func newLab(folder string) (*lab, error) {
	l := &lab{
		folder: folder, binary: filepath.Join(folder, "churntier"), fakegcs: filepath.Join(folder, "fakegcs"),
		snapshots: filepath.Join(folder, "snapshots"), temp: filepath.Join(folder, "temp"), references: map[job]reference{},
	}
	const module = "github.com/churntier/churntier/"
	build := exec.Command("go", "build", "-o", folder+"/", module+"cmd/churntier", module+"scripts/fakegcs")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %w: %s", build, err, out)
	}
	if err := l.writeInputs(); err != nil {
		return nil, err
	}
	for _, d := range dates {
		for v := range variants {
			if err := l.publishReference(job{date: d, variant: v}); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

func (l *lab) writeInputs() error {
	module, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return err
	}
	fixtures := filepath.Join(filepath.Dir(string(module)), "fixtures", "snapshots")
	if err := os.CopyFS(l.snapshots, os.DirFS(fixtures)); err != nil {
		return err
	}
	for v := range l.configs {
		l.configs[v] = filepath.Join(l.folder, fmt.Sprintf("config-%d.yaml", v))
		if err := os.WriteFile(l.configs[v], fmt.Appendf(nil, config, l.snapshots, v), 0o600); err != nil {
			return err
		}
	}
	return os.Mkdir(l.temp, 0o700)
}

// publishReference runs a job undisturbed in a fresh folder.
func (l *lab) publishReference(j job) error {
	p := localPlace{folder: filepath.Join(l.folder, fmt.Sprintf("reference-%s-%d", j.date, j.variant))}
	cmd := exec.Command(l.binary, l.arguments(p, j)...)
	var said struct {
		Status, Run string
		Manifest    struct{ Fingerprint string }
	}
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &said)
	}
	if err != nil || said.Status != "published" {
		return fmt.Errorf("%v: %w: %s", cmd, err, out)
	}
	objects, err := p.objects()
	if err != nil {
		return err
	}
	ref := reference{fingerprint: said.Manifest.Fingerprint, shards: map[string]string{}}
	for key, data := range objects {
		name, ours := strings.CutPrefix(key, "runs/"+j.date+"/"+said.Run+"/")
		if ours && name != manifestName {
			ref.shards[name] = digest(data)
		}
	}
	l.references[j] = ref
	return nil
}

// command runs a command of the binary that must succeed in a place, undisturbed.
func (l *lab) command(p place, args ...string) error {
	cmd := exec.Command(l.binary, append(args, "-c", l.configs[0], "--set", "publish.url="+p.url())...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	finish, err := p.start(cmd, func(operation) bool { return true })
	if err != nil {
		return err
	}
	err = cmd.Wait()
	finish()
	if err != nil {
		return fmt.Errorf("churntier %v: %w: %s", args, err, output.Bytes())
	}
	return nil
}

func digest(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
