package publish_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

func TestDamagedManifest(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		err  error
	}{
		"cut off":             {golden[:400], publish.ErrDamaged},
		"empty":               {"", publish.ErrDamaged},
		"unknown key":         {strings.Replace(golden, `"engine"`, `"motor"`, 1), publish.ErrDamaged},
		"count changed":       {strings.Replace(golden, `"read": 1002`, `"read": 1003`, 1), publish.ErrDamaged},
		"three decimals":      {strings.Replace(golden, "49.99", "49.991", 1), publish.ErrDamaged},
		"score too large":     {strings.Replace(golden, "49.99", "655.36", 1), publish.ErrDamaged},
		"score not canonical": {strings.Replace(golden, "49.99", "4999e-2", 1), publish.ErrDamaged},
		"short checksum":      {strings.Replace(golden, "0000beef", "beef", 1), publish.ErrDamaged},
		"no checksum":         {strings.Replace(golden, "0000beef", "0000gggg", 1), publish.ErrDamaged},
		"another prediction":  {strings.Replace(golden, prediction, "upsell", 1), publish.ErrDamaged},
		"another run":         {strings.ReplaceAll(golden, goldenRun, runNamed(1)), publish.ErrDamaged},
		"another date":        {strings.ReplaceAll(golden, "2026-11-22", "2026-11-21"), publish.ErrDamaged},
		"newer":               {strings.Replace(golden, `"format": 1`, `"format": 2, "new": 0`, 1), publish.ErrNewer},
		"too large":           {strings.Repeat(" ", 65<<20), publish.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			b, l := newStore(t)
			put(t, b, "runs/2026-11-22/"+goldenRun+"/MANIFEST.json", c.text)
			if _, err := l.Manifest(ctx, day, goldenRun); !errors.Is(err, c.err) {
				t.Errorf("got %v, expected %v", err, c.err)
			}
		})
	}
	_, l := newStore(t)
	if _, err := l.Manifest(ctx, day, goldenRun); !errors.Is(err, publish.ErrDamaged) || !errors.Is(err, objstore.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestHundredthsAreExactInJSON(t *testing.T) {
	for h, want := range map[publish.Hundredths]string{0: "0", 1: "0.01", 10: "0.1", 2999: "29.99", 5800: "58", 9995: "99.95", 10000: "100"} {
		if h.String() != want {
			t.Errorf("%d is %s, expected %s", uint16(h), h, want)
		}
	}
	for n := range 10001 { // every score comes back
		var got publish.Hundredths
		if err := got.UnmarshalJSON([]byte(publish.Hundredths(n).String())); err != nil || int(got) != n {
			t.Fatalf("%d came back as %d, %v", n, got, err)
		}
	}
}

func TestManifestComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := goldenManifest()
		m.Version = rapid.String().Draw(t, "version")
		m.Inputs[0].Name = rapid.StringN(1, 20, -1).Draw(t, "name")
		m.Inputs[0].CRC32C = publish.Checksum(rapid.Uint32().Draw(t, "crc32c"))
		m.Categories[0].From = publish.Hundredths(rapid.IntRange(0, 10000).Draw(t, "cut"))
		m.Tables[0].Files = []publish.File{}
		m.Gates[0].Value = rapid.Float64().Draw(t, "value")
		l, err := publish.Open(ctx, bucket(mem.New()), prediction)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Seal(ctx, m); err != nil {
			t.Fatal(err)
		}
		got, err := l.Manifest(ctx, day, goldenRun)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got, sameDate); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzManifestNeverPanics(f *testing.F) {
	f.Add(golden)
	f.Add(`{"format":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		b, l := newStore(t)
		put(t, b, "runs/2026-11-22/"+goldenRun+"/MANIFEST.json", text)
		m, err := l.Manifest(ctx, day, goldenRun)
		switch {
		case err == nil && m.Check() != nil:
			t.Errorf("accepted a manifest that contradicts itself: %v", m.Check())
		case err != nil && !errors.Is(err, publish.ErrDamaged) && !errors.Is(err, publish.ErrNewer):
			t.Errorf("got %v", err)
		}
	})
}
