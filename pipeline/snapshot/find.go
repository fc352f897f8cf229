package snapshot

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

// ErrNotReady says that tonight's snapshot is not there yet, or is still being
// written; trying again later may succeed.
var ErrNotReady = errors.New("snapshot not ready")

// ErrEmpty says that a snapshot is marked ready and holds no part.
var ErrEmpty = errors.New("snapshot empty")

// Source says where the snapshots of a prediction lie and how they are named.
type Source struct {
	Bucket    *objstore.Bucket
	Partition string // folder of a date: {date}, or {yyyy} {mm} {dd}
	Files     string // glob of the parts inside that folder
	Ready     string // name of the marker object; "" when there is none
}

// Folder gives the folder of date d, with a closing slash.
func (s Source) Folder(d date.Date) string {
	r := strings.NewReplacer("{date}", d.String(), "{yyyy}", d.Year(), "{mm}", d.Month(), "{dd}", d.Day())
	return strings.TrimSuffix(r.Replace(s.Partition), "/") + "/"
}

// Dates lists the dates that have a folder, newest first, ready or not.
func (s Source) Dates(ctx context.Context) ([]date.Date, error) {
	pattern := s.pattern()
	folders := []string{""}
	for range strings.Split(strings.Trim(s.Partition, "/"), "/") {
		var deeper []string
		for _, f := range folders {
			names, err := s.Bucket.Folders(ctx, f)
			if err != nil {
				return nil, fmt.Errorf("list %s: %w", s.Bucket.URL(f), err)
			}
			for _, n := range names {
				deeper = append(deeper, f+n+"/")
			}
		}
		folders = deeper
	}
	var dates []date.Date
	for _, f := range folders {
		if d, ok := s.dateOf(pattern, f); ok {
			dates = append(dates, d)
		}
	}
	slices.SortFunc(dates, func(a, b date.Date) int { return b.Compare(a) })
	return dates, nil
}

// pattern matches the folder of any date, with a named group a field.
func (s Source) pattern() *regexp.Regexp {
	p := regexp.QuoteMeta(strings.Trim(s.Partition, "/") + "/")
	for field, digits := range map[string]string{
		"date": `\d{4}-\d{2}-\d{2}`, "yyyy": `\d{4}`, "mm": `\d{2}`, "dd": `\d{2}`,
	} {
		p = strings.ReplaceAll(p, regexp.QuoteMeta("{"+field+"}"), "(?P<"+field+">"+digits+")")
	}
	return regexp.MustCompile("^" + p + "$")
}

func (s Source) dateOf(pattern *regexp.Regexp, folder string) (date.Date, bool) {
	m := pattern.FindStringSubmatch(folder)
	if m == nil {
		return date.Date{}, false
	}
	field := func(name string) string {
		if i := pattern.SubexpIndex(name); i >= 0 {
			return m[i]
		}
		return ""
	}
	text := field("date")
	if text == "" {
		text = field("yyyy") + "-" + field("mm") + "-" + field("dd")
	}
	d, err := date.Parse(text)
	return d, err == nil && s.Folder(d) == folder
}

// Newest gives the newest date with a ready snapshot, or ErrNotReady.
func (s Source) Newest(ctx context.Context) (date.Date, error) {
	dates, err := s.Dates(ctx)
	if err != nil {
		return date.Date{}, err
	}
	for _, d := range dates {
		ready, err := s.IsReady(ctx, d)
		if err != nil {
			return date.Date{}, err
		}
		if ready {
			return d, nil
		}
	}
	return date.Date{}, fmt.Errorf("%w: no ready snapshot under %s; expected folders named %s%s",
		ErrNotReady, s.Bucket.URL(""), s.Partition, s.withMarker())
}

func (s Source) withMarker() string {
	if s.Ready == "" {
		return ""
	}
	return " that hold the marker " + s.Ready
}

// IsReady says whether the snapshot of date d is complete. One that is marked so
// and holds no part is ready, to be refused.
func (s Source) IsReady(ctx context.Context, d date.Date) (bool, error) {
	_, _, err := s.Find(ctx, d)
	if errors.Is(err, ErrNotReady) || errors.Is(err, ErrEmpty) && s.Ready == "" {
		return false, nil
	}
	if errors.Is(err, ErrEmpty) {
		return true, nil
	}
	return err == nil, err
}

// IsPart says whether a name matches the glob of the parts. Names that begin with
// "." or "_" are never parts.
func IsPart(glob, name string) bool {
	ok, _ := path.Match(glob, name)
	return ok && name[0] != '.' && name[0] != '_'
}

// Find lists the parts of date d in order of name. It returns ErrNotReady when
// the folder or its marker is missing, ErrEmpty when there is a marker and no part,
// and objstore.ErrKey for a part whose name no store takes or a terminal obeys. What
// else lies in the folder, files that do not match Files and folders, is named beside
// them, but for names that begin with "." or "_".
func (s Source) Find(ctx context.Context, d date.Date) (parts []objstore.Attrs, others []string, err error) {
	folder := s.Folder(d)
	all, err := s.Bucket.Objects(ctx, folder)
	if err != nil {
		return nil, nil, fmt.Errorf("list %s: %w", s.Bucket.URL(folder), err)
	}
	marked := s.Ready == ""
	for _, a := range all {
		name := strings.TrimPrefix(a.Key, folder)
		if name == s.Ready {
			marked = true
			continue
		}
		if IsPart(s.Files, name) {
			if err := objstore.CheckKey(a.Key); err != nil {
				return nil, nil, fmt.Errorf("part in %s: %w", s.Bucket.URL(folder), err)
			}
			parts = append(parts, a)
		} else if IsPart("*", name) {
			others = append(others, name)
		}
	}
	folders, err := s.Bucket.Folders(ctx, folder)
	if err != nil {
		return nil, nil, fmt.Errorf("list %s: %w", s.Bucket.URL(folder), err)
	}
	for _, name := range folders {
		if IsPart("*", name) {
			others = append(others, name+"/")
		}
	}
	switch {
	case len(all) == 0:
		return nil, nil, fmt.Errorf("%w: %s does not exist or is empty; expected the snapshot of %s there",
			ErrNotReady, s.Bucket.URL(folder), d)
	case !marked:
		return nil, nil, fmt.Errorf("%w: %s has no marker %s; it is written when the snapshot is complete (snapshot.ready names it)",
			ErrNotReady, s.Bucket.URL(folder), s.Ready)
	case len(parts) == 0:
		return nil, nil, fmt.Errorf("%w: %s holds no file that matches %q (snapshot.files)",
			ErrEmpty, s.Bucket.URL(folder), s.Files)
	}
	return parts, others, nil
}
