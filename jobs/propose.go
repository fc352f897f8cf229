package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore/dial"
	"github.com/churntier/churntier/pipeline/profile"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Known is what a person says of a config that is to be proposed; all but URL may
// be empty. Locations are as the command line has them.
type Known struct {
	Config     string // path of the file that the config will be in
	Prediction string
	URL        string // of the snapshots
	Publish    string
	Model      string
	Column     string // that holds the score
}

// Guess is a key of a config, what was guessed for it, and why.
type Guess struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Why   string `json:"why"`
}

// Blank is a key that a person has to fill in.
type Blank struct {
	Key  string `json:"key"`
	Want string `json:"want"`
}

// Proposal is a config made from one night of a snapshot.
type Proposal struct {
	Date    date.Date     `json:"date"`
	Rows    int64         `json:"rows"`
	Parts   int           `json:"parts"`
	Guesses []Guess       `json:"guesses"`
	Blanks  []Blank       `json:"blanks"`
	Columns []ProposedUse `json:"columns"`

	draft draft
}

// ProposedUse is a column and what it seems to be good for; "" for nothing.
type ProposedUse struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Use  string `json:"use"`
}

// Propose looks at the newest night below known.URL and guesses a config for it.
func Propose(ctx context.Context, known Known) (_ *Proposal, err error) {
	b, err := dial.Open(ctx, known.URL, dial.Options{})
	if err != nil {
		return nil, err
	}
	source, night, err := findLayout(ctx, b)
	if err != nil {
		return nil, err
	}
	pinned, err := snapshot.Pin(ctx, source, night)
	if err != nil {
		return nil, err
	}
	f, err := snapshot.Open(ctx, pinned, snapshot.VerifyRead, "", snapshot.DefaultLimits())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	table, err := profile.Take(ctx, f)
	if err != nil {
		return nil, err
	}
	p := &Proposal{Date: night, Rows: f.Rows(), Parts: len(f.Parts), Blanks: []Blank{}, draft: draft{Known: known}}
	p.layout(source)
	p.roles(table)
	if err := p.score(ctx, f, table); err != nil {
		return nil, err
	}
	p.columns(table)
	if known.Publish == "" {
		p.blank("publish.url", "where the audiences go: a bucket such as gs://audiences/churn, or a folder")
	}
	return p, nil
}

func (p *Proposal) guess(key, value, why string) {
	p.Guesses = append(p.Guesses, Guess{key, value, why})
}

func (p *Proposal) blank(key, want string) {
	p.Blanks = append(p.Blanks, Blank{key, want})
}

func (p *Proposal) layout(s snapshot.Source) {
	d := &p.draft
	d.Partition, d.Files, d.Ready = s.Partition, s.Files, s.Ready
	p.guess("snapshot.partition", s.Partition, fmt.Sprintf("folders are named like %s", strings.TrimSuffix(s.Folder(p.Date), "/")))
	if s.Files == "*" {
		p.guess("snapshot.files", s.Files, "no file is named *.parquet")
	}
	why := "an empty object of that name lies beside the parts"
	if s.Ready == "" {
		why = "no marker lies beside the parts: a run cannot tell a whole night from one that is still being written"
	}
	p.guess("snapshot.ready", s.Ready, why)
}

// roles guesses what is known of users beside their score.
func (p *Proposal) roles(t profile.Table) {
	d := &p.draft
	take := func(key string, g profile.Guess) string {
		if g.Column != "" {
			p.guess(key, g.Column, g.Why)
		}
		return g.Column
	}
	if d.ID = take("snapshot.id", t.ID()); d.ID == "" {
		p.blank("snapshot.id", "the column of user ids: no column has a different value in every row")
	}
	d.Contact = take("snapshot.contact", t.Contact())
	d.AsOf = take("snapshot.as_of", t.AsOf(p.Date))
	for _, g := range t.OptOuts() {
		d.OptOuts = append(d.OptOuts, take("suppress.where", g))
	}
}

// columns says of every column what it seems to be good for.
func (p *Proposal) columns(t profile.Table) {
	d := &p.draft
	for _, c := range t {
		use := d.useOf(c)
		p.Columns = append(p.Columns, ProposedUse{c.Name, c.Type.String(), use})
		if use == useFeature {
			d.Features = append(d.Features, c.Name)
			if c.IsCategory() {
				d.Categories = append(d.Categories, c.Name)
			}
		}
	}
}
