package spill

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// spilled gives a store whose every record is in its file.
func spilled(t testing.TB, o Options) (*Store, error) {
	o.Partitions, o.Buffer = 2, 100
	s := newStore(t, o)
	w := s.Writer()
	for i := range 100 {
		if err := put(w, i%2, framed(byte(i), 50)); err != nil {
			_ = w.Close()
			return s, err
		}
	}
	return s, w.Close()
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	s, err := spilled(t, Options{Temp: dir})
	if err != nil {
		t.Fatal(err)
	}
	assertEmpty(t, dir) // also while it is in use: a killed process leaves nothing
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	assertEmpty(t, dir)
	if err := s.Close(); err != nil {
		t.Fatalf("second Close: %v", err)
	}
}

func assertEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Fatalf("%d files left in the temp folder, first %s", len(entries), entries[0].Name())
	}
}

func TestTheNameIsRemovedOnCloseWhereItMustStay(t *testing.T) {
	dir := t.TempDir()
	f, err := os.CreateTemp(dir, "churntier-")
	if err != nil {
		t.Fatal(err)
	}
	if err := (named{f}).Close(); err != nil {
		t.Fatal(err)
	}
	assertEmpty(t, dir)
}

func TestTheTempFolderCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	locked := filepath.Join(dir, "locked")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(locked, 0o500)); err != nil {
		t.Fatal(err)
	}
	type caseOf struct {
		temp string
		kind error
	}
	cases := map[string]caseOf{
		"missing":      {filepath.Join(dir, "missing"), fs.ErrNotExist},
		"not a folder": {file, syscall.ENOTDIR},
	}
	if os.Geteuid() != 0 { // who may write everywhere; the command's tests become another user
		cases["not writable"] = caseOf{locked, fs.ErrPermission}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := spilled(t, Options{Temp: c.temp})
			assertTempError(t, err, c.temp, c.kind)
			_, err = Create(c.temp)
			assertTempError(t, err, c.temp, c.kind)
		})
	}
}

func assertTempError(t *testing.T, err error, dir string, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got %v, want %v", err, kind)
	}
	if !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "--temp") || strings.Contains(err.Error(), "churntier-") {
		t.Fatalf("message %q: want the folder and --temp, not the file's name", err)
	}
}

// limited is a disk that is full after some bytes, and fails where told.
type limited struct {
	*os.File
	left     int
	truncate error
}

func (l *limited) WriteAt(p []byte, offset int64) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, &fs.PathError{Op: "write", Path: l.Name(), Err: syscall.ENOSPC}
	}
	return l.File.WriteAt(p, offset)
}

func (l *limited) Truncate(size int64) error {
	if l.truncate != nil {
		return l.truncate
	}
	return l.File.Truncate(size)
}

// limit gives a way to create a disk with room for n bytes.
func limit(n int, last **limited) func(string) (disk, error) {
	return func(dir string) (disk, error) {
		d, err := createUnnamed(dir)
		if err != nil {
			return nil, err
		}
		*last = &limited{File: d.(*os.File), left: n}
		return *last, nil
	}
}

func TestAFullDiskIsReportedByWriterAndReader(t *testing.T) {
	dir := t.TempDir()
	var d *limited
	s, err := spilled(t, Options{Temp: dir, create: limit(1000, &d)})
	assertTempError(t, err, dir, syscall.ENOSPC)
	err = s.Each(context.Background(), 0, func([]byte) error { return nil })
	assertTempError(t, err, dir, syscall.ENOSPC)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	assertEmpty(t, dir)
}

func TestAFullDiskIsReportedByClose(t *testing.T) {
	var d *limited
	dir := t.TempDir()
	s := newStore(t, Options{Partitions: 1, Buffer: 100, Temp: dir, create: limit(10, &d)})
	w := s.Writer()
	if err := put(w, 0, framed('a', 20)); err != nil {
		t.Fatal(err)
	}
	assertTempError(t, w.Close(), dir, syscall.ENOSPC)
}

func TestDamageOnTheDiskIsFound(t *testing.T) {
	for _, offset := range []int64{0, 8, 16, headerSize, 1000} {
		var d *limited
		s, err := spilled(t, Options{Temp: t.TempDir(), create: limit(1<<20, &d)})
		if err != nil {
			t.Fatal(err)
		}
		flip(t, d.File, offset)
		err = errors.Join(
			s.Each(context.Background(), 0, func([]byte) error { return nil }),
			s.Each(context.Background(), 1, func([]byte) error { return nil }))
		if !errors.Is(err, ErrDamaged) {
			t.Fatalf("bit flipped at %d: got %v, want ErrDamaged", offset, err)
		}
	}
}

func flip(t *testing.T, f *os.File, offset int64) {
	t.Helper()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, offset); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 4
	if _, err := f.WriteAt(b, offset); err != nil {
		t.Fatal(err)
	}
}

func TestATruncatedFileIsFound(t *testing.T) {
	var d *limited
	dir := t.TempDir()
	s, err := spilled(t, Options{Temp: dir, create: limit(1<<20, &d)})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.File.Truncate(500); err != nil {
		t.Fatal(err)
	}
	err = s.Each(context.Background(), 0, func([]byte) error { return nil })
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Fatalf("got %v, want an error that names %s", err, dir)
	}
}

func TestReadingStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	stop := errors.New("stop")
	for _, held := range []int64{0, 1 << 20} {
		s, err := spilled(t, Options{Held: held, Temp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Each(ctx, 0, func([]byte) error { return stop }); !errors.Is(err, stop) {
			t.Fatalf("got %v, want the error of yield", err)
		}
	}
	cancel()
	for _, held := range []int64{0, 1 << 20} {
		s, err := spilled(t, Options{Held: held, Temp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Each(ctx, 0, func([]byte) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want context.Canceled", err)
		}
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(10); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("abc"), 4); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	if _, err := f.ReadAt(got, 0); err != nil || string(got) != "\x00\x00\x00\x00abc\x00\x00\x00" {
		t.Fatalf("read %q, %v", got, err)
	}
	if _, err := f.ReadAt(got, 1); err == nil {
		t.Fatal("a short read was no error")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, fs.ErrClosed) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("second Close: %v", err)
	}
	broken := &File{dir: dir, disk: &limited{truncate: syscall.ENOSPC}}
	assertTempError(t, broken.Truncate(5), dir, syscall.ENOSPC)
	assertEmpty(t, dir)
}
