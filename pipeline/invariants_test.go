package pipeline_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
)

// holdings is everything that a store holds, by key. Its methods judge by the
// bytes alone: nothing of the program reads them.
type holdings map[string][]byte

func held(t *testing.T, d objstore.Driver) holdings {
	t.Helper()
	all := holdings{}
	err := d.List(context.Background(), "", false, func(a objstore.Attrs) error {
		r, err := d.Open(context.Background(), a.Key, a.Generation, 0, -1)
		if err == nil {
			all[a.Key], err = io.ReadAll(r)
			_ = r.Close()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// logged is an entry of a log.
type logged struct {
	Seq            int
	Run            string
	Fingerprint    string
	ManifestSHA256 string `json:"manifest_sha256"`
	Rollback       string
	To             *int
	Withdraw       bool
	Fence          string
	Expire         []string
}

// sealed is what a manifest says of its files.
type sealed struct {
	Run, Fingerprint  string
	Audiences, Tables []struct {
		Files []struct {
			Key, Format, SHA256 string
			Rows, Bytes         int64
		}
	}
}

// shown is what latest/ says.
type shown struct {
	Date, Run, Fingerprint string
	Seq                    int
	Withdrawn              *struct{ Reason string }
}

const latestKey = "latest/_MANIFEST.json"

// log gives the entries of a date; it panics where there is a hole (I4).
func (h holdings) log(date string) []logged {
	var log []logged
	for _, key := range slices.Sorted(maps.Keys(h)) {
		if path.Dir(key) != "commits/"+date {
			continue
		}
		var e logged
		if err := json.Unmarshal(h[key], &e); err != nil || e.Seq != len(log) || path.Base(key) != fmt.Sprintf("%08d.json", e.Seq) {
			panic(fmt.Sprintf("I4: %s holds %q, %v; expected entry %d", key, h[key], err, len(log)))
		}
		log = append(log, e)
	}
	return log
}

func (h holdings) dates(folder string) []string {
	found := map[string]bool{}
	for key := range h {
		if rest, below := strings.CutPrefix(key, folder); below {
			found[rest[:strings.IndexByte(rest, '/')]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// effective gives the entry that decides about a date, and the run it shows.
func (h holdings) effective(date string) (logged, string, bool) {
	log := h.log(date)
	for _, e := range slices.Backward(log) {
		switch {
		case e.Fence != "", e.Expire != nil:
			continue
		case e.Rollback != "":
			return e, e.Rollback, true
		}
		return e, e.Run, true
	}
	return logged{}, "", false
}

func (h holdings) latest() (shown, bool) {
	data, there := h[latestKey]
	var s shown
	if there {
		if err := json.Unmarshal(data, &s); err != nil {
			panic(fmt.Sprintf("I2: latest/ holds %q: %v", data, err))
		}
	}
	return s, there
}

// promise is what must hold of a store beside what always must.
type promise struct {
	before holdings            // what it held
	shards map[string][]string // the SHA-256 that a shard may have, by date and name; nil for any
	forced []string            // the dates that may be published more than once
}

// check gives what of I1 to I6 does not hold of a store with no more dates than keep
// their shards however old they are.
func (h holdings) check(p promise) (faults []string) {
	defer func() {
		if p := recover(); p != nil {
			faults = append(faults, fmt.Sprint(p))
		}
	}()
	expired := map[string]bool{}
	for _, date := range h.dates("commits/") {
		faults = append(faults, h.checkLog(date, slices.Contains(p.forced, date), expired)...)
	}
	for key, data := range h {
		faults = append(faults, h.checkObject(key, data, expired, p.shards)...)
	}
	for _, date := range h.dates("commits/") {
		if _, run, _ := h.effective(date); expired[run] {
			faults = append(faults, fmt.Sprintf("I6: run %s of %s is effective and has expired", run, date))
		}
	}
	for key, data := range p.before {
		if strings.HasPrefix(key, "commits/") && !bytes.Equal(h[key], data) {
			faults = append(faults, fmt.Sprintf("I4: %s was %q and is %q", key, data, h[key]))
		}
	}
	return append(faults, h.checkLatest(p.before)...)
}

// checkLog checks one log, and adds the runs that it lets expire.
func (h holdings) checkLog(date string, forced bool, expired map[string]bool) (faults []string) {
	log, published := h.log(date), 0
	for _, e := range log {
		for _, run := range e.Expire {
			expired[run] = true
		}
	}
	for _, e := range log {
		if e.Run == "" {
			continue
		}
		published++
		for _, why := range h.lacks("runs/"+date+"/"+e.Run, e, expired[e.Run]) {
			faults = append(faults, fmt.Sprintf("I1, I6: entry %d of %s: %s", e.Seq, date, why))
		}
	}
	if published > 1 && !forced {
		faults = append(faults, fmt.Sprintf("I3: %s is published %d times", date, published))
	}
	return faults
}

// checkObject checks that an object is whole, committed or not.
func (h holdings) checkObject(key string, data []byte, expired map[string]bool, shards map[string][]string) []string {
	parts := strings.SplitN(key, "/", 4)
	switch {
	case strings.HasSuffix(key, ".json") && !json.Valid(data):
		return []string{fmt.Sprintf("I2: %s is no JSON: %q", key, data)}
	case parts[0] != "runs":
		return nil
	case path.Base(key) == "MANIFEST.json":
		return h.incomplete(data, expired[parts[2]])
	}
	if name := parts[1] + "/" + parts[3]; shards != nil && !slices.Contains(shards[name], hashOf(data)) {
		return []string{"I2: " + key + " is not what an undisturbed run writes"}
	}
	return nil
}

// lacks says what is wrong with a committed run; of an expired one its manifest and
// its distribution stay.
func (h holdings) lacks(prefix string, e logged, expired bool) []string {
	data, there := h[prefix+"/MANIFEST.json"]
	if !there || hashOf(data) != e.ManifestSHA256 {
		return []string{fmt.Sprintf("its manifest is not the one committed (there: %v)", there)}
	}
	if m := sealedIn(data); m.Run != e.Run || m.Fingerprint != e.Fingerprint {
		return []string{fmt.Sprintf("its manifest is that of run %s with inputs %s", m.Run, m.Fingerprint)}
	}
	return h.incomplete(data, expired)
}

func sealedIn(manifest []byte) (m sealed) {
	if err := json.Unmarshal(manifest, &m); err != nil {
		panic(fmt.Sprintf("I2: a manifest is %q: %v", manifest, err))
	}
	return m
}

// incomplete lists the files of a manifest that are not there or not as it says.
func (h holdings) incomplete(manifest []byte, expired bool) (lacks []string) {
	m, files := sealedIn(manifest), 0
	for _, s := range append(m.Audiences, m.Tables...) {
		for _, f := range s.Files {
			files++
			if data, there := h[f.Key]; expired && !there && !strings.HasPrefix(path.Base(f.Key), "distribution.") {
				continue
			} else if !there || int64(len(data)) != f.Bytes || hashOf(data) != f.SHA256 {
				lacks = append(lacks, fmt.Sprintf("%s is not what the manifest says (there: %v)", f.Key, there))
			} else if lines := int64(bytes.Count(data, []byte("\r\n"))); f.Format == "csv" && lines != f.Rows+1 {
				lacks = append(lacks, fmt.Sprintf("%s has %d lines for %d rows", f.Key, lines, f.Rows))
			}
		}
	}
	if files < 3 {
		lacks = append(lacks, fmt.Sprintf("its manifest lists %d files", files))
	}
	return lacks
}

// checkLatest checks I5: what is shown is an entry that was made, and never an
// earlier one than before.
func (h holdings) checkLatest(before holdings) (faults []string) {
	now, there := h.latest()
	was, wasThere := before.latest()
	if !there {
		if wasThere {
			faults = append(faults, "I5: latest/ is gone")
		}
		return faults
	}
	log := h.log(now.Date)
	if now.Seq >= len(log) {
		return append(faults, fmt.Sprintf("I5: latest/ shows entry %d of %s, which has %d", now.Seq, now.Date, len(log)))
	}
	if e := log[now.Seq]; now.Run != e.Run+e.Rollback || (now.Withdrawn != nil) != e.Withdraw {
		faults = append(faults, fmt.Sprintf("I5: latest/ shows %+v, and the entry is %+v", now, e))
	}
	if now.Date < was.Date || now.Date == was.Date && now.Seq < was.Seq {
		faults = append(faults, fmt.Sprintf("I5: latest/ went from %+v back to %+v", was, now))
	}
	return faults
}

// converged says what of I7 does not hold: latest/ shows the effective entry of the
// newest date.
func (h holdings) converged() string {
	dates := h.dates("commits/")
	for _, date := range slices.Backward(dates) {
		e, run, found := h.effective(date)
		if !found {
			continue
		}
		if s, _ := h.latest(); s.Date != date || s.Seq != e.Seq || s.Run != run {
			return fmt.Sprintf("I7: latest/ shows %+v, expected entry %d of %s, run %q", s, e.Seq, date, run)
		}
		return ""
	}
	return ""
}

// shards gives the SHA-256 of what a run wrote but its manifest, by name.
func (h holdings) shards(date, run string) map[string]string {
	prefix, all := "runs/"+date+"/"+run+"/", map[string]string{}
	for key, data := range h {
		if name, below := strings.CutPrefix(key, prefix); below && name != "MANIFEST.json" {
			all[name] = hashOf(data)
		}
	}
	return all
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// visible is what people can find: the logs and latest/.
func (h holdings) visible() holdings {
	found := maps.Clone(h)
	maps.DeleteFunc(found, func(key string, _ []byte) bool {
		return !strings.HasPrefix(key, "commits/") && !strings.HasPrefix(key, "latest/")
	})
	return found
}
