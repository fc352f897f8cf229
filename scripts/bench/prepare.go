package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const peers = "scripts/peers"

// prepare builds the programs that are measured.
func (b *bench) prepare(ctx context.Context) (err error) {
	if _, err := os.Stat(filepath.Join(peers, "node_modules")); err != nil {
		return fmt.Errorf("run %s/install first, and bench from the root of the project: %w", peers, err)
	}
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	b.churntier = filepath.Join(b.dir, "churntier")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.churntier, "./cmd/churntier")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the image is built
	return run(build)
}

func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// makeSnapshot writes a snapshot, unless it is there, and the config of the job.
func (b *bench) makeSnapshot(ctx context.Context, data string, users int, codec string) error {
	if _, err := os.Stat(filepath.Join(data, "model.json")); err != nil {
		files := max(1, users/1_250_000)
		gen := exec.CommandContext(ctx, "node", filepath.Join(peers, "gen.js"), data, "--users", strconv.Itoa(users),
			"--files", strconv.Itoa(files), "--codec", codec, "--threads", strconv.Itoa(b.threads))
		if err := run(gen); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(data, "j1.yaml"), []byte(configOf(codec)), 0o600)
}

// configOf gives churntier's config of J1: an audience a category, in Parquet.
func configOf(codec string) string {
	var s strings.Builder
	fmt.Fprintf(&s, `prediction: bench
snapshot: {url: snapshots, id: user_id}
score: {model: model.json}
publish: {url: churntier, scores: false, compression: %s}
audiences:
`, codec)
	for _, category := range []string{"high", "medium", "low"} {
		fmt.Fprintf(&s, `  - name: %s
    where: 'category == "%[1]s"'
    files: [{format: parquet, columns: {user_id: user_id, score: score, category: category, country: country, plan: plan, ltv: ltv}}]
`, category)
	}
	return s.String()
}
