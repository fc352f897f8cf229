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
	name   string
	args   []string
	out    string // folder that it writes, removed before each round
	before string // what is there instead, linked; "" for nothing
	env    []string
	reset  func(context.Context) error // before each round, or nil
	files  string                      // glob of the members' files it writes; "" where they are not compared
	runs   []sample

	tellsParts bool // it prints what it took, which is less than the whole process
}

// sample is what one whole process took.
type sample struct {
	wall, cpu float64 // seconds; cpu is user and system
	peak      float64 // resident, MiB
}

// measure runs all contenders in turn, round after round. In the first round, which
// is not counted, what they wrote is compared.
func (b *bench) measure(ctx context.Context, n *night, all []*contender) error {
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
			if c.files == "" {
				continue
			}
			got, err := n.sum(ctx, c.files)
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
	if c.before != "" {
		if err := run(exec.CommandContext(ctx, "cp", "-al", c.before, c.out)); err != nil {
			return sample{}, err
		}
	}
	if c.reset != nil {
		if err := c.reset(ctx); err != nil {
			return sample{}, err
		}
	}
	syscall.Sync() // what the last one left to be written is not this one's work
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	threads := strconv.Itoa(b.threads)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+threads, "POLARS_MAX_THREADS="+threads)
	cmd.Env = append(cmd.Env, c.env...)
	if c.tellsParts {
		return told(cmd)
	}
	return timed(cmd)
}

// timed runs a command and says what it took.
func timed(cmd *exec.Cmd) (sample, error) {
	start := time.Now()
	if err := run(cmd); err != nil {
		return sample{}, err
	}
	return used(cmd.ProcessState, time.Since(start))
}

// told runs a command and says what its parts took, as it prints it, and its peak.
func told(cmd *exec.Cmd) (sample, error) {
	printed, err := cmd.Output()
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", cmd, err)
	}
	s, err := used(cmd.ProcessState, 0)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(printed, &struct{ Wall, CPU *float64 }{&s.wall, &s.cpu})
}

func used(ended *os.ProcessState, wall time.Duration) (sample, error) {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return sample{}, errors.New("this system does not tell what a process used")
	}
	cpu := ended.UserTime() + ended.SystemTime()
	return sample{wall.Seconds(), cpu.Seconds(), float64(usage.Maxrss) / 1024}, nil
}

// sum gives the users and scores in the files as one text, the same for the same rows
// in any order.
func (n *night) sum(ctx context.Context, files string) (string, error) {
	sql := fmt.Sprintf(`SELECT category, count(*) AS users, sum(round(100 * score::DOUBLE))::BIGINT AS scores, %s
		FROM read_parquet('%s', hive_partitioning = false) GROUP BY ALL ORDER BY ALL`, n.tally, files)
	out, err := exec.CommandContext(ctx, "node", filepath.Join(peers, "sql.js"), sql).Output()
	if err != nil {
		return "", fmt.Errorf("sum of %s: %w", files, err)
	}
	var rows []any
	if err := json.Unmarshal(out, &rows); err != nil || len(rows) != len(categories) {
		return "", fmt.Errorf("sum of %s: %d categories: %w", files, len(rows), err)
	}
	return strings.TrimSpace(string(out)), nil
}
