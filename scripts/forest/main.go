// Command forest times the evaluator of boosted trees beside XGBoost's own: it
// trains a model with Python's xgboost, scores the same rows with both in turn,
// on one thread and on two, holds that every margin has the same bits, and prints
// the time per row and tree.
//
//	go run ./scripts/forest [--rows 1000000] [--rounds 5] [--python python3] [--dir DIR]
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

func main() {
	log.SetFlags(0)
	rows := flag.Int("rows", 1_000_000, "rows to score")
	rounds := flag.Int("rounds", 5, "rounds of each, in turn; medians are printed")
	python := flag.String("python", "/usr/bin/python3", "a Python with xgboost (Debian: python3-xgboost)")
	dir := flag.String("dir", "", "folder for model and rows; default: a temporary one")
	flag.Parse()
	if err := compare(*rows, *rounds, *python, *dir); err != nil {
		log.Fatalf("forest: %v", err)
	}
}

func compare(rows, rounds int, python, dir string) error {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "forest-*")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(temporary) }()
		dir = temporary
	}
	script := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(python, append([]string{filepath.Join("scripts", "forest", name)}, args...)...)
		c.Stderr = os.Stderr
		return c
	}
	trained, err := script("train.py", dir, strconv.Itoa(rows)).Output()
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	fmt.Printf("%s", trained)
	ours, err := load(dir)
	if err != nil {
		return err
	}
	fmt.Printf("%d trees, %d features\n\n", ours.model.Trees(), len(ours.columns))
	fmt.Println("CPU ns per row and tree, medians of", rounds, "rounds in turn")
	fmt.Printf("%8s %12s %12s %12s %8s\n", "threads", "churntier", "predict", "in place", "ratio")
	for _, threads := range []int{1, 2} {
		peer, err := start(script("predict.py", dir, strconv.Itoa(threads)))
		if err != nil {
			return err
		}
		if err := ours.against(peer, threads, rounds); err != nil {
			return err
		}
	}
	return nil
}

// against prints a line: our CPU time beside that of XGBoost's two ways, and the
// ratio to the faster of them, pair by pair.
func (o *ours) against(peer *peer, threads, rounds int) error {
	var mine, made, inplace, ratios []float64
	unit := 1e9 / float64(len(o.margins)) / float64(o.model.Trees())
	for range rounds {
		t, err := peer.round()
		if err != nil {
			return err
		}
		cpu, err := o.round(threads)
		if err != nil {
			return err
		}
		mine, made, inplace = append(mine, cpu*unit), append(made, t.made*unit), append(inplace, t.inplace*unit)
		ratios = append(ratios, cpu/min(t.made, t.inplace))
	}
	fmt.Printf("%8d %12.2f %12.2f %12.2f %8.3f\n", threads, median(mine), median(made), median(inplace), median(ratios))
	return peer.stop()
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
