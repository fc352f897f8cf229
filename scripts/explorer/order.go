package main

import (
	"slices"
	"strings"
)

// independent says whether nobody else can notice or change what a process does
// next, so that all orders with the steps of others come to the same: then only
// this process is followed.
func (x *search) independent(s state, slot int) bool {
	n := x.nodes[s.at[slot]]
	if n.request == 0 {
		return false
	}
	r := x.requests.values[n.request]
	if ofRun(r.key, n.program.letter) {
		return s.late[1] == 0 && !x.noticed(s, r)
	}
	return x.settled(x.factsOf(s.store), r)
}

// noticed says whether a clean-up, the only process to look at the runs of others
// before they are committed, may still see what r does in its own run, or change
// what r sees there. One that has listed the date before does not see what is added.
func (x *search) noticed(s state, r request) bool {
	return slices.ContainsFunc(s.at[:], func(at int32) bool {
		n := x.nodes[at]
		if n.request == 0 || n.program.kind != cleanUp {
			return false
		}
		hasListed := slices.ContainsFunc(n.listed, func(folder string) bool { return folder != "runs/" && strings.HasPrefix(r.key, folder) })
		return r.op != write || !hasListed || s.mishaps > 0
	})
}

func ofRun(key, letter string) bool {
	part := strings.Split(key, "/")
	return part[0] == "runs" && len(part) > 3 && strings.HasPrefix(part[2], letter)
}

// settled says whether a request reads what never changes while the invariants
// hold: an entry that is there, the owner, the manifest and the distribution of a
// committed run; or folders where none of these processes writes.
func (x *search) settled(f *facts, r request) bool {
	if r.writes() {
		return false
	}
	part := strings.Split(r.key, "/")
	if part[0] == "refusals" || part[0] == "preview" {
		return true
	}
	if content, there := f.there[r.key]; !there || r.op == open && r.content != content {
		return false
	}
	return part[0] == "commits" || len(part) == 1 ||
		part[0] == "runs" && f.committed[part[2]] && (part[3] == "MANIFEST.json" || strings.HasPrefix(part[3], "distribution."))
}
