package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
)

// prepareJ3 trains the trees on the snapshot of J1, unless they are there.
func prepareJ3(ctx context.Context, b *bench, n *night) error {
	if err := b.twoSnapshots(ctx, n); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(n.dir, "forest.json")); err != nil {
		if err := run(exec.CommandContext(ctx, b.python, filepath.Join(peers, "train.py"), n.dir)); err != nil {
			return err
		}
	}
	if err := n.writeConfig(n.threeAudiences("forest.json", "snapshots", "churntier")); err != nil {
		return err
	}
	return b.yesterday(ctx, n)
}

func contendersJ3(b *bench, n *night) []*contender {
	all := b.ours(n, "churntier", n.before("churntier"))
	if b.alone {
		return all
	}
	pair := b.peerBy(n, "DuckDB calling XGBoost", b.python, "job-xgboost.py")
	parts := b.peerBy(n, "XGBoost's call + DuckDB", b.python, "job-xgboost.py", "--parts")
	parts.files, parts.tellsParts = "", true
	return append(all, pair, parts)
}
