// Command servesoak holds the real churntier serve to its word by the real clock: many
// predictions of which one becomes due every minute, one server that is killed and
// started again at random, and one beside it that is left alone and watched.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sync/errgroup"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "servesoak:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	minutes := flag.Int("minutes", 10, "minutes, and predictions of each server, at most 600")
	seed := flag.Uint64("seed", 1, "of what is done to the server")
	folder := flag.String("dir", "", "an empty folder to work in; default: a temporary one, which is removed")
	flag.Parse()
	if *folder == "" {
		temp, err := os.MkdirTemp("", "servesoak-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temp)
		*folder = temp
	}
	program := filepath.Join(*folder, "churntier")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/churntier").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, out)
	}
	chance := rand.New(rand.NewPCG(*seed, 0))
	struck, err := newFleet(*folder, "struck", program, *minutes, chance)
	if err != nil {
		return err
	}
	steady, err := newFleet(*folder, "steady", program, *minutes, chance)
	if err != nil {
		return err
	}
	return soak(ctx, struck, steady, chance)
}

// soak lets both servers live, and judges them.
func soak(ctx context.Context, struck, steady *fleet, chance *rand.Rand) error {
	end := struck.end()
	arriving, stop := context.WithCancel(ctx)
	defer stop()
	var around errgroup.Group
	for _, f := range []*fleet{struck, steady} {
		around.Go(func() error { return f.arrive(arriving) })
	}
	watched, err := steady.start()
	if err != nil {
		return err
	}
	defer watched.kill()
	var samples []sample
	around.Go(func() (err error) {
		samples, err = watched.watch(arriving, end)
		return err
	})
	lives, err := struck.live(ctx, end, chance)
	if err != nil {
		return err
	}
	if err := around.Wait(); err != nil {
		return err
	}
	after, err := watched.goroutines()
	if err != nil {
		return err
	}
	fresh, err := steady.fresh(ctx)
	if err != nil {
		return err
	}
	report(lives, samples, after, fresh)
	if after > fresh {
		return fmt.Errorf("the watched server had %d goroutines, a fresh one %d", after, fresh)
	}
	return judge(ctx, struck, steady)
}
