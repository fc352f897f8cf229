package publish

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

// The folders of runs by date.
const (
	runsFolder     = "runs/"
	previewFolder  = "preview/"
	refusalsFolder = "refusals/"
)

// RunPrefix is the folder of a run below publish.url, without a slash at its end.
func RunPrefix(d date.Date, run string) string { return runsFolder + d.String() + "/" + run }

// PreviewPrefix is RunPrefix for a run in preview mode, which is never committed.
func PreviewPrefix(d date.Date, run string) string { return previewFolder + d.String() + "/" + run }

// RefusalPrefix is the folder of the evidence of a refused run.
func RefusalPrefix(d date.Date, run string) string { return refusalsFolder + d.String() + "/" + run }

// folder is what the store holds of one run.
type folder struct {
	name    string
	prefix  string // of its keys, with a slash at the end
	objects []objstore.Attrs
}

// before says whether all of the folder was written before t.
func (f folder) before(t time.Time) bool {
	return !slices.ContainsFunc(f.objects, func(a objstore.Attrs) bool { return !a.Modified.Before(t) })
}

// shards gives the folder without what stays of an expired run: its manifest and
// its distribution.
func (f folder) shards() folder {
	f.objects = slices.DeleteFunc(slices.Clone(f.objects), func(a objstore.Attrs) bool {
		return stays(strings.TrimPrefix(a.Key, f.prefix))
	})
	return f
}

// Stays says whether a file of the run stays when the run expires.
func Stays(m *Manifest, key string) bool { return stays(strings.TrimPrefix(key, m.Prefix()+"/")) }

func stays(name string) bool {
	return name == ManifestName || strings.HasPrefix(name, distributionName)
}

// distributionName begins the names of the files of a run's distribution.
const distributionName = "distribution."

// list gives what the store holds of the runs of one date below a folder, by run.
// Only what has the name of a run is one.
func (l *Ledger) list(ctx context.Context, below string, d date.Date) ([]folder, error) {
	prefix := below + d.String() + "/"
	found, err := l.bucket.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var all []folder
	for _, a := range found {
		name, _, isBelow := strings.Cut(a.Key[len(prefix):], "/")
		if !isBelow || !runName.MatchString(name) {
			continue
		}
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, folder{name: name, prefix: prefix + name + "/"})
		}
		last := &all[len(all)-1]
		last.objects = append(last.objects, a)
	}
	return all, nil
}

// dates gives the dates that have a folder below another, ascending.
func (l *Ledger) dates(ctx context.Context, below string) ([]date.Date, error) {
	names, err := l.bucket.Folders(ctx, below)
	if err != nil {
		return nil, err
	}
	var dates []date.Date
	for _, name := range names {
		if d, err := date.Parse(name); err == nil {
			dates = append(dates, d)
		}
	}
	slices.SortFunc(dates, date.Date.Compare)
	return dates, nil
}

// delete deletes what was listed of a run, its manifest first: without it the rest
// is no run. What is gone already is no error.
func (l *Ledger) delete(ctx context.Context, d date.Date, f folder, deleted *[]Deleted) error {
	slices.SortStableFunc(f.objects, func(a, b objstore.Attrs) int {
		return cmp.Compare(rankOf(a.Key, f.prefix), rankOf(b.Key, f.prefix))
	})
	gone := Deleted{Date: d, Run: f.name}
	for _, a := range f.objects {
		err := l.bucket.Delete(ctx, a.Key, objstore.IfGeneration(a.Generation))
		if errors.Is(err, objstore.ErrPrecondition) {
			// A local file was listed just before its writer removed the other name
			// of it. Only the run itself ever writes under its keys.
			err = l.bucket.Delete(ctx, a.Key, objstore.Any)
		}
		if err != nil && !errors.Is(err, objstore.ErrNotExist) {
			return err
		}
		gone.Objects++
		gone.Bytes += a.Size
	}
	if gone.Objects > 0 {
		*deleted = append(*deleted, gone)
	}
	return nil
}

func rankOf(key, prefix string) int {
	if key == prefix+ManifestName {
		return 0
	}
	return 1
}
