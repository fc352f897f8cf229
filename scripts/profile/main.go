// Command profile runs one night as churntier run does and writes its CPU profile:
//
//	go run ./scripts/profile -c CONFIG [-o cpu.pprof] [-workers 2]
//	go tool pprof -top -cum cpu.pprof
//
// The night is a dry run with all its work but the writing, unless -write is given;
// then it is published and delivered. With such a profile churntier is compiled: see
// scripts/bench.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime/pprof"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/localrun"
)

func main() {
	log.SetFlags(0)
	path := flag.String("c", "", "the config")
	out := flag.String("o", "cpu.pprof", "where the profile is written")
	workers := flag.Int("workers", 2, "splits worked on side by side")
	write := flag.Bool("write", false, "publish, replacing what is published, and deliver")
	flag.Parse()
	if err := profile(*path, *out, *workers, *write); err != nil {
		log.Fatalf("profile: %v", err)
	}
}

// memory is churntier's default of --memory.
const memory = 256 << 20

func profile(path, out string, workers int, write bool) error {
	cfg, err := config.Load(path, config.Options{})
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "profile-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	start := time.Now()
	engine := localrun.Engine{Workers: workers, Memory: memory}
	newRun := func() string { return ulid.Make().String() }
	day, outcome, err := jobs.Nightly(context.Background(), cfg, jobs.Options{
		Date: "latest", DryRun: !write, Force: true, Temp: temp, Version: "profile", Progress: silent{},
		NewRun: newRun,
	}, engine)
	if err == nil && write {
		_, err = jobs.Deliver(context.Background(), cfg, jobs.DeliverOptions{
			Now: start, NewRun: newRun, Temp: temp, Memory: memory, Workers: workers, Engine: engine,
		})
	}
	pprof.StopCPUProfile()
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s in %.2f s\n", day, outcome.Status, time.Since(start).Seconds())
	return f.Close()
}

// silent hears of no progress.
type silent struct{}

func (silent) Stage(string, int64, int64) {}
func (silent) Add(int64)                  {}
