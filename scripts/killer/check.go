//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
)

const (
	manifestName = "MANIFEST.json"
	latestKey    = "latest/_MANIFEST.json"
)

// kind is a way in which a publication can go wrong.
type kind string

const (
	torn   kind = "torn"   // something with a final name is not whole
	lost   kind = "lost"   // what was published is gone or another
	double kind = "double" // published again without being told to
	other  kind = "other"  // anything else that must not be
)

// violation is something found that must not be.
type violation struct {
	kind kind
	text string
}

// entry is one step of the log of a date, in its raw form.
type entry struct {
	Seq         *int
	Run         string
	Fingerprint string
	Manifest    string `json:"manifest_sha256"`
	Fence       string
}

// position is a place in the log: what latest/ shows.
type position struct {
	date string
	seq  int
}

// auditor holds one place to its promises. It reads raw objects, with none of the
// product's code, and remembers what it saw.
type auditor struct {
	references map[job]reference
	jobs       map[string]job // by run
	seen       map[string]string
	promised   map[string]string // the run that a process said is published, by key of the entry
	denied     map[string]string // what the process of a run said that did not say so
	latest     position
	found      []violation
	objects    map[string][]byte // being audited
}

func newAuditor(references map[job]reference) *auditor {
	return &auditor{
		references: references, jobs: map[string]job{}, seen: map[string]string{},
		promised: map[string]string{}, denied: map[string]string{},
	}
}

func (a *auditor) report(k kind, format string, arguments ...any) {
	a.found = append(a.found, violation{k, fmt.Sprintf(format, arguments...)})
}

// promise notes that a process said which run is published.
func (a *auditor) promise(key, run string) {
	if before, said := a.promised[key]; said && before != run {
		a.report(lost, "%s: runs %s and %s are both said to be published there", key, before, run)
	}
	a.promised[key] = run
}

// audit looks at all that a place holds while no process runs.
func (a *auditor) audit(objects map[string][]byte) {
	a.objects = objects
	for key, data := range a.seen {
		if string(objects[key]) != data {
			a.report(lost, "%s was %q and is %q", key, data, objects[key])
		}
	}
	for _, d := range dates {
		a.auditLog(d)
	}
	for key, run := range a.promised {
		if _, there := objects[key]; !there {
			a.report(lost, "%s: run %s is said to be published there; nothing is", key, run)
		}
	}
	for key := range objects {
		a.auditName(key)
	}
	a.auditLatest()
}

func entryKey(d string, seq int) string { return fmt.Sprintf("commits/%s/%08d.json", d, seq) }

// log reads the log of a date up to its first gap.
func (a *auditor) log(d string) []entry {
	var log []entry
	for {
		key := entryKey(d, len(log))
		data, there := a.objects[key]
		if !there {
			return log
		}
		var e entry
		if err := json.Unmarshal(data, &e); err != nil || e.Seq == nil || *e.Seq != len(log) || (e.Run == "") == (e.Fence == "") {
			a.report(torn, "%s: %v: %q", key, err, data)
		}
		log = append(log, e)
	}
}

func (a *auditor) auditLog(d string) {
	published := false
	for seq, e := range a.log(d) {
		key := entryKey(d, seq)
		a.seen[key] = string(a.objects[key])
		if run, said := a.promised[key]; said && run != e.Run {
			a.report(lost, "%s: run %s is said to be published there, run %s is", key, run, e.Run)
		}
		if e.Run == "" {
			continue
		}
		if said, denied := a.denied[e.Run]; denied {
			a.report(other, "%s: run %s is published, and said %s", key, e.Run, said)
		}
		j, known := a.jobs[e.Run]
		switch {
		case !known:
			a.report(other, "%s: run %s is nobody's", key, e.Run)
		case published && !j.force:
			a.report(double, "%s: run %s was not told to publish again", key, e.Run)
		case e.Fingerprint != a.reference(j).fingerprint:
			a.report(double, "%s: fingerprint %s is not that of the inputs", key, e.Fingerprint)
		}
		published = true
		a.auditRun(key, d, e)
	}
}

func (a *auditor) reference(j job) reference {
	return a.references[job{date: j.date, variant: j.variant}]
}

// auditRun holds a published run to its manifest, to the digest that was committed,
// and to the undisturbed run. The digests of its files are compared by auditName.
func (a *auditor) auditRun(key, d string, e entry) {
	prefix := "runs/" + d + "/" + e.Run + "/"
	manifest, there := a.objects[prefix+manifestName]
	if !there || digest(manifest) != e.Manifest {
		a.report(torn, "%s: manifest of %s: there: %v, sha256 %s, committed %s", key, prefix, there, digest(manifest), e.Manifest)
		return
	}
	var content any
	if err := json.Unmarshal(manifest, &content); err != nil {
		a.report(torn, "%s%s: %v", prefix, manifestName, err)
		return
	}
	listed := map[string]string{}
	files(content, listed)
	want := map[string]string{}
	for name, sum := range a.reference(a.jobs[e.Run]).shards {
		want[prefix+name] = sum
	}
	if !maps.Equal(listed, want) {
		a.report(torn, "%s%s lists %v, an undisturbed run has %v", prefix, manifestName, listed, want)
	}
	for name := range want {
		if _, there := a.objects[name]; !there {
			a.report(torn, "%s: %s is missing", key, name)
		}
	}
}

// files collects the key and SHA-256 of every file that a manifest names, wherever.
func files(v any, found map[string]string) {
	switch v := v.(type) {
	case []any:
		for _, w := range v {
			files(w, found)
		}
	case map[string]any:
		key, isFile := v["key"].(string)
		if sum, ok := v["sha256"].(string); isFile && ok {
			found[key] = sum
		}
		for _, w := range v {
			files(w, found)
		}
	}
}

// auditName makes sure that an object may be there, and is whole: the shards of
// every run, published or not, have the bytes of an undisturbed one.
func (a *auditor) auditName(key string) {
	parts := strings.SplitN(key, "/", 4)
	switch {
	case strings.HasPrefix(path.Base(key), ".tmp-"), key == latestKey:
	case key == "_CHURNTIER.json":
		if !json.Valid(a.objects[key]) {
			a.report(torn, "%s: %q", key, a.objects[key])
		}
	case parts[0] == "commits" && len(parts) == 3:
		if _, ok := a.seen[key]; !ok {
			a.report(lost, "%s: an entry before it is missing", key)
		}
	case parts[0] == "runs" && len(parts) == 4:
		a.auditFile(key, parts[2], parts[3])
	default:
		a.report(other, "%s should not be there", key)
	}
}

func (a *auditor) auditFile(key, run, name string) {
	j, known := a.jobs[run]
	want, expected := a.reference(j).shards[name]
	switch {
	case known && name == manifestName:
		if !json.Valid(a.objects[key]) {
			a.report(torn, "%s is not whole", key)
		}
	case !known || !expected:
		a.report(other, "%s should not be there", key)
	case digest(a.objects[key]) != want:
		a.report(torn, "%s has other bytes than an undisturbed run writes", key)
	}
}

// auditLatest makes sure that latest/ shows an entry of the log, whole, and never an
// earlier one than before.
func (a *auditor) auditLatest() {
	data, there := a.objects[latestKey]
	if !there {
		if a.latest != (position{}) {
			a.report(lost, "%s is gone", latestKey)
		}
		return
	}
	var shown struct {
		Date, Run string
		Seq       *int
	}
	var content, manifest map[string]any
	if err := json.Unmarshal(data, &shown); err != nil || json.Unmarshal(data, &content) != nil || shown.Seq == nil {
		a.report(torn, "%s: %v: %q", latestKey, err, data)
		return
	}
	now := position{shown.Date, *shown.Seq}
	log := a.log(now.date)
	delete(content, "seq")
	_ = json.Unmarshal(a.objects["runs/"+now.date+"/"+shown.Run+"/"+manifestName], &manifest) // not whole: not equal
	switch {
	case now.seq >= len(log) || log[now.seq].Run != shown.Run:
		a.report(lost, "%s shows run %s at %v, which the log does not have", latestKey, shown.Run, now)
	case !reflect.DeepEqual(content, manifest):
		a.report(torn, "%s is not the manifest of run %s", latestKey, shown.Run)
	case now.date < a.latest.date || now.date == a.latest.date && now.seq < a.latest.seq:
		a.report(lost, "%s went back from %v to %v", latestKey, a.latest, now)
	}
	a.latest = now
}

// effective gives the last publication of a date; false where there is none.
func (a *auditor) effective(d string) (position, bool) {
	for seq, e := range slices.Backward(a.log(d)) {
		if e.Run != "" {
			return position{d, seq}, true
		}
	}
	return position{}, false
}

// auditRest is audit after a clean run: latest/ shows the newest publication.
func (a *auditor) auditRest(objects map[string][]byte) {
	a.audit(objects)
	for _, d := range slices.Backward(dates) {
		if newest, found := a.effective(d); found {
			if a.latest != newest {
				a.report(lost, "%s shows %v after a clean run, the newest publication is %v", latestKey, a.latest, newest)
			}
			return
		}
	}
	a.report(lost, "nothing is published after a clean run")
}

// auditSwept is auditRest after a clean-up: only what is published is left.
func (a *auditor) auditSwept(objects map[string][]byte) {
	a.auditRest(objects)
	published := map[string]bool{}
	for _, d := range dates {
		for _, e := range a.log(d) {
			published[e.Run] = true
		}
	}
	for key := range objects {
		parts := strings.Split(key, "/")
		if strings.HasPrefix(path.Base(key), ".tmp-") || parts[0] == "runs" && !published[parts[2]] {
			a.report(other, "%s is left after a clean-up", key)
		}
	}
}
