package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// ErrList says that a list cannot be trusted: missing, empty, too old, too short or
// of another type of keys. Mailing the unsubscribed, or scoring the erased, is worse
// than not running, so it refuses. Error texts say before it what the list is for.
var ErrList = errors.New("list")

// List names users: those that are never scored, or those that are never in an
// audience. It holds ids or contacts.
type List struct {
	use     string // useExclude or useSuppress
	URL     string // for people
	Bucket  *objstore.Bucket
	Files   string // glob of its Parquet files in Bucket
	ID      string // column of ids, or
	Contact string // column of contacts

	MaxAge   time.Duration // of its newest file, before Night.Started; 0 for any
	MinRatio float64       // of its rows to those of the last publication's list; 0 for any

	// Audience makes the list the members of this audience, of what is published in
	// Bucket for the night's date, in place of Files.
	Audience string
}

// column is where the keys are.
func (l *List) column() string { return l.ID + l.Contact }

// lists gives those of a night, the exclude lists first.
func (n *Night) lists() []List {
	all := slices.Concat(n.Exclude, n.Suppress)
	for i := range all {
		all[i].use = useExclude
		if i >= len(n.Exclude) {
			all[i].use = useSuppress
		}
	}
	return all
}

// fault says what is wrong with the list.
func (l *List) fault(format string, args ...any) error {
	return fmt.Errorf("%s %w %s: %s", l.use, ErrList, l.URL, fmt.Sprintf(format, args...))
}

// find fixes the files of the list.
func (l *List) find(ctx context.Context, n *Night) (*snapshot.Pinned, error) {
	if l.Audience != "" {
		return l.findMembers(ctx, n.Date)
	}
	all, err := l.Bucket.Objects(ctx, "")
	if err != nil && !errors.Is(err, objstore.ErrNoBucket) {
		return nil, fmt.Errorf("%s list %s: %w", l.use, l.URL, err)
	}
	files := slices.DeleteFunc(all, func(a objstore.Attrs) bool { return !snapshot.IsPart(l.Files, a.Key) })
	if len(files) == 0 {
		return nil, l.fault("no file is there; the URL of a list ends in a file name or a glob, such as erased/*.parquet")
	}
	return snapshot.PinFiles(l.Bucket, files), l.checkAge(files, n.Started)
}

func (l *List) checkAge(files []objstore.Attrs, now time.Time) error {
	if l.MaxAge == 0 {
		return nil
	}
	newest := files[0].Modified
	for _, f := range files {
		if f.Modified.After(newest) {
			newest = f.Modified
		}
	}
	if age := now.Sub(newest); age > l.MaxAge {
		return l.fault("its newest file is %s old, at most %s is allowed; write the list again", age.Round(time.Minute), l.MaxAge)
	}
	return nil
}

// findMembers fixes the members files of another prediction's audience.
func (l *List) findMembers(ctx context.Context, d date.Date) (*snapshot.Pinned, error) {
	ledger, err := publish.OpenAny(ctx, l.Bucket)
	if errors.Is(err, publish.ErrForeign) {
		return nil, l.fault("%v", err)
	}
	if err != nil {
		return nil, err
	}
	p, found, err := ledger.Published(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("%s list %s: %w", l.use, l.URL, err)
	}
	if !found {
		return nil, l.fault("nothing is published for %s; run that prediction first", d)
	}
	if p.Expired {
		return nil, l.fault("its publication of %s has expired", d)
	}
	at := slices.IndexFunc(p.Manifest.Audiences, func(a publish.Audience) bool { return a.Name == l.Audience })
	if at < 0 {
		return nil, l.fault("its publication of %s has no audience %q", d, l.Audience)
	}
	files, err := pinFiles(ctx, l.Bucket, p.Manifest.Audiences[at].MembersFiles())
	if err != nil {
		return nil, fmt.Errorf("%s list %s: %w", l.use, l.URL, err)
	}
	return files, nil
}

// checkSize refuses a suppression list without rows, and one that lost more rows
// since the last publication than it may: before is that list's rows, or -1.
func (l *List) checkSize(rows, before int64) error {
	switch {
	case l.use == useExclude || l.Audience != "":
		return nil
	case rows == 0:
		return l.fault("it is empty; a list that suppresses no one is taken for a fault")
	case before > 0 && float64(rows) < l.MinRatio*float64(before):
		return l.fault("it has %d rows and had %d in the last publication: less than the ratio %v that is allowed; write the whole list again", rows, before, l.MinRatio)
	}
	return nil
}

const (
	useExclude  = "exclude"
	useSuppress = "suppress"
)

// checkLists holds the suppression lists against those of the last publication.
func (r *run) checkLists(ctx context.Context) error {
	past, err := r.ledger.Past(ctx, r.Date, 1)
	if err != nil {
		return err
	}
	for i, list := range r.lists() {
		before := int64(-1)
		if len(past) > 0 {
			before = list.rowsIn(past[0].Manifest)
		}
		if err := list.checkSize(r.plan.Lists[i].Files.Rows(), before); err != nil {
			return err
		}
	}
	return nil
}

// rowsIn counts the rows of the list's files in a manifest, -1 where none is there.
func (l *List) rowsIn(m *publish.Manifest) int64 {
	rows, found := int64(0), false
	for _, f := range m.Lists {
		name, ours := strings.CutPrefix(f.URL, l.Bucket.URL(""))
		if ours && snapshot.IsPart(l.Files, strings.TrimPrefix(name, "/")) {
			rows, found = rows+f.Rows, true
		}
	}
	if !found {
		return -1
	}
	return rows
}
