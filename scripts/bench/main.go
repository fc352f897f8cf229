// Command bench measures whole nights of churntier beside the same work in DuckDB,
// Polars and XGBoost, in turn, and prints medians and ratios:
//
//	go run ./scripts/bench [-job J1] [-rows 1M,10M] [-codec snappy,zstd] [-rounds 5] [-dir DIR] [-baseline BINARY]
//
// README.md says what is done and how it is measured. It needs scripts/peers/install.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == floorCommand {
		if err := floor(os.Args[2:]); err != nil {
			log.Fatalf("floor: %v", err)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	if len(os.Args) > 2 && os.Args[1] == transferCommand {
		if err := transfer(ctx, os.Args[2:]); err != nil {
			log.Fatalf("transfer: %v", err)
		}
		return
	}
	b := bench{}
	jobs := flag.String("job", "J1", "what is done, such as J1,J2,J3,GCS")
	rows := flag.String("rows", "1M,10M", "users of each snapshot, such as 1M,10M,30M")
	codecs := flag.String("codec", "snappy,zstd", "codecs of input and output")
	flag.IntVar(&b.rounds, "rounds", 5, "measured rounds; one more before them is not counted")
	flag.IntVar(&b.threads, "threads", 2, "threads of each program")
	flag.StringVar(&b.dir, "dir", "bench-data", "folder for the snapshots, kept, and for what is written")
	flag.StringVar(&b.baseline, "baseline", "", "another churntier program to measure beside this one")
	flag.StringVar(&b.python, "python", "/usr/bin/python3", "a Python with xgboost, for J3 (Debian: python3-xgboost)")
	flag.BoolVar(&b.alone, "alone", false, "measure churntier and the baseline only")
	flag.Parse()
	err := b.all(ctx, strings.Split(*jobs, ","), strings.Split(*rows, ","), strings.Split(*codecs, ","))
	stop()
	if err != nil {
		log.Fatalf("bench: %v", err)
	}
}

// bench is what is measured and how.
type bench struct {
	rounds, threads int
	dir             string
	baseline        string
	python          string
	alone           bool
	churntier, self string // programs
}

func (b *bench) all(ctx context.Context, names, rows, codecs []string) error {
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, name := range names {
		j, ok := jobs[name]
		if !ok {
			return fmt.Errorf("-job: %q is none of J1, J2, J3, GCS", name)
		}
		for _, size := range rows {
			for _, codec := range codecs {
				if err := b.night(ctx, j, size, codec); err != nil {
					return fmt.Errorf("%s, %s users, %s: %w", name, size, codec, err)
				}
			}
		}
	}
	return nil
}

// night measures one job, size and codec and prints its table.
func (b *bench) night(ctx context.Context, j job, size, codec string) error {
	users, err := parseRows(size)
	if err != nil {
		return err
	}
	n := &night{job: j, dir: filepath.Join(b.dir, j.folder+size+"-"+codec), users: users, codec: codec}
	if err := j.prepare(ctx, b, n); err != nil {
		return err
	}
	all, err := j.measure(ctx, b, n)
	if err != nil {
		return err
	}
	printTable(os.Stdout, fmt.Sprintf("%s, %s users, %s in and out, %d threads, %d rounds", j.title, size, codec, b.threads, b.rounds), all)
	if j.after == nil || b.alone {
		return nil
	}
	return j.after(ctx, b, n, all)
}

// parseRows reads a number that may end in k or M.
func parseRows(s string) (int, error) {
	unit := 1
	switch {
	case strings.HasSuffix(s, "M"):
		unit = 1_000_000
	case strings.HasSuffix(s, "k"):
		unit = 1000
	}
	n, err := strconv.Atoi(strings.TrimRight(s, "kM"))
	if err != nil || n < 1 {
		return 0, fmt.Errorf("-rows: %q is no number such as 500k or 10M", s)
	}
	return n * unit, nil
}
