package publish

import (
	"path"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
)

// The modes of a run that writes a manifest.
const (
	modeLive    = "live"
	modePreview = "preview"
)

// Manifest is what one run read, decided and wrote. Its JSON form has exactly
// these keys in this order; every number in it is exact, and a list without
// elements is []. Keys of files are relative to publish.url.
type Manifest struct {
	Format          int              `json:"format"`
	Prediction      string           `json:"prediction"`
	Date            date.Date        `json:"date"`
	Run             string           `json:"run"`  // ULID
	Mode            string           `json:"mode"` // live or preview
	Engine          string           `json:"engine"`
	Version         string           `json:"version"` // of the program
	Fingerprint     string           `json:"fingerprint"`
	Inputs          []Input          `json:"inputs"`
	Lists           []List           `json:"lists"`
	Model           *Model           `json:"model"` // nil when a column is the score
	Rows            Rows             `json:"rows"`
	RejectedReasons map[string]int64 `json:"rejected_reasons"`
	Categories      []Category       `json:"categories"`   // highest first
	Distribution    []int64          `json:"distribution"` // 20 buckets of width 5
	Audiences       []Audience       `json:"audiences"`
	Tables          []Table          `json:"tables"`
	Gates           []Gate           `json:"gates"`
	Accepted        []Accepted       `json:"accepted"`
}

// Input is one part of the snapshot at the version that was read. Name is
// relative to the folder of the date.
type Input struct {
	Name       string   `json:"name"`
	Size       int64    `json:"size"` // bytes
	Generation string   `json:"generation"`
	CRC32C     Checksum `json:"crc32c"`
	Rows       int64    `json:"rows"`
}

// List is one file of a list of ids that the run read.
type List struct {
	URL    string   `json:"url"`
	Size   int64    `json:"size"` // bytes
	CRC32C Checksum `json:"crc32c"`
	Rows   int64    `json:"rows"`
}

// Model is the model file.
type Model struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Kind   string `json:"kind"`
}

// Rows counts the rows of the snapshot by their fate; Read is the sum of all but
// Suppressed, which counts scored users that no audience may hold.
type Rows struct {
	Read       int64 `json:"read"`
	Rejected   int64 `json:"rejected"`
	Excluded   int64 `json:"excluded"`
	Duplicates int64 `json:"duplicates"`
	Ineligible int64 `json:"ineligible"`
	Scored     int64 `json:"scored"`
	Suppressed int64 `json:"suppressed"`
}

// Category counts the users with scores from From to below To; the highest
// category holds To as well.
type Category struct {
	Name  string     `json:"name"`
	From  Hundredths `json:"from"`
	To    Hundredths `json:"to"`
	Count int64      `json:"count"`
}

// Audience is a named set of users: its members, the would-be members that were
// held out for control, and the files that list them.
type Audience struct {
	Name    string `json:"name"`
	Members int64  `json:"members"`
	Control int64  `json:"control"`
	Files   []File `json:"files"`
}

// DeliveredFiles gives the files that list members, in every format.
func (a *Audience) DeliveredFiles() []File {
	return slices.DeleteFunc(slices.Clone(a.Files), func(f File) bool { return f.IsControl() })
}

// MembersFiles gives the Parquet files that list the members.
func (a *Audience) MembersFiles() []File { return a.ParquetFiles(false) }

// ParquetFiles gives the Parquet files that list the members, or the control arm.
func (a *Audience) ParquetFiles(control bool) []File {
	var files []File
	for _, f := range a.Files {
		if f.Format == "parquet" && f.IsControl() == control {
			files = append(files, f)
		}
	}
	return files
}

// Table is a set of files that is no audience.
type Table struct {
	Name  string `json:"name"`
	Files []File `json:"files"`
}

// File is one written shard.
type File struct {
	Key    string   `json:"key"`
	Format string   `json:"format"`
	Rows   int64    `json:"rows"`
	Bytes  int64    `json:"bytes"`
	SHA256 string   `json:"sha256"`
	CRC32C Checksum `json:"crc32c"`
}

// controlPrefix begins the names of files that list a control arm.
const controlPrefix = "control-"

// IsControl tells whether the file lists users that were held out, who must not be
// mailed.
func (f *File) IsControl() bool { return strings.HasPrefix(path.Base(f.Key), controlPrefix) }

// Gate is the verdict of one gate, with nil for a limit that it does not have.
type Gate struct {
	Name    string   `json:"name"`
	Value   float64  `json:"value"`
	Warn    *float64 `json:"warn"`
	Refuse  *float64 `json:"refuse"`
	Status  string   `json:"status"`
	Message string   `json:"message"`
}

// Accepted is a gate that the operator let pass, and why.
type Accepted struct {
	Gate   string `json:"gate"`
	Reason string `json:"reason"`
}

// Prefix is the folder of the run below publish.url.
func (m *Manifest) Prefix() string {
	if m.Mode == modePreview {
		return PreviewPrefix(m.Date, m.Run)
	}
	return RunPrefix(m.Date, m.Run)
}

// Files lists every file of the run but the manifest: those of the audiences,
// then those of the tables.
func (m *Manifest) Files() []File {
	var all []File
	for _, a := range m.Audiences {
		all = append(all, a.Files...)
	}
	for _, t := range m.Tables {
		all = append(all, t.Files...)
	}
	return all
}

// Table gives the files of the table with this name, nil when there is none.
func (m *Manifest) Table(name string) []File {
	for _, t := range m.Tables {
		if t.Name == name {
			return t.Files
		}
	}
	return nil
}

// encode gives the manifest's one JSON form.
func (m *Manifest) encode() ([]byte, error) { return encode(m.filled()) }

// filled gives a copy of m with empty lists in place of nil ones.
func (m *Manifest) filled() *Manifest {
	f := *m
	f.Inputs, f.Lists = orEmpty(m.Inputs), orEmpty(m.Lists)
	f.Categories, f.Distribution = orEmpty(m.Categories), orEmpty(m.Distribution)
	f.Gates, f.Accepted = orEmpty(m.Gates), orEmpty(m.Accepted)
	f.Audiences, f.Tables = slices.Clone(orEmpty(m.Audiences)), slices.Clone(orEmpty(m.Tables))
	for i := range f.Audiences {
		f.Audiences[i].Files = orEmpty(f.Audiences[i].Files)
	}
	for i := range f.Tables {
		f.Tables[i].Files = orEmpty(f.Tables[i].Files)
	}
	if m.RejectedReasons == nil {
		f.RejectedReasons = map[string]int64{}
	}
	return &f
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
