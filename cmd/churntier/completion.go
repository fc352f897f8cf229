package main

import (
	_ "embed"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" placeholder:"SHELL" help:"bash, zsh or fish."`
}

// Run prints the completion of a shell.
func (c *completionCommand) Run(t *terminal, ctx *kong.Context) error {
	return completions.ExecuteTemplate(t.stdout, c.Shell, completed(ctx.Model))
}

//go:embed completion.tmpl
var completionText string

var completions = template.Must(template.New("completions").Funcs(template.FuncMap{
	"zsh":  strings.NewReplacer(`'`, `'\''`, `[`, `\[`, `]`, `\]`, `:`, `\:`).Replace,
	"fish": strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace,
}).Parse(completionText))

// completable is a command, flag or argument as shells complete it.
type completable struct {
	Name, Short, Help string
	Value             string   // what the value is, for people; "" for a flag without one
	Words             []string // all values that are right, where they are few
	File              bool     // the value is a file or a folder
	Repeated          bool
	Flags, Arguments  []completable // of a command
}

func completed(app *kong.Application) []completable {
	var all []completable
	for _, command := range app.Children {
		c := completable{Name: command.Name, Help: command.Help}
		for _, flag := range append(app.Flags, command.Flags...) {
			c.Flags = append(c.Flags, completedFlag(flag))
		}
		for _, argument := range command.Positional {
			c.Arguments = append(c.Arguments, completedValue(argument, argument.Tag.PlaceHolder))
		}
		all = append(all, c)
	}
	return all
}

func completedFlag(f *kong.Flag) completable {
	c := completedValue(f.Value, f.PlaceHolder)
	if f.Short != 0 {
		c.Short = string(f.Short)
	}
	if f.IsBool() {
		c.Value = ""
	}
	return c
}

func completedValue(v *kong.Value, placeholder string) completable {
	c := completable{Name: v.Name, Help: v.Help, Value: placeholder, Repeated: v.IsSlice()}
	if v.Enum != "" {
		c.Words = v.EnumSlice()
	}
	for _, path := range []string{"FILE", "DIR", "URL"} {
		c.File = c.File || strings.Contains(placeholder, path)
	}
	return c
}
