package publish

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Kind says what an entry of the log does.
type Kind int

// The kinds of entries. A fence or an expiry changes nothing of what is published.
const (
	Publication Kind = iota + 1
	Rollback
	Withdrawal
	Fence
	Expiry
)

func (k Kind) String() string {
	return [...]string{"unknown", "publication", "rollback", "withdrawal", "fence", "expiry"}[k]
}

// Entry is one step of the log of a date. Its JSON form has the keys of its kind
// and no others:
//
//	publication  seq, run, fingerprint, manifest_sha256
//	rollback     seq, rollback (a run), to (the seq that published it), reason
//	withdrawal   seq, withdraw (true), reason
//	fence        seq, fence (the name of the clean-up that placed it)
//	expiry       seq, expire (runs whose shards are gone)
type Entry struct {
	Seq            int      `json:"seq"` // place in the log, from 0
	Run            string   `json:"run,omitempty"`
	Fingerprint    string   `json:"fingerprint,omitempty"`
	ManifestSHA256 string   `json:"manifest_sha256,omitempty"`
	Rollback       string   `json:"rollback,omitempty"`
	To             *int     `json:"to,omitempty"`
	Withdraw       bool     `json:"withdraw,omitempty"`
	Reason         string   `json:"reason,omitempty"`
	Fence          string   `json:"fence,omitempty"`
	Expire         []string `json:"expire,omitempty"`
}

// entryLimit bounds the bytes of an entry; the longest list thousands of runs.
const entryLimit = 1 << 20

// kindsByKeys tells the kind of an entry by its keys in order.
var kindsByKeys = map[string]Kind{
	"fingerprint manifest_sha256 run seq": Publication,
	"reason rollback seq to":              Rollback,
	"reason seq withdraw":                 Withdrawal,
	"fence seq":                           Fence,
	"expire seq":                          Expiry,
}

// Kind gives the kind of an entry that was read from a log or passed Commit.
func (e Entry) Kind() Kind {
	switch {
	case e.Run != "":
		return Publication
	case e.Rollback != "":
		return Rollback
	case e.Withdraw:
		return Withdrawal
	case e.Fence != "":
		return Fence
	}
	return Expiry
}

// decodeEntry reads the entry at place seq of a log.
func decodeEntry(data []byte, seq int) (Entry, error) {
	var keys map[string]json.RawMessage
	if err := decode(data, &keys); err != nil {
		return Entry{}, err
	}
	names := strings.Join(slices.Sorted(maps.Keys(keys)), " ")
	kind, known := kindsByKeys[names]
	if !known {
		return Entry{}, fmt.Errorf("keys %q are those of no entry this version knows; upgrade churntier", names)
	}
	var e Entry
	if err := decode(data, &e); err != nil {
		return Entry{}, err
	}
	if e.Seq != seq {
		return Entry{}, fmt.Errorf("says seq %d, expected %d", e.Seq, seq)
	}
	return e, e.check(kind)
}

var (
	runName   = regexp.MustCompile(`^[0-9A-Z]{26}$`)
	sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// check returns an error unless e is a whole entry of the given kind.
func (e Entry) check(kind Kind) error {
	whole := false
	switch kind {
	case Publication:
		whole = runName.MatchString(e.Run) && sha256Hex.MatchString(e.Fingerprint) && sha256Hex.MatchString(e.ManifestSHA256)
	case Rollback:
		whole = runName.MatchString(e.Rollback) && e.To != nil && *e.To >= 0 && *e.To < e.Seq
	case Withdrawal:
		whole = e.Withdraw
	case Fence:
		whole = e.Fence != ""
	case Expiry:
		whole = len(e.Expire) > 0 && !slices.ContainsFunc(e.Expire, func(run string) bool { return !runName.MatchString(run) })
	}
	if !whole {
		return fmt.Errorf("entry %d: not a whole %s: %+v", e.Seq, kind, e)
	}
	return nil
}

// equal says whether two entries say the same.
func (e Entry) equal(o Entry) bool { return reflect.DeepEqual(e, o) }
