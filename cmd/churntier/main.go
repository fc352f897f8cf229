// Command churntier scores a night's snapshot of users and publishes audience
// files for campaign tools. It only translates: flags and signals in, text and
// exit codes out.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// commands is the command line.
type commands struct {
	Init       initCommand       `cmd:"" help:"Write a config for a snapshot: guesses what it can, says why, and names what is left to fill in."`
	Run        runCommand        `cmd:"" help:"Publish one night."`
	Backfill   backfillCommand   `cmd:"" help:"Publish many nights, oldest first; goes on where it was interrupted, and never delivers."`
	Check      checkCommand      `cmd:"" help:"Check config, model and the snapshot's schema; reads footers only and writes nothing."`
	Show       showCommand       `cmd:"" help:"Show what is published: distribution, categories, audiences, gates, history."`
	Select     selectCommand     `cmd:"" help:"Count whom a range of scores and a condition would take, and print the audience to paste."`
	Files      filesCommand      `cmd:"" help:"Print the URLs of published files, one a line."`
	Serve      serveCommand      `cmd:"" help:"Publish and deliver the nights of one or many predictions by their schedules, until told to stop."`
	Deliver    deliverCommand    `cmd:"" help:"Send what is due of the newest publication to the campaign tools."`
	Redeliver  redeliverCommand  `cmd:"" help:"Send the newest delivery once more, on purpose."`
	Verify     verifyCommand     `cmd:"" help:"Read again what is published: sizes, checksums, rows, counts, the log."`
	Rollback   rollbackCommand   `cmd:"" help:"Make an older run of a date its publication again."`
	Withdraw   withdrawCommand   `cmd:"" help:"Take back what is published for a date."`
	Repair     repairCommand     `cmd:"" help:"Make latest/ show what the log says."`
	Prune      pruneCommand      `cmd:"" help:"Delete runs that were never published, and the shards of publications older than publish.keep_days."`
	Try        tryCommand        `cmd:"" help:"Show the score distribution of one Parquet file, without any config."`
	Health     healthCommand     `cmd:"" help:"Ask a server whether it lives; for health checks of containers."`
	Completion completionCommand `cmd:"" help:"Print the completion of a shell."`
	Schema     schemaCommand     `cmd:"" help:"Print the JSON schema of the config."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
}

// terminal is where a command reads and writes.
type terminal struct {
	ctx    context.Context
	stdout io.Writer
	stderr io.Writer
	person io.Reader // who answers questions; nil = nobody is there
}

// run executes one command line and gives its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	var c commands
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("churntier"),
		kong.Description("Nightly churn audiences from Parquet snapshots.\n\n"+exitCodes),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Help(printHelp),
	)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "churntier:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help was printed
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "churntier: %v\nhint: %s\n", err, usageHint(err))
		return exitUsage
	}
	ctx, stop := untilSignal(context.Background(), parsed.Command() == "serve")
	defer stop()
	t := &terminal{ctx: ctx, stdout: stdout, stderr: stderr, person: personAt(os.Stdin)}
	return t.report(t.interruption(parsed.Run(t)))
}

// personAt gives a person at a terminal, or nil.
func personAt(input *os.File) io.Reader {
	if term.IsTerminal(int(input.Fd())) {
		return input
	}
	return nil
}

// interrupted is the cause of a context that a signal ended.
type interrupted struct{ signal syscall.Signal }

func (i *interrupted) Error() string { return "interrupted (" + i.signal.String() + ")" }

// untilSignal gives a context that the first SIGINT, SIGTERM or SIGHUP cancels; a second
// one ends the process at once. Where a hang-up means something else to the command,
// SIGHUP is left to it.
func untilSignal(parent context.Context, leaveHangUp bool) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !leaveHangUp && !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&interrupted{signal: s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

// interruption adds to an error the signal that caused it, if one did.
func (t *terminal) interruption(err error) error {
	var i *interrupted
	if err == nil || errors.As(err, &i) || !errors.As(context.Cause(t.ctx), &i) {
		return err
	}
	return errors.Join(i, err)
}
