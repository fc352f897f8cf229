package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// contender is one way to do the job.
type contender struct {
	name  string
	args  []string
	out   string // folder that it writes, removed before each round
	files string // glob of the members' files it writes
	runs  []sample
}

// sample is what one whole process took.
type sample struct {
	wall, cpu float64 // seconds; cpu is user and system
	peak      float64 // resident, MiB
}

// contenders gives churntier first.
func (b *bench) contenders(data, codec string) []*contender {
	config, threads := filepath.Join(data, "j1.yaml"), strconv.Itoa(b.threads)
	churntier := func(name, program string) *contender {
		out := filepath.Join(data, "churntier")
		return &contender{name: name, args: []string{program, "run", "-c", config, "--quiet", "--workers", threads}, out: out,
			files: filepath.Join(out, "runs", "*", "*", "audiences", "*", "*.parquet")}
	}
	peer := func(name, script string, more ...string) *contender {
		out := filepath.Join(data, "peer")
		return &contender{name: name, args: append([]string{"node", filepath.Join(peers, script), data, out, "--threads", threads, "--codec", codec}, more...), out: out,
			files: filepath.Join(out, "audiences", "*", "*.parquet")}
	}
	all := []*contender{churntier("churntier", b.churntier)}
	if b.baseline != "" {
		all = append(all, churntier("baseline", b.baseline))
	}
	return append(all, peer("DuckDB", "job.js"), peer("DuckDB, unique ids", "job.js", "--unique"), peer("Polars", "job-polars.js"))
}

// measure runs all contenders in turn, round after round. In the first round, which
// is not counted, what they wrote is compared.
func (b *bench) measure(ctx context.Context, all []*contender) error {
	expected := ""
	for round := range b.rounds + 1 {
		for _, c := range all {
			s, err := b.once(ctx, c)
			if err != nil {
				return err
			}
			if round > 0 {
				c.runs = append(c.runs, s)
				continue
			}
			got, err := tally(ctx, c.files)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if expected == "" {
				expected = got
			}
			if got != expected {
				return fmt.Errorf("%s wrote other users or scores:\n%s\n%s wrote:\n%s", c.name, got, all[0].name, expected)
			}
		}
	}
	return nil
}

func (b *bench) once(ctx context.Context, c *contender) (sample, error) {
	if err := os.RemoveAll(c.out); err != nil {
		return sample{}, err
	}
	syscall.Sync() // what the last one left to be written is not this one's work
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	threads := strconv.Itoa(b.threads)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+threads, "POLARS_MAX_THREADS="+threads)
	return timed(cmd)
}

// timed runs a command and says what it took.
func timed(cmd *exec.Cmd) (sample, error) {
	start := time.Now()
	if err := run(cmd); err != nil {
		return sample{}, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return sample{}, errors.New("this system does not tell what a process used")
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return sample{time.Since(start).Seconds(), cpu.Seconds(), float64(usage.Maxrss) / 1024}, nil
}

// tally gives the users, scores and columns of the files as one text, the same for
// the same rows in any order.
func tally(ctx context.Context, files string) (string, error) {
	sql := fmt.Sprintf(`SELECT category, count(*) AS users, sum(round(100 * score::DOUBLE))::BIGINT AS scores,
		bit_xor(hash(user_id, round(100 * score::DOUBLE)::BIGINT, country, plan, ltv)) AS rows
		FROM read_parquet('%s', hive_partitioning = false) GROUP BY ALL ORDER BY ALL`, files)
	out, err := exec.CommandContext(ctx, "node", filepath.Join(peers, "sql.js"), sql).Output()
	if err != nil {
		return "", fmt.Errorf("tally of %s: %w", files, err)
	}
	var rows []any
	if err := json.Unmarshal(out, &rows); err != nil || len(rows) != 3 {
		return "", fmt.Errorf("tally of %s: %d categories: %w", files, len(rows), err)
	}
	return strings.TrimSpace(string(out)), nil
}
