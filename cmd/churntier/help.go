package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// examples are command lines of each command, with what they do.
var examples = map[string][][2]string{
	"init": {
		{"init gs://warehouse/user_snapshots", "write churntier.yaml from the newest night"},
		{"init snapshots --model churn.json -c churn.yaml", "fit a model to the columns"},
	},
	"run": {
		{"run -c churntier.yaml", "the newest night that is ready"},
		{"run -c churntier.yaml --date 2026-11-22 --dry-run", "compute and judge, write nothing"},
		{"run -c churntier.yaml --accept psi --reason 'new model'", "let one gate pass, once"},
	},
	"backfill": {
		{"backfill -c churntier.yaml --from 2026-09-01 --to 2026-10-30 --dry-run", "what would be done, date by date"},
		{"backfill -c churntier.yaml --from 2026-09-01 --to 2026-10-30 --parallel 2", "do it, or go on with it after an interruption"},
	},
	"check": {
		{"check -c churntier.yaml", "does everything fit tonight's snapshot?"},
		{"check -c churntier.yaml --probe", "does the store keep two runs apart?"},
	},
	"show": {
		{"show -c churntier.yaml", "the newest date"},
		{"show -c churntier.yaml --date 2026-11-22", "why a night was refused"},
	},
	"select": {
		{"select -c churntier.yaml --min 60", "whom would scores from 60 to 100 take?"},
		{"select -c churntier.yaml --min 60 --where 'plan == \"pro\"'", "with a condition"},
	},
	"files": {
		{"files -c churntier.yaml --audience high", "what a campaign tool imports"},
		{"files -c churntier.yaml --table scores", "all scored users, for a data team"},
	},
	"serve": {
		{"serve -c churn.yaml -c upsell.yaml", "every night of both, by the schedules in their configs"},
		{"serve -c churn.yaml --log-format json", "with log lines for machines"},
	},
	"deliver": {
		{"deliver -c churntier.yaml", "send what is due, or go on with a delivery that was interrupted"},
	},
	"redeliver": {
		{"redeliver mailer -c churntier.yaml --date 2026-11-22 --reason 'the tool lost it'", "send it twice, on purpose"},
	},
	"verify":   {{"verify -c churntier.yaml --date all", "read everything again that is published"}},
	"rollback": {{"rollback -c churntier.yaml --date 2026-11-22 --to 0 --reason 'wrong model'", "the date's first publication again"}},
	"withdraw": {{"withdraw -c churntier.yaml --date 2026-11-22 --reason 'wrong export'", "nothing for this date"}},
	"repair":   {{"repair -c churntier.yaml", "after a run that said: projection"}},
	"prune": {
		{"prune -c churntier.yaml --dry-run", "what would be deleted"},
		{"prune -c churntier.yaml --older-than 720h", "keep what is left of failed runs for a month"},
	},
	"try": {
		{"try scores.parquet --score-column p_churn", "the distribution of a column"},
		{"try users.parquet --model churn.json", "of a model"},
	},
	"health": {
		{"health", "does churntier serve live on this machine?"},
		{"health --url http://127.0.0.1:9000/readyz", "and does it look after nights?"},
	},
	"completion": {
		{"completion bash > /etc/bash_completion.d/churntier", "for every user of bash"},
		{"completion zsh > \"${fpath[1]}/_churntier\"", "for zsh"},
		{"completion fish > ~/.config/fish/completions/churntier.fish", "for fish"},
	},
	"schema":  {{"schema > churntier.schema.json", "for the editor"}},
	"version": {{"version", "which build this is"}},
}

// printHelp prints, after what kong does, examples and the exit codes.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	if ctx.Selected() == nil {
		return nil
	}
	_, err := fmt.Fprintf(ctx.Stdout, "\n%s\n%s\n", examplesOf(ctx.Selected().Name), exitCodes)
	return err
}

func examplesOf(command string) string {
	var b strings.Builder
	b.WriteString("Examples:\n")
	for _, e := range examples[command] {
		fmt.Fprintf(&b, "  churntier %s\n      %s\n", e[0], e[1])
	}
	return b.String()
}

// usageHint says where help is for a command line that could not be understood.
func usageHint(err error) string {
	command := ""
	var unparsed *kong.ParseError
	if errors.As(err, &unparsed) && unparsed.Context.Selected() != nil {
		command = " " + unparsed.Context.Selected().Name
	}
	hint := "see churntier" + command + " --help"
	if strings.HasPrefix(err.Error(), "missing flags: --config") {
		hint = "churntier init SNAPSHOT_URL writes a config; " + hint
	}
	return hint
}
