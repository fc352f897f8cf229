// Package identity decides who is in a snapshot: which ids are no ids, which
// are on a list, and which rows share an id with another. It is exact, stays
// within a memory bound, and gives the same result whatever the number of workers
// and whatever was spilled.
//
// It works on two levels, so that a night without duplicates costs one 16-byte
// record a row. The Sieve takes the 64-bit hash of every valid id and tells
// which rows are suspects: those whose hash is on a list, or on so many rows that
// the policy minds.
// The Judge takes the suspects alone, compares them byte for byte and gives
// their Fates.
//
// Contacts, such as e-mail addresses, are ids like any other once LoadContacts has
// brought them into the form in which they are compared.
//
// Rows are numbered: [0, Rows) are those of the snapshot, [Rows, Rows+Listed)
// those of the lists one after the other.
package identity

import (
	"errors"
	"fmt"

	"github.com/zeebo/xxh3"
)

// ErrType says that a column's type is not one that can serve as asked.
var ErrType = errors.New("unsupported column type")

// Policy says what becomes of the rows of the snapshot that share an id.
type Policy string

// The policies. Rows are identical when their content hashes are equal.
const (
	Reject        Policy = "reject"         // none is kept
	KeepIdentical Policy = "keep_identical" // identical rows are kept once, others not at all
	KeepLatest    Policy = "keep_latest"    // the greatest order key is kept; ties must be identical
	Crowd         Policy = "crowd"          // none is removed; those of a crowded id are told
)

// CrowdedAbove is the number of rows of the snapshot that may share an id before
// Crowd calls it crowded.
const CrowdedAbove = 20

// enough is the least number of rows of one id of which the policy takes notice.
func (p Policy) enough() int {
	if p == Crowd {
		return CrowdedAbove + 1
	}
	return 2
}

// Fate is what becomes of a row with a valid id.
type Fate uint8

// The fates. The one kept of several identical rows is that with the lowest row
// number.
const (
	Kept              Fate = iota
	Listed                 // the id is on a list
	DuplicateID            // Reject: the id is on several rows
	DuplicateCopy          // an identical row is kept
	DuplicateConflict      // rows of one id that should be identical are not
	DuplicateOlder         // KeepLatest: a later row is kept
	Crowded                // Crowd: the id is on more than CrowdedAbove rows
	fates             = iota
)

var fateNames = [fates]string{"", "excluded", "duplicate_id", "duplicate_copy", "duplicate_conflict", "duplicate_older", "crowded"}

// String gives the name that tables and reports show: "excluded" for Listed, ""
// for Kept.
func (f Fate) String() string { return fateNames[f] }

// IsDuplicate says whether the row counts as removed by the duplicates policy.
func (f Fate) IsDuplicate() bool { return f >= DuplicateID && f <= DuplicateOlder }

// Options describes a snapshot with its lists, and bounds the work on it.
type Options struct {
	Rows, Listed int64  // rows of the snapshot and of all lists
	Memory       int64  // bytes for records and tables; 0 is 256 MiB
	Temp         string // an existing folder for what does not fit
	Policy       Policy // "" is Reject
	Workers      int    // goroutines that collect, and that work on partitions; 0 is 1

	hash func([]byte) uint64 // xxh3 unless a test says otherwise
}

const defaultMemory = 256 << 20

// leastTable is the memory below which a table holds so little of a partition that
// the partition is read again too often.
const leastTable = 64 << 10

// tables shares memory between as many workers as leaves each a table of use.
func (o Options) tables(memory int64) (workers int, each int64) {
	workers = int(max(1, min(int64(o.Workers), memory/leastTable)))
	return workers, memory / int64(workers)
}

func (o Options) withDefaults() (Options, error) {
	if o.Rows < 0 || o.Listed < 0 {
		return o, fmt.Errorf("identity: %d rows and %d listed ids: want no negative number", o.Rows, o.Listed)
	}
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	if o.Policy == "" {
		o.Policy = Reject
	}
	if o.hash == nil {
		o.hash = xxh3.Hash
	}
	o.Workers = max(o.Workers, 1)
	return o, o.Policy.check()
}

func (p Policy) check() error {
	switch p {
	case Reject, KeepIdentical, KeepLatest, Crowd:
		return nil
	}
	return fmt.Errorf("duplicates policy %q: want %s, %s or %s", p, Reject, KeepIdentical, KeepLatest)
}

func (o Options) total() int64 { return o.Rows + o.Listed }
