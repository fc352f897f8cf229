package jobs

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/snapshot"
)

var (
	wholeDay   = regexp.MustCompile(`\d{4}-\d{2}-\d{2}`)
	eightDigit = regexp.MustCompile(`\d{8}`)
	year       = regexp.MustCompile(`\d{4}$`)
	twoDigits  = regexp.MustCompile(`\d{2}$`)
)

// findLayout tells how the nights below a bucket are laid out, and which is the
// newest that is complete.
func findLayout(ctx context.Context, b *objstore.Bucket) (s snapshot.Source, night date.Date, err error) {
	s = snapshot.Source{Bucket: b, Files: "*.parquet"}
	if s.Partition, err = findPartition(ctx, b); err != nil {
		return s, night, err
	}
	dates, err := s.Dates(ctx)
	if err == nil && len(dates) == 0 {
		err = noNights(b)
	}
	if err != nil {
		return s, night, err
	}
	if err := findFiles(ctx, &s, dates); err != nil {
		return s, night, err
	}
	night, err = s.Newest(ctx)
	return s, night, err
}

func noNights(b *objstore.Bucket) error {
	return fmt.Errorf("%w: %s holds no folder for a date, such as dt=2026-11-22 or 2026/11/22; give the folder in which those lie", ErrUsage, b.URL(""))
}

// findPartition makes a template of the names of the folders.
func findPartition(ctx context.Context, b *objstore.Bucket) (string, error) {
	names, err := b.Folders(ctx, "")
	if errors.Is(err, objstore.ErrNoBucket) {
		err = fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if err != nil {
		return "", err
	}
	for _, name := range slices.Backward(names) {
		if at := wholeDay.FindStringIndex(name); at != nil {
			return name[:at[0]] + "{date}" + name[at[1]:], nil
		}
		if at := eightDigit.FindStringIndex(name); at != nil {
			return name[:at[0]] + "{yyyy}{mm}{dd}" + name[at[1]:], nil
		}
		if year.MatchString(name) {
			return nestedPartition(ctx, b, name)
		}
	}
	return "", noNights(b)
}

// nestedPartition is of a folder a year, in it a folder a month, in it one a day.
func nestedPartition(ctx context.Context, b *objstore.Bucket, first string) (string, error) {
	template, folder := year.ReplaceAllLiteralString(first, "{yyyy}"), first+"/"
	for _, field := range []string{"{mm}", "{dd}"} {
		names, err := b.Folders(ctx, folder)
		if err != nil {
			return "", err
		}
		names = slices.DeleteFunc(names, func(name string) bool { return !twoDigits.MatchString(name) })
		if len(names) == 0 {
			return "", noNights(b)
		}
		newest := slices.Max(names)
		template += "/" + twoDigits.ReplaceAllLiteralString(newest, field)
		folder += newest + "/"
	}
	return template, nil
}

// nightsLookedAt bounds where a marker is looked for: the newest night may be
// half-written.
const nightsLookedAt = 7

// findFiles finds the marker, an empty object with an underscore first, and how the
// parts are called.
func findFiles(ctx context.Context, s *snapshot.Source, dates []date.Date) error {
	named := false
	for _, d := range dates[:min(len(dates), nightsLookedAt)] {
		objects, err := s.Bucket.Objects(ctx, s.Folder(d))
		if err != nil {
			return err
		}
		for _, a := range objects {
			name := strings.TrimPrefix(a.Key, s.Folder(d))
			named = named || snapshot.IsPart(s.Files, name)
			if s.Ready == "" && a.Size == 0 && strings.HasPrefix(name, "_") {
				s.Ready = name
			}
		}
	}
	if !named {
		s.Files = "*"
	}
	return nil
}
