package pipeline

import (
	"context"
	"time"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/gate"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/score"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// Mode says what a prediction is for.
type Mode string

// The modes: live publishes audiences, preview only scores, archived does nothing.
const (
	Live     Mode = "live"
	Preview  Mode = "preview"
	Archived Mode = "archived"
)

// Night is one prediction on one date: everything that one run depends on.
type Night struct {
	Prediction string
	Date       date.Date
	Mode       Mode
	Rules      Rules
	Snapshot   snapshot.Source
	Verify     snapshot.Verify
	Limits     snapshot.Limits
	Exclude    []List         // never scored
	Suppress   []List         // never in an audience
	Started    time.Time      // by the clock, for the age of lists alone
	Zone       *time.Location // of the logical date
	Gates      gate.Limits
	Baseline   date.Date         // the scores are compared with its publication too; zero for none
	Accept     map[string]string // refusing gates to pass all the same: name to reason
	Force      bool              // publish again what is published already
	DryRun     bool              // compute everything, write nothing
	Output     *objstore.Bucket
	NewRun     func() string // the name of an attempt, never given twice
	Version    string        // of the program, for the manifest
	Temp       string        // an existing folder for spilled and spooled data
	SplitRows  int64         // about how many rows a split takes
	Progress   Progress

	// Turn returns once every earlier date that is run beside this one has ended; nil
	// when there is none. A run stages its files before its turn: their bytes depend
	// on no other date. Its judgement, which looks at earlier dates, and its commit
	// come after.
	Turn func(ctx context.Context) error
}

// Now is the instant called now in expressions: the end of the date in its zone.
func (n *Night) Now() time.Time { return n.Date.End(n.Zone) }

// Rules are the part of a prediction's config that decides the bytes of its
// shards. Their JSON form is the canonical config of the fingerprint.
type Rules struct {
	ID          string
	Contact     string `json:",omitempty"` // column
	Duplicates  identity.Policy
	OrderBy     string `json:",omitempty"`
	AsOf        string `json:",omitempty"` // column whose newest day must be the night's date
	Column      *ColumnScore
	Scorer      *score.Scorer `json:"-"`
	Model       *Model        `json:"-"`
	ModelUse    *ModelUse     `json:",omitempty"`
	Eligible    string        `json:",omitempty"` // expression: whom the prediction is for
	Categories  []distribution.Rule
	Suppress    []string `json:",omitempty"` // expressions: who is never in an audience
	Exclusive   []string `json:",omitempty"` // names of audiences
	Holdout     *Holdout `json:",omitempty"`
	Audiences   []Audience
	Scores      bool
	Passthrough []string
	Compression string
	Zone        string `json:",omitempty"` // of now, where an expression may use it
}

// Holdout keeps a share of the users out of every audience. The key is the contact
// or the id; users of one contact are in one arm.
type Holdout struct {
	Share     float64
	Salt      string
	ByContact bool
}

// ColumnScore is a score that the snapshot already holds.
type ColumnScore struct {
	Name      string
	Low, High float64
}

// ModelUse is how a model is used where its file does not say: the options of
// score.ReadModel in the canonical config.
type ModelUse struct {
	Iterations int       `json:",omitempty"`
	Missing    []float64 `json:",omitempty"`
	OneHot     score.OneHot
	Features   map[string]string `json:",omitempty"`
}

// Model names the model file of a night.
type Model struct {
	Name   string
	SHA256 string
	Kind   string
}

// Audience is a named set of users and the files that list them. It takes the
// users of one category, or of a score range with both ends included, for whom
// Where is true, and of those no more than Limit.
type Audience struct {
	Name      string
	Category  string    // "" when Range decides
	Range     [2]uint16 // hundredths
	Where     string    `json:",omitempty"` // expression
	Limit     int64     `json:",omitempty"` // 0 for none
	Files     []File
	SkipEmpty bool        // no text file when there is no member
	Expect    gate.Expect `json:"-"`
}

// File is one form of an audience.
type File struct {
	Format  string // parquet, csv or jsonl
	Columns []Column
	Formula string `json:",omitempty"` // csv: refuse or quote texts that a spreadsheet would run
	Gzip    bool   `json:",omitempty"` // csv and jsonl: whether the file is compressed
}

// extension ends the keys of the file's parts.
func (f File) extension() string {
	if f.Gzip {
		return f.Format + gzipped
	}
	return f.Format
}

// Column is one column of an audience file: a word such as score, the name of a
// snapshot column, or an expression, whose texts may be normalised and then hashed.
type Column struct {
	Name, From string
	Hash       string `json:",omitempty"` // sha256-lower-trim
	Normalise  string `json:",omitempty"` // e164
}

// Progress hears how far a run is: that a stage begins, with the rows and the bytes of
// the snapshot that it goes through, 0 where it does not, and how many rows are done
// with. Its methods are called from many goroutines.
type Progress interface {
	Stage(name string, rows, bytes int64)
	Add(rows int64)
}
