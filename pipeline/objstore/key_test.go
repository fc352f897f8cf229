package objstore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/objstore"
)

func TestCheckKeyTakes(t *testing.T) {
	for _, key := range []string{
		"a", "runs/2026-11-22/01J/scores/part-00000.parquet", "dt=2026-11-22/_SUCCESS",
		"..a/b..", ".hidden", "a b/日本", "x.tmp-y", strings.Repeat("k", 1024),
	} {
		if err := objstore.CheckKey(key); err != nil {
			t.Error(err)
		}
	}
}

func TestCheckKeyRefuses(t *testing.T) {
	for name, key := range map[string]string{
		"empty":             "",
		"leading slash":     "/etc/passwd",
		"trailing slash":    "a/",
		"empty segment":     "a//b",
		"parent":            "a/../b",
		"only parent":       "..",
		"dot":               "a/./b",
		"temporary":         "a/.tmp-x",
		"temporary folder":  ".tmp-x/a",
		"zero byte":         "a\x00b",
		"line break":        "a\nb",
		"not UTF-8":         "a\xff",
		"longer than 1 KiB": strings.Repeat("k", 1025),
	} {
		if err := objstore.CheckKey(key); !errors.Is(err, objstore.ErrKey) {
			t.Errorf("%s: got %v, expected %v", name, err, objstore.ErrKey)
		}
	}
}

// Every way into a bucket refuses a key that leaves its folder.
func TestBucketChecksKeys(t *testing.T) {
	b := bucket(t).Sub("runs")
	ctx := t.Context()
	bad := objstore.Attrs{Key: "../secret", Generation: "1"}
	for name, try := range map[string]func() error{
		"list":        func() error { _, err := b.List(ctx, bad.Key); return err },
		"folders":     func() error { _, err := b.Folders(ctx, bad.Key); return err },
		"stat":        func() error { _, err := b.Stat(ctx, bad.Key); return err },
		"read":        func() error { _, _, err := b.Read(ctx, bad.Key, 10); return err },
		"open":        func() error { _, err := b.Open(ctx, bad); return err },
		"open at":     func() error { _, err := b.OpenAt(ctx, bad); return err },
		"checksum":    func() error { _, err := b.Checksum(ctx, bad); return err },
		"create":      func() error { _, err := b.Create(ctx, bad.Key); return err },
		"createBytes": func() error { _, err := b.CreateBytes(ctx, bad.Key, nil); return err },
		"replace":     func() error { _, err := b.Replace(ctx, bad.Key, nil, ""); return err },
		"delete":      func() error { return b.Delete(ctx, bad.Key, objstore.Any) },
		"empty key":   func() error { _, err := b.Create(ctx, ""); return err },
	} {
		if err := try(); !errors.Is(err, objstore.ErrKey) {
			t.Errorf("%s: got %v, expected %v", name, err, objstore.ErrKey)
		}
	}
}
