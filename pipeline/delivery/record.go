package delivery

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
)

// Format is the version of everything that this package writes. In the states of the
// first one the hashes of what was sent are of lines of JSON; now they are those of an
// [audience.RowHasher]. What was sent is compared in the form of the delivery before, so
// that a new form alone tells of nobody, but for who leaves in that night by a file which
// is given up, and comes back in the next one.
const Format = 2

// Kind says what a delivery sends.
type Kind string

// The kinds: all members; what changed since the delivery before; what changed
// because the publication that was delivered was replaced or withdrawn; all members
// once more, because an operator said so.
const (
	Full       Kind = "full"
	Changes    Kind = "changes"
	Correction Kind = "correction"
	Again      Kind = "again"
)

// Intent is what one delivery sends. Keys are relative to publish.url, names to
// the delivery's own place.
type Intent struct {
	Format   int               `json:"format"`
	Delivery string            `json:"delivery"`
	N        int               `json:"n"`
	Kind     Kind              `json:"kind"`
	Reason   string            `json:"reason,omitempty"` // of an operator
	Date     date.Date         `json:"date"`
	Seq      int               `json:"seq"`
	Run      string            `json:"run"`      // "" when the date is withdrawn
	Previous int               `json:"previous"` // the delivery whose state this one began from, -1 for none
	Rules    map[string]string `json:"rules"`    // by audience: a hash of what selects its members
	Counts   Counts            `json:"counts"`
	Reasons  map[Reason]int64  `json:"reasons"` // of those who left

	ReasonsFrom Source `json:"reasons_from,omitempty"` // "" where nobody had to be looked up: see Explanation
	ReasonsNote string `json:"reasons_note,omitempty"` // why they are not from the snapshot

	Unsendable     map[Rule]int64 `json:"unsendable"`      // rows that the tool would not take; they are no members
	UnsendableRows []publish.File `json:"unsendable_rows"` // which ones: id, audience, rule

	Files []File         `json:"files"`
	State []publish.File `json:"state"`

	// Buckets is into how many parts of a file each the state is cut by leading bits
	// of the hash; 0 where the files are in the order of the hash and cut elsewhere.
	Buckets int `json:"buckets,omitempty"`

	// Layers is how many files of State follow one another for a bucket, the oldest
	// first: each has the rows that are other ones than in those before it. 0 is one.
	Layers int `json:"layers,omitempty"`
}

// byLine says whether the state after i, nil for none, has hashes of lines.
func (i *Intent) byLine() bool { return i != nil && i.Format == 1 }

// File is one file that the tool receives, and where its bytes are staged. It speaks
// of the users whose places in its audience are from From to below To. One that
// removes is for the users that are to be taken out of a list.
type File struct {
	K        int    `json:"k"`
	Audience string `json:"audience"` // "" where one series holds all audiences
	Removes  bool   `json:"removes,omitempty"`
	Name     string `json:"name"`
	From     int64  `json:"from"`
	To       int64  `json:"to"`
	publish.File
}

// Claim says who alone puts a file. An abandoned one is never put.
type Claim struct {
	By        string `json:"by"`
	Abandoned bool   `json:"abandoned,omitempty"`
}

// Ending says that every file of delivery N is claimed, and why some were given up.
type Ending struct {
	N   int    `json:"n"`
	Why string `json:"why,omitempty"`
}

// Fate is what became of one file of a delivery.
type Fate string

// The fates. An uncertain file is claimed and not acknowledged.
const (
	Waiting   Fate = "waiting"
	Delivered Fate = "delivered"
	Uncertain Fate = "uncertain"
	Abandoned Fate = "abandoned"
)

// Record is what the log holds of delivery N.
type Record struct {
	N       int
	intent  bool
	claimed []int // files by K
	acked   []int
	Done    bool
	Changed time.Time // when the newest of its objects was written, by the clock of the store
}

// records reads the names of the objects of a log, in any order: which deliveries
// there are and how far each one is. The deliveries are dense from 0.
func records(names []string) ([]Record, error) {
	found := map[int]*Record{}
	for _, name := range names {
		n, k, kind, ok := parseName(name)
		if !ok {
			continue
		}
		r := found[n]
		if r == nil {
			r = &Record{N: n}
			found[n] = r
		}
		switch kind {
		case "intent":
			r.intent = true
		case "claim":
			r.claimed = append(r.claimed, k)
		case "ack":
			r.acked = append(r.acked, k)
		case "done":
			r.Done = true
		}
	}
	all := make([]Record, len(found))
	for n, r := range found {
		if n >= len(found) || !r.intent {
			return nil, fmt.Errorf("%w: delivery %d is there, and not each one before it with its intent", ErrLog, n)
		}
		slices.Sort(r.claimed)
		all[n] = *r
	}
	return all, nil
}

// logName is the form of <n>.intent.json, <n>.<k>.claim.json, <n>.<k>.ack.json and
// <n>.done.json.
var logName = regexp.MustCompile(`^(\d{8,9})(?:\.(\d{5,9}))?\.(intent|claim|ack|done)\.json$`)

// parseName reads the name of an object of the log, in the one form that is written.
func parseName(name string) (n, k int, kind string, ok bool) {
	parts := logName.FindStringSubmatch(name)
	if parts == nil {
		return 0, 0, "", false
	}
	kind = parts[3]
	n, _ = strconv.Atoi(parts[1]) // nine digits at most
	k, _ = strconv.Atoi(parts[2])
	return n, k, kind, nameOf(n, k, kind) == name
}

// nameOf is the opposite of parseName.
func nameOf(n, k int, kind string) string {
	if kind == "claim" || kind == "ack" {
		return fmt.Sprintf("%08d.%05d.%s.json", n, k, kind)
	}
	return fmt.Sprintf("%08d.%s.json", n, kind)
}

func (l *Log) intentKey(n int) string   { return path.Join(l.folder(), nameOf(n, 0, "intent")) }
func (l *Log) doneKey(n int) string     { return path.Join(l.folder(), nameOf(n, 0, "done")) }
func (l *Log) claimKey(n, k int) string { return path.Join(l.folder(), nameOf(n, k, "claim")) }
func (l *Log) ackKey(n, k int) string   { return path.Join(l.folder(), nameOf(n, k, "ack")) }
func (l *Log) folder() string           { return path.Join("deliveries", l.name) }
