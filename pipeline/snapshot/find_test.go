package snapshot_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/snapshot"
)

func bucketWith(t *testing.T, keys ...string) *objstore.Bucket {
	t.Helper()
	b := objstore.New(mem.New(), "mem://warehouse")
	for _, k := range keys {
		if _, err := b.CreateBytes(t.Context(), k, []byte(k)); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func day(t *testing.T, text string) date.Date {
	t.Helper()
	d, err := date.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func daily(b *objstore.Bucket) snapshot.Source {
	return snapshot.Source{Bucket: b, Partition: "dt={date}", Files: "*.parquet", Ready: "_SUCCESS"}
}

func TestNewestIsTheNewestReadyDate(t *testing.T) {
	b := bucketWith(t,
		"dt=2026-11-20/a.parquet", "dt=2026-11-20/_SUCCESS",
		"dt=2026-11-21/a.parquet", "dt=2026-11-21/_SUCCESS",
		"dt=2026-11-22/a.parquet", // still being written
		"dt=2026-13-45/a.parquet", "dt=2026-13-45/_SUCCESS",
		"other/a.parquet", "dt=latest/_SUCCESS")
	got, err := daily(b).Newest(t.Context())
	if err != nil || got != day(t, "2026-11-21") {
		t.Errorf("newest is %s, %v", got, err)
	}
}

func TestPartitionOfSeveralLevels(t *testing.T) {
	b := bucketWith(t, "y=2025/m=12/d=31/p.parquet", "y=2026/m=01/d=02/p.parquet", "y=2026/m=01/x=9/p.parquet")
	s := snapshot.Source{Bucket: b, Partition: "y={yyyy}/m={mm}/d={dd}", Files: "*.parquet"}
	got, err := s.Dates(t.Context())
	if err != nil || !slices.Equal(got, []date.Date{day(t, "2026-01-02"), day(t, "2025-12-31")}) {
		t.Errorf("%v, %v", got, err)
	}
	if parts, _, err := s.Find(t.Context(), got[0]); err != nil || len(parts) != 1 {
		t.Errorf("%v, %v", parts, err)
	}
}

func TestFindTakesOnlyParts(t *testing.T) {
	b := bucketWith(t, "dt=2026-11-20/b.parquet", "dt=2026-11-20/a.parquet", "dt=2026-11-20/_SUCCESS",
		"dt=2026-11-20/_metadata.parquet", "dt=2026-11-20/.a.parquet", "dt=2026-11-20/a.parquet.crc",
		"dt=2026-11-20/deeper/c.parquet", "dt=2026-11-201/d.parquet")
	pinned, err := snapshot.Pin(t.Context(), daily(b), day(t, "2026-11-20"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range pinned.Parts {
		names = append(names, p.Name)
	}
	if !slices.Equal(names, []string{"a.parquet", "b.parquet"}) {
		t.Errorf("parts %v", names)
	}
	if !slices.Equal(pinned.Others, []string{"a.parquet.crc", "deeper/"}) {
		t.Errorf("not read: %v", pinned.Others)
	}
}

func TestNotReadyAndEmpty(t *testing.T) {
	b := bucketWith(t, "dt=2026-11-21/a.parquet", "dt=2026-11-22/_SUCCESS")
	for date, want := range map[string]error{
		"2026-11-20": snapshot.ErrNotReady, // no folder
		"2026-11-21": snapshot.ErrNotReady, // no marker
		"2026-11-22": snapshot.ErrEmpty,    // marker alone
	} {
		if _, _, err := daily(b).Find(t.Context(), day(t, date)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", date, err, want)
		}
	}
	if _, err := daily(bucketWith(t)).Newest(t.Context()); !errors.Is(err, snapshot.ErrNotReady) {
		t.Errorf("an empty bucket gave %v", err)
	}
}

func TestUnchangedNoticesEveryChange(t *testing.T) {
	changes := map[string]func(ctx context.Context, b *objstore.Bucket) error{
		"added": func(ctx context.Context, b *objstore.Bucket) error {
			_, err := b.CreateBytes(ctx, "dt=2026-11-20/c.parquet", nil)
			return err
		},
		"removed": func(ctx context.Context, b *objstore.Bucket) error {
			return b.Delete(ctx, "dt=2026-11-20/a.parquet", objstore.Any)
		},
		"replaced": func(ctx context.Context, b *objstore.Bucket) error {
			a, err := b.Stat(ctx, "dt=2026-11-20/a.parquet")
			if err != nil {
				return err
			}
			_, err = b.Replace(ctx, a.Key, []byte(a.Key), a.Generation) // the same bytes, another version
			return err
		},
		"marker removed": func(ctx context.Context, b *objstore.Bucket) error {
			return b.Delete(ctx, "dt=2026-11-20/_SUCCESS", objstore.Any)
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			b := bucketWith(t, "dt=2026-11-20/a.parquet", "dt=2026-11-20/b.parquet", "dt=2026-11-20/_SUCCESS")
			pinned, err := snapshot.Pin(t.Context(), daily(b), day(t, "2026-11-20"))
			if err != nil {
				t.Fatal(err)
			}
			if err := pinned.Unchanged(t.Context()); err != nil {
				t.Fatalf("before the change: %v", err)
			}
			if err := change(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if err := pinned.Unchanged(t.Context()); !errors.Is(err, snapshot.ErrNotReady) {
				t.Errorf("after the change: %v", err)
			}
		})
	}
}
