//go:build linux

package main

import (
	"bytes"
	"maps"
	"strings"
	"testing"
)

// The auditor finds every damage that it is there to find: a check that cannot fail
// shows nothing.
func TestTheAuditorFindsDamage(t *testing.T) {
	good, jobs := twoNights(t)
	newest, older := entryKey(dates[1], 0), entryKey(dates[0], 0)
	shard := keyOf(t, good, "runs/"+dates[1], "/scores/part-00000.parquet")
	manifest := keyOf(t, good, "runs/"+dates[1], "/"+manifestName)
	for name, c := range map[string]struct {
		want   kind
		damage func(objects map[string][]byte)
	}{
		"a shard is short":          {torn, func(o map[string][]byte) { o[shard] = o[shard][:len(o[shard])-1] }},
		"a shard has another byte":  {torn, func(o map[string][]byte) { o[shard] = flipped(o[shard]) }},
		"a shard is missing":        {torn, func(o map[string][]byte) { delete(o, shard) }},
		"the manifest is missing":   {torn, func(o map[string][]byte) { delete(o, manifest) }},
		"the manifest is another":   {torn, func(o map[string][]byte) { o[manifest] = append(bytes.Clone(o[manifest]), '\n') }},
		"an entry is half":          {torn, func(o map[string][]byte) { o[newest] = o[newest][:50] }},
		"an entry is gone":          {lost, func(o map[string][]byte) { delete(o, newest) }},
		"an entry was replaced":     {lost, func(o map[string][]byte) { o[newest] = append(bytes.Clone(o[newest]), '\n') }},
		"latest is half":            {torn, func(o map[string][]byte) { o[latestKey] = o[latestKey][:len(o[latestKey])/2] }},
		"latest is gone":            {lost, func(o map[string][]byte) { delete(o, latestKey) }},
		"latest went back":          {lost, func(o map[string][]byte) { o[latestKey] = projectionOf(t, o, dates[0]) }},
		"a run was published twice": {double, func(o map[string][]byte) { o[entryKey(dates[0], 1)] = again(o[older]) }},
		"another fingerprint": {double, func(o map[string][]byte) {
			o[older] = bytes.Replace(o[older], []byte(`"fingerprint": "`), []byte(`"fingerprint": "0`), 1)
		}},
		"an entry stands after a gap":  {lost, func(o map[string][]byte) { o[entryKey(dates[0], 2)] = again(o[older]) }},
		"something has a strange name": {other, func(o map[string][]byte) { o["refusals/x"] = nil }},
		"a temporary file is left":     {other, func(o map[string][]byte) { o["latest/.tmp-1"] = nil }},
	} {
		a := newAuditor(shared.references)
		a.jobs = jobs
		a.auditSwept(good)
		if len(a.found) > 0 {
			t.Fatalf("undamaged: %v", a.found)
		}
		objects := maps.Clone(good)
		c.damage(objects)
		a.auditSwept(objects)
		if !a.has(c.want) {
			t.Errorf("%s: found %v, want something %s", name, a.found, c.want)
		}
	}
}

func TestTheAuditorComparesWhatWasSaid(t *testing.T) {
	good, jobs := twoNights(t)
	for name, c := range map[string]struct {
		want kind
		hear func(a *auditor)
	}{
		"another run is published":    {lost, func(a *auditor) { a.promise(entryKey(dates[0], 0), "another") }},
		"nothing is published":        {lost, func(a *auditor) { a.promise(entryKey(dates[0], 5), "one") }},
		"two published the same":      {lost, func(a *auditor) { a.promise("key", "one"); a.promise("key", "two") }},
		"a run did not say it":        {other, func(a *auditor) { a.denied[runOf(jobs, dates[0])] = "failed" }},
		"nobody ran what is there":    {other, func(a *auditor) { a.jobs = map[string]job{} }},
		"latest is behind the newest": {lost, func(a *auditor) { a.objects[latestKey] = projectionOf(t, a.objects, dates[0]) }},
	} {
		a := newAuditor(shared.references)
		a.jobs, a.objects = jobs, maps.Clone(good)
		c.hear(a)
		a.auditRest(a.objects)
		if !a.has(c.want) {
			t.Errorf("%s: found %v, want something %s", name, a.found, c.want)
		}
	}
}

func (a *auditor) has(k kind) bool {
	for _, v := range a.found {
		if v.kind == k {
			return true
		}
	}
	return false
}

// twoNights publishes the first two nights and gives what is there, and whose.
func twoNights(t *testing.T) (map[string][]byte, map[string]job) {
	t.Helper()
	p := homes(t, "local")()
	jobs := map[string]job{}
	for _, d := range dates[:2] {
		if err := shared.command(p, "run", "--quiet", "--date", d); err != nil {
			skipWithoutHold(t, err)
			t.Fatal(err)
		}
	}
	objects, err := p.objects()
	if err != nil {
		t.Fatal(err)
	}
	for key := range objects {
		if parts := strings.Split(key, "/"); parts[0] == "runs" {
			jobs[parts[2]] = job{date: parts[1]}
		}
	}
	return objects, jobs
}

func runOf(jobs map[string]job, d string) string {
	for run, j := range jobs {
		if j.date == d {
			return run
		}
	}
	return ""
}

func keyOf(t *testing.T, objects map[string][]byte, prefix, suffix string) string {
	t.Helper()
	for key := range objects {
		if strings.HasPrefix(key, prefix) && strings.HasSuffix(key, suffix) {
			return key
		}
	}
	t.Fatalf("there is no %s...%s", prefix, suffix)
	return ""
}

// projectionOf is what latest/ shows of the first publication of a date.
func projectionOf(t *testing.T, objects map[string][]byte, d string) []byte {
	t.Helper()
	manifest := objects[keyOf(t, objects, "runs/"+d, "/"+manifestName)]
	return append(bytes.TrimSuffix(manifest, []byte("\n}\n")), ",\n  \"seq\": 0\n}\n"...)
}

func again(entry []byte) []byte {
	return bytes.Replace(entry, []byte(`"seq": 0`), []byte(`"seq": 1`), 1)
}

func flipped(data []byte) []byte {
	data = bytes.Clone(data)
	data[len(data)/2] ^= 1
	return data
}
