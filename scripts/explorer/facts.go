package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What is checked here is written from the protocol's description, not from its
// code: entries, manifests and latest/ are read with types of this file.

type entry struct {
	Run      string
	Manifest string `json:"manifest_sha256"`
	Rollback string
	Withdraw bool
	Reason   string
	Fence    string
	Expire   []string
	content  int32
}

func (e entry) effective() bool { return e.Run != "" || e.Rollback != "" || e.Withdraw }

// shows is the run that e makes visible, "" for none.
func (e entry) shows() string { return cmp.Or(e.Run, e.Rollback) }

type file struct{ Key, SHA256 string }

type manifest struct {
	Date      string
	Run       string
	Seq       int
	Withdrawn *struct{ Reason string }
	Audiences []struct{ Files []file }
	Tables    []struct{ Files []file }
}

func (m manifest) files() []file {
	var all []file
	for _, a := range m.Audiences {
		all = append(all, a.Files...)
	}
	for _, t := range m.Tables {
		all = append(all, t.Files...)
	}
	return all
}

// facts is what a store says.
type facts struct {
	logs      map[string][]entry // by date
	committed map[string]bool    // runs that an entry published
	expired   map[string]bool
	sealed    map[string]manifest // by run
	there     map[string]int32    // contents by key
	latest    *manifest
	fault     string // the first invariant that does not hold, or ""
}

// effective gives the entry that decides a date, and its place.
func (f *facts) effective(date string) (e entry, seq int, ok bool) {
	for seq, e := range slices.Backward(f.logs[date]) {
		if e.effective() {
			return e, seq, true
		}
	}
	return entry{}, 0, false
}

// newest gives the dates with an effective entry, newest first.
func (f *facts) newest() []string {
	dates := slices.DeleteFunc(slices.Sorted(maps.Keys(f.logs)), func(d string) bool {
		_, _, ok := f.effective(d)
		return !ok
	})
	slices.Reverse(dates)
	return dates
}

// factsOf reads a store and checks what must hold in every state.
func (s *stores) factsOf(store int32) *facts {
	for int(store) >= len(s.facts) {
		s.facts = append(s.facts, nil)
	}
	if f := s.facts[store]; f != nil {
		return f
	}
	f := s.read(decodeObjects(s.all.values[store]))
	f.fault = cmp.Or(f.fault, s.complete(f), s.onlyOnce(f), f.keeps(), f.shown())
	s.facts[store] = f
	return f
}

func (s *stores) read(objects []object) *facts {
	f := &facts{
		logs: map[string][]entry{}, committed: map[string]bool{}, expired: map[string]bool{},
		sealed: map[string]manifest{}, there: map[string]int32{},
	}
	for _, o := range objects {
		f.there[s.keys.values[o.key]] = o.content
	}
	for _, key := range slices.Sorted(maps.Keys(f.there)) {
		data := []byte(s.contents.values[f.there[key]])
		part := strings.Split(key, "/")
		switch {
		case part[0] == "commits":
			s.readEntry(f, key, part[1], data)
		case part[0] == "latest":
			f.latest = &manifest{}
			f.fail(json.Unmarshal(data, f.latest), "I2: %s is not whole", key)
		case part[len(part)-1] == "MANIFEST.json":
			f.sealed[part[2]] = s.sealed(f, key)
		}
	}
	return f
}

func (f *facts) fail(err error, format string, values ...any) {
	if err != nil && f.fault == "" {
		f.fault = fmt.Sprintf(format, values...)
	}
}

func (s *stores) readEntry(f *facts, key, date string, data []byte) {
	e := entry{content: f.there[key]}
	f.fail(json.Unmarshal(data, &e), "I4: %s is not whole", key)
	if want := fmt.Sprintf("commits/%s/%08d.json", date, len(f.logs[date])); key != want {
		f.fault = cmp.Or(f.fault, fmt.Sprintf("I4: the log has a gap: %s, expected %s", key, want))
	}
	f.logs[date] = append(f.logs[date], e)
	if e.Run != "" {
		f.committed[e.Run] = true
	}
	for _, run := range e.Expire {
		f.expired[run] = true
	}
}

// sealed reads a manifest, once for each content.
func (s *stores) sealed(f *facts, key string) manifest {
	content := f.there[key]
	m, ok := s.manifests[content]
	if !ok {
		f.fail(json.Unmarshal([]byte(s.contents.values[content]), &m), "I2: %s is not whole", key)
		s.manifests[content] = m
	}
	return m
}

// digest gives the SHA-256 of a content, once.
func (s *stores) digest(content int32) string {
	d, ok := s.digests[content]
	if !ok {
		d = fmt.Sprintf("%x", sha256.Sum256([]byte(s.contents.values[content])))
		s.digests[content] = d
	}
	return d
}
