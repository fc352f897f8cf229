package config

import (
	"time"

	"github.com/robfig/cron/v3"

	"github.com/churntier/churntier/pipeline/date"
)

// Values of Config.Mode.
const (
	ModeLive     = "live"     // publishes scores and audiences
	ModePreview  = "preview"  // publishes scores under preview/, never an audience
	ModeArchived = "archived" // does nothing
)

// Values of Snapshot.Duplicates: what becomes of rows that share an id.
const (
	DuplicatesReject        = "reject"         // all of them are rejected
	DuplicatesKeepIdentical = "keep_identical" // one is kept when all are alike
	DuplicatesKeepLatest    = "keep_latest"    // the one with the greatest Snapshot.OrderBy is kept
)

// Values of Snapshot.Verify: which bytes are compared with the store's checksum.
const (
	VerifyWhole = "whole" // every byte of every part
	VerifyRead  = "read"  // only what the columns in use need
)

// Values of File.Format.
const (
	FormatParquet = "parquet"
	FormatCSV     = "csv"
	FormatJSONL   = "jsonl" // one JSON object a line
)

// Values of File.Formula: what becomes of texts that a spreadsheet would run.
const (
	FormulaRefuse = "refuse"
	FormulaQuote  = "quote"
)

// Values of OutColumn.Hash and OutColumn.Normalise besides "".
const (
	HashSHA256LowerTrim = "sha256-lower-trim" // SHA-256 of the text, trimmed and in lower case, in hexadecimal digits
	NormaliseE164       = "e164"              // + and the digits of a phone number; null for one without a country code
)

// Values of Audience.Empty: whether an audience without members has a file.
const (
	EmptyHeader = "header" // a file without rows
	EmptySkip   = "skip"   // no file
)

// Values of Publish.Compression.
const (
	CompressionZstd   = "zstd"
	CompressionSnappy = "snappy"
)

// The built-in words of OutColumn.From; they win over a snapshot column of the
// same name.
const (
	FromScore        = "score"         // 0-100 with two decimals
	FromCategory     = "category"      // the name of the score's category
	FromProbability  = "probability"   // 0-1
	FromSnapshotDate = "snapshot_date" // the logical date
	FromHeldOut      = "held_out"      // whether the row is in the control arm
)

// Config is one prediction: where its snapshots are, how users are scored and
// what is published. Load gives it complete: defaults filled in, locations
// absolute, every value checked.
type Config struct {
	Path       string // of the file, as it was given to Load
	Prediction string
	Mode       string
	Timezone   *time.Location // zone of the logical date, of Schedule and of Deadline; never nil
	Schedule   cron.Schedule  // times of the clock: asked in UTC, as UTC has no gaps; nil = none
	LagDays    int64          // from the logical date to the day on which it is due
	Deadline   *time.Duration // since midnight; nil = none, and without Schedule
	CatchUp    int64          // nights before the newest one due that are healed
	Snapshot   Snapshot
	Score      Score
	Categories []Category // highest first
	Exclude    []List
	Eligible   string // condition of columns alone for the users of the prediction; "" = all
	Suppress   []Suppress
	Holdout    *Holdout   // nil = nobody is held out
	Exclusive  []string   // names of audiences; a user is in the first of them only
	Audiences  []Audience // nil = one a category, named after it
	Gates      Gates
	Publish    Publish
	Deliveries []Delivery
	Notify     Notify
	Warnings   []string // what is allowed and yet looks like a mistake
}

// Snapshot says where a night's users are and which columns describe them.
type Snapshot struct {
	URL        string // a gs:// URL or an absolute local path, without a slash at the end
	Partition  string // folder of one date below URL, with {date} {yyyy} {mm} {dd}
	Files      string // glob, as of path.Match, for the parts in the folder
	Ready      string // name of the marker object in the folder; "" = none
	ID         string
	Contact    string // column of addresses; "" = none
	AsOf       string // "" = none
	Duplicates string
	OrderBy    string // not "" exactly when Duplicates is DuplicatesKeepLatest
	Verify     string
}

// Score says where a user's probability comes from: exactly one of the two.
type Score struct {
	Column     *ScoreColumn
	Model      string            // a gs:// URL or an absolute local path
	Missing    []float64         // numbers that stand for a missing value
	Iterations int               // rounds of the model, IterationsBest or IterationsAll
	OneHot     OneHot            // without columns: none
	Features   map[string]string // of the model, to a column or an expression
}

// OneHot names columns of which the model has a feature for each value, called
// column, Separator, value.
type OneHot struct {
	Columns   []string
	Separator string
}

// ScoreColumn is a column of the snapshot that holds a score already; Low and
// High are its values for the probabilities 0 and 1, Low < High.
type ScoreColumn struct {
	Name      string
	Low, High float64
}

// Category labels the scores from its cut up to the next higher category.
// Exactly one of the two fields besides Name is set. From is the cut, 0-100 in
// hundredths. TopShare puts the cut where at most that share of all scored users
// is at or above it, counted from the top and so including higher categories.
type Category struct {
	Name     string
	From     *float64
	TopShare *float64
}

// List is a set of Parquet files with users that must never be scored.
type List struct {
	URL string // may hold a glob
	ID  string // the list's column of user ids
}

// Audience is a named set of scored users.
type Audience struct {
	Name   string
	Where  string      // condition for the members; "" = none
	Score  *[2]float64 // lowest and highest score, both included, 0-100 in hundredths; nil = all
	Limit  int64       // most members, of the highest scores; 0 = none
	Expect *Expect     // nil = none
	Empty  string
	Files  []File // one an extension; without a Parquet entry the members have one with default columns as well
}

// Expect bounds the number of members; nil = no bound.
type Expect struct{ Min, Max *int64 }

// File is one form in which an audience is written.
type File struct {
	Format  string
	Columns []OutColumn // in the order written; nil = the id under its own name, score, category
	Formula string      // says something of CSV alone
	Gzip    bool        // never with FormatParquet
}

// OutColumn is a column of an audience's file: From is a built-in word, a column
// of the snapshot or an expression. A text that may be both a column and an
// expression, like a - b, is the column where the snapshot has it. Texts may be
// normalised and then hashed; "" = they are not, and never those of a word.
type OutColumn struct{ Name, From, Hash, Normalise string }

// Gates are the limits beyond which a night is refused. Shares are 0-1.
type Gates struct {
	Rows          RatioGate // rows over the median of earlier publications
	Rejected      ShareGate
	Duplicates    ShareGate
	CategoryShift LevelGate // relative change of a category's share
	PSI           PSIGate
	Constant      ShareGate // share of one identical score
	Features      FeaturesGate
}

// RatioGate refuses a ratio outside its ends; both ends pass.
type RatioGate struct{ MinRatio, MaxRatio float64 }

// ShareGate refuses a share above MaxShare.
type ShareGate struct{ MaxShare float64 }

// LevelGate warns above one level and refuses above another.
type LevelGate struct{ Warn, Refuse float64 }

// PSIGate is a LevelGate of the population stability index over the 20 buckets,
// since the previous publication and since Baseline; the zero date is none.
type PSIGate struct {
	LevelGate
	Baseline date.Date
}

// FeaturesGate refuses a feature whose share of nulls moved by more than NullShift,
// or of whose rows more than UnseenShare hold a category that the model does not
// know.
type FeaturesGate struct{ NullShift, UnseenShare float64 }

// Publish says where and how the results are written.
type Publish struct {
	URL         string // a gs:// URL or an absolute local path, without a slash at the end
	Compression string
	Scores      bool     // whether the table of all scored users is written
	Passthrough []string // snapshot columns carried into that table
	KeepDays    int64    // days after which the shards of a run may expire
}
