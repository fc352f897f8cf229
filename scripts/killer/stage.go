//go:build linux

package main

import "strings"

// stage is how far a process has come on its way to a publication.
type stage int

// The stages of a run, in order, and the one of a clean-up.
const (
	admit    stage = iota // nothing of it is written
	staging               // its shards are being written
	gates                 // its shards are there; it looks at the last publications
	seal                  // what it wrote is read back; the manifest is written
	commit                // its entry is being added to the log
	projects              // latest/ follows the log
	cleanUp               // prune
	stages
)

func (s stage) String() string {
	return [...]string{"admit", "stage", "gates", "seal", "commit", "project", "prune"}[s]
}

// operation is one thing that a process does to the snapshot or the store.
type operation struct {
	verb   string
	key    string // below publish.url, without a slash at its end
	input  bool   // of the snapshot
	writes bool
}

// below says whether the operation is on the object or folder, or on one in it.
func (o operation) below(folder string) bool {
	return !o.input && (o.key == folder || strings.HasPrefix(o.key, folder+"/"))
}

// run names the run that the operation belongs to, "" for none.
func (o operation) run() string {
	parts := strings.Split(o.key, "/")
	if o.input || len(parts) < 3 || parts[0] != "runs" {
		return ""
	}
	return parts[2]
}

// trace follows one process by its operations.
type trace struct {
	now  stage
	runs []string // that it wrote to, the last one last
}

// see gives the stage that an operation belongs to.
func (t *trace) see(o operation) stage {
	own := o.run() != "" && len(t.runs) > 0 && o.run() == t.runs[len(t.runs)-1]
	switch {
	case t.now == cleanUp:
	case o.writes && o.run() != "" && !own:
		t.now, t.runs = staging, append(t.runs, o.run())
	case t.now == admit && o.writes && !o.below("latest"):
		t.now = staging
	case t.now == staging && o.below("commits"):
		t.now = gates
	case t.now == gates && (own || o.input):
		t.now = seal
	case t.now == seal && o.writes && o.below("commits"):
		t.now = commit
	case (t.now == admit || t.now == commit) && (o.verb == "list" && o.key == "commits" || o.below("latest")):
		t.now = projects
	}
	return t.now
}
