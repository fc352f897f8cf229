package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/spill"
)

// configFlags are the flags of every command that reads a config.
type configFlags struct {
	Config string   `short:"c" required:"" placeholder:"FILE" help:"The config of the prediction."`
	Set    []string `placeholder:"KEY.PATH=VALUE" sep:"none" help:"Override a key of the config; repeatable."`
}

func (f configFlags) load() (*config.Config, error) {
	return config.Load(f.Config, config.Options{Set: f.Set, Getenv: os.Getenv})
}

// outputFlags say how a command speaks.
type outputFlags struct {
	JSON bool `name:"json" help:"Print one JSON object on standard output."`
	logFlags
}

// logFlags say how a command speaks on standard error.
type logFlags struct {
	Quiet     bool   `help:"No progress."`
	LogFormat string `enum:"text,json" default:"text" placeholder:"text|json" help:"Form of the log lines on standard error."`
}

func (f logFlags) logger(t *terminal) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if f.Quiet {
		o.Level = slog.LevelWarn
	}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(t.stderr, o))
	}
	return slog.New(slog.NewTextHandler(t.stderr, o))
}

// workFlags bound what a run may use.
type workFlags struct {
	Workers int    `placeholder:"N" help:"Splits worked on side by side; default: the processors."`
	Memory  string `default:"256MiB" placeholder:"SIZE" help:"Users' data that a step keeps in memory; above it, it spills to --temp."`
	Temp    string `placeholder:"DIR" help:"Folder for temporary files; default: the system's."`
}

func (f workFlags) engine() (localrun.Engine, error) {
	memory, err := parseSize(f.Memory)
	if err != nil {
		return localrun.Engine{}, fmt.Errorf("%w: --memory: %w", jobs.ErrUsage, err)
	}
	if f.Workers < 0 {
		return localrun.Engine{}, fmt.Errorf("%w: --workers must not be negative", jobs.ErrUsage)
	}
	return localrun.Engine{Memory: memory, Workers: cmp.Or(f.Workers, runtime.GOMAXPROCS(0))}, nil
}

// share gives the engine of each of some runs that are worked on side by side.
func (f workFlags) share(parallel int) (localrun.Engine, error) {
	if parallel < 1 {
		return localrun.Engine{}, fmt.Errorf("%w: --parallel must be at least 1", jobs.ErrUsage)
	}
	e, err := f.engine()
	if err != nil {
		return e, err
	}
	e.Workers, e.Memory = max(1, e.Workers/parallel), e.Memory/int64(parallel)
	if e.Memory < leastMemory {
		return e, fmt.Errorf("%w: --memory %s is too little for %d nights; want at least 16MiB for each", jobs.ErrUsage, f.Memory, parallel)
	}
	return e, nil
}

// sharedTemp gives the folder for temporary files, in which one could be created. It
// is everybody's and must never be removed: the files have no names while they are
// open, so a killed run leaves nothing of its users there.
func (f workFlags) sharedTemp() (string, error) {
	folder := cmp.Or(f.Temp, os.TempDir())
	file, err := spill.Create(folder)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return "", fmt.Errorf("%w: %w", jobs.ErrUsage, err)
	}
	if err != nil {
		return "", err
	}
	return folder, file.Close()
}

// leastMemory is what the tables and buffers of a step need to be of use.
const leastMemory = 16 << 20

// parseSize reads a number of bytes with an optional unit KiB, MiB or GiB.
func parseSize(text string) (int64, error) {
	digits := strings.TrimRight(text, "KMGiB")
	unit, ok := map[string]int64{"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[text[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || n > (1<<50)/unit {
		return 0, fmt.Errorf("%q is no size; want a number with KiB, MiB or GiB, such as 256MiB", text)
	}
	if n*unit < leastMemory {
		return 0, fmt.Errorf("%s is too little to work with; want at least 16MiB", text)
	}
	return n * unit, nil
}

// newRun names an attempt: a ULID, which sorts by time.
func newRun() string {
	return ulid.MustNew(ulid.Timestamp(time.Now()), rand.Reader).String()
}

// version names the build: its tag, or its commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			return s.Value
		}
	}
	return info.Main.Version
}
