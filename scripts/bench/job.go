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

// job is a piece of work that several programs can do.
type job struct {
	title   string
	folder  string // starts the names of the folders of its snapshots
	prepare func(context.Context, *bench, *night) error
	measure func(context.Context, *bench, *night) ([]*contender, error) // churntier first
	tally   string                                                      // SQL columns that are the same for equal results
	after   func(context.Context, *bench, *night, []*contender) error   // prints what follows the table, or nil
}

// night is one job on one snapshot.
type night struct {
	job
	dir   string
	users int
	codec string
}

// The nights of the snapshots.
const (
	yesterday = "2026-11-21"
	today     = "2026-11-22"
)

var jobs = map[string]job{
	"J1": {
		title: "J1: scores, categories, distribution, three audiences in Parquet", prepare: prepareJ1, measure: inTurn(contendersJ1),
		tally: tallyMembers, after: printFloor,
	},
	"J2": {
		title: "J2: a whole night with holdout, CSV and changes", folder: "two-", prepare: prepareJ2, measure: inTurn(contendersJ2),
		tally: "bit_xor(hash(user_id, round(100 * score::DOUBLE)::BIGINT)) AS rows",
	},
	"J3":  {title: "J3: J1 with 200 boosted trees", prepare: prepareJ3, measure: inTurn(contendersJ3), tally: tallyMembers},
	"GCS": {title: "GCS: J1 from and to Google Cloud Storage", prepare: prepareGCS, measure: measureGCS, tally: tallyMembers, after: printCloud},
}

// inTurn measures contenders that need nothing beside them.
func inTurn(of func(*bench, *night) []*contender) func(context.Context, *bench, *night) ([]*contender, error) {
	return func(ctx context.Context, b *bench, n *night) ([]*contender, error) {
		all := of(b, n)
		return all, b.measure(ctx, n, all)
	}
}

// configHead is the start of a config, of the folder of the snapshots and the model.
const configHead = `prediction: bench
snapshot: {url: %s, id: user_id}
score: {model: %s}
`

// tallyMembers holds every column of the members of J1 against another's.
const tallyMembers = "bit_xor(hash(user_id, round(100 * score::DOUBLE)::BIGINT, country, plan, ltv)) AS rows"

var categories = []string{"high", "medium", "low"}

func prepareJ1(ctx context.Context, b *bench, n *night) error {
	if err := b.twoSnapshots(ctx, n); err != nil {
		return err
	}
	if err := n.writeConfig(n.threeAudiences("model.json", "snapshots", "churntier")); err != nil {
		return err
	}
	return b.yesterday(ctx, n)
}

// threeAudiences gives the config of the categories' members in Parquet.
func (n *night) threeAudiences(model, snapshots, publish string) string {
	var s strings.Builder
	fmt.Fprintf(&s, configHead+"publish: {url: %s, scores: false, compression: %s}\naudiences:\n", snapshots, model, publish, n.codec)
	for _, category := range categories {
		fmt.Fprintf(&s, `  - name: %s
    where: 'category == "%[1]s"'
    files: [{format: parquet, columns: {user_id: user_id, score: score, category: category, country: country, plan: plan, ltv: ltv}}]
`, category)
	}
	return s.String()
}

func contendersJ1(b *bench, n *night) []*contender {
	all := b.ours(n, "churntier", n.before("churntier"))
	if b.alone {
		return all
	}
	return append(all, b.peer(n, "DuckDB", "job.js"), b.peer(n, "DuckDB, unique ids", "job.js", "--unique"), b.peer(n, "Polars", "job-polars.js"))
}

func prepareJ2(ctx context.Context, b *bench, n *night) error {
	if err := b.twoSnapshots(ctx, n); err != nil {
		return err
	}
	var s strings.Builder
	fmt.Fprintf(&s, configHead+`holdout: {share: 0.05, salt: bench}
publish: {url: churntier/published, passthrough: [country, plan], compression: %s}
deliveries:
  - {name: tool, to: churntier/sent, destination: csv, audiences: [high, medium, low], send: changes, max_age: 87600h}
audiences:
`, "snapshots", "model.json", n.codec)
	for _, category := range categories {
		fmt.Fprintf(&s, "  - {name: %s, where: 'category == \"%[1]s\"', files: [{format: parquet}, {format: csv}]}\n", category)
	}
	if err := n.writeConfig(s.String()); err != nil {
		return err
	}
	if err := b.yesterday(ctx, n); err != nil {
		return err
	}
	return run(exec.CommandContext(ctx, "node", filepath.Join(peers, "job.js"), n.dir, n.before("peer"), "--whole", "--date", yesterday, "--codec", n.codec))
}

// yesterday leaves what churntier made of yesterday's snapshot, which is linked before
// each round.
func (b *bench) yesterday(ctx context.Context, n *night) error {
	out := filepath.Join(n.dir, "churntier")
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := run(exec.CommandContext(ctx, b.churntier, "run", "-c", n.config(), "--date", yesterday, "--quiet")); err != nil {
		return err
	}
	if err := os.RemoveAll(n.before("churntier")); err != nil {
		return err
	}
	return os.Rename(out, n.before("churntier"))
}

func (n *night) before(who string) string { return filepath.Join(n.dir, "yesterday-"+who) }

func contendersJ2(b *bench, n *night) []*contender {
	all := b.ours(n, "churntier/published", n.before("churntier"))
	if b.alone {
		return all
	}
	return append(all, b.peer(n, "DuckDB", "job.js", "--whole", "--before", n.before("peer")))
}

// ours gives churntier, and the baseline where there is one.
func (b *bench) ours(n *night, published, before string) []*contender {
	of := func(name, program string) *contender {
		return &contender{
			name: name, out: filepath.Join(n.dir, "churntier"), before: before,
			args:  []string{program, "run", "-c", n.config(), "--quiet", "--workers", strconv.Itoa(b.threads)},
			files: filepath.Join(n.dir, published, "runs", today, "*", "audiences", "*", "*.parquet"),
		}
	}
	all := []*contender{of("churntier", b.churntier)}
	if b.baseline != "" {
		all = append(all, of("baseline", b.baseline))
	}
	return all
}

// peer gives a script for Node that does the job in another way.
func (b *bench) peer(n *night, name, script string, more ...string) *contender {
	return b.peerBy(n, name, "node", script, more...)
}

// peerBy gives a script that does the job in another way.
func (b *bench) peerBy(n *night, name, interpreter, script string, more ...string) *contender {
	out := filepath.Join(n.dir, "peer")
	args := []string{interpreter, filepath.Join(peers, script), n.dir, out, "--threads", strconv.Itoa(b.threads), "--codec", n.codec}
	return &contender{name: name, args: append(args, more...), out: out, files: filepath.Join(out, "audiences", "**", "*.parquet")}
}
