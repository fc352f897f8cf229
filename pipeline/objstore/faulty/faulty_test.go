package faulty_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/file"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/objstore/objstoretest"
)

func nothing(faulty.Operation) faulty.Fault { return faulty.None }

func TestWithoutAFaultItIsTheStore(t *testing.T) {
	for name, open := range map[string]func(*testing.T) objstore.Driver{
		"mem":  func(*testing.T) objstore.Driver { return mem.New() },
		"file": func(t *testing.T) objstore.Driver { return file.New(t.TempDir()) },
	} {
		t.Run(name, func(t *testing.T) {
			objstoretest.Run(t, func(t *testing.T) objstore.Driver {
				return faulty.NewProcess(nothing).Store("store", open(t))
			}, objstoretest.Options{})
		})
	}
}

// under gives a bucket with the object a, whose next operation of a kind meets a
// fault, and what is really there.
func under(t *testing.T, d objstore.Driver, kind string, what faulty.Fault) (*faulty.Process, *objstore.Bucket, *objstore.Bucket) {
	t.Helper()
	there := objstore.New(d, "test")
	if _, err := there.CreateBytes(t.Context(), "a", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	p := faulty.Once(what, func(o faulty.Operation) bool { return o.Kind == kind })
	return p, objstore.New(p.Store("store", d), "test"), there
}

func holds(t *testing.T, b *objstore.Bucket, key string) bool {
	t.Helper()
	_, err := b.Stat(t.Context(), key)
	if err != nil && !errors.Is(err, objstore.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func TestWrites(t *testing.T) {
	for _, c := range []struct {
		what    faulty.Fault
		told    error
		happens bool
		landed  bool
	}{
		{faulty.Error, faulty.ErrReset, false, false},
		{faulty.Lost, faulty.ErrReset, true, true},
		{faulty.CrashBefore, faulty.ErrCrashed, false, false},
		{faulty.CrashAfter, faulty.ErrCrashed, true, true},
		{faulty.Delay, context.DeadlineExceeded, false, true},
		{faulty.Refused, objstore.ErrPrecondition, false, false},
		{faulty.Answer(objstore.ErrNoSpace), objstore.ErrNoSpace, false, false},
	} {
		for name, d := range map[string]objstore.Driver{"mem": mem.New(), "file": file.New(t.TempDir())} {
			ctx, leave := context.WithCancel(t.Context())
			p, b, there := under(t, d, faulty.Put, c.what)
			_, err := b.CreateBytes(ctx, "new", []byte("data"))
			leave()
			if !errors.Is(err, c.told) || holds(t, there, "new") != c.happens {
				t.Errorf("%s: put, %s: %v, and it is there: %v", name, c.what, err, !c.happens)
			}
			if p.Land(); holds(t, there, "new") != c.landed {
				t.Errorf("%s: put, %s: later it is there: %v", name, c.what, !c.landed)
			}
			_, b, there = under(t, mem.New(), faulty.Delete, c.what)
			if err := b.Delete(t.Context(), "a", objstore.Any); !errors.Is(err, c.told) || holds(t, there, "a") == c.happens {
				t.Errorf("%s: delete, %s: %v, and it happened: %v", name, c.what, err, !c.happens)
			}
		}
	}
}

// What lands late still has its condition.
func TestDelayedWriteThatComesTooLate(t *testing.T) {
	p, b, there := under(t, mem.New(), faulty.Put, faulty.Delay)
	if _, err := b.CreateBytes(t.Context(), "new", []byte("first")); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if _, err := there.CreateBytes(t.Context(), "new", []byte("second")); err != nil {
		t.Fatal(err)
	}
	p.Land()
	if data, _, err := there.Read(t.Context(), "new", 100); err != nil || string(data) != "second" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestBytesThatArriveOtherwise(t *testing.T) {
	for name, d := range map[string]objstore.Driver{"mem": mem.New(), "file": file.New(t.TempDir())} {
		_, b, there := under(t, d, faulty.Put, faulty.FlippedBit)
		if _, err := b.CreateBytes(t.Context(), "new", []byte("data")); !errors.Is(err, objstore.ErrChecksum) || holds(t, there, "new") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReads(t *testing.T) {
	for _, c := range []struct {
		what faulty.Fault
		want string
		err  error
	}{
		{faulty.None, "0123456789", nil},
		{faulty.ShortRead, "01234", nil},
		{faulty.CutRead, "01234", io.ErrUnexpectedEOF},
		{faulty.FlippedBit, "0123446789", nil},
	} {
		for name, d := range map[string]objstore.Driver{"mem": mem.New(), "file": file.New(t.TempDir())} {
			p, _, _ := under(t, d, faulty.Open, c.what)
			r, err := p.Store("store", d).Open(t.Context(), "a", "", 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if string(data) != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s: %s: %q, %v", name, c.what, data, err)
			}
		}
	}
}

func TestReadsAtAPlace(t *testing.T) {
	for _, c := range []struct {
		what faulty.Fault
		want string
		err  error
	}{
		{faulty.None, "2345", nil}, {faulty.ShortRead, "23", io.EOF}, {faulty.CutRead, "23", io.ErrUnexpectedEOF},
		{faulty.FlippedBit, "2355", nil}, {faulty.Error, "", faulty.ErrReset},
	} {
		d := file.New(t.TempDir())
		_, _, there := under(t, d, faulty.Put, faulty.None)
		a, err := there.Stat(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		p := faulty.Once(c.what, func(o faulty.Operation) bool { return o.Offset == 2 })
		r, err := p.Store("store", d).(objstore.RandomAccess).OpenAt(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4)
		n, err := r.ReadAt(got, 2)
		if string(got[:n]) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v", c.what, got[:n], err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// After a crash nothing reaches any store of the process, and nothing tidies up.
func TestCrash(t *testing.T) {
	d, folder := mem.New(), t.TempDir()
	local := file.New(folder)
	p := faulty.Once(faulty.CrashBefore, func(o faulty.Operation) bool { return o.Kind == faulty.Put })
	one, two := objstore.New(p.Store("one", local), "test"), objstore.New(p.Store("two", d), "test")
	for _, b := range []*objstore.Bucket{one, two} {
		if _, err := b.CreateBytes(t.Context(), "a", []byte("data")); !errors.Is(err, faulty.ErrCrashed) {
			t.Errorf("put: %v", err)
		}
		if _, err := b.List(t.Context(), ""); !errors.Is(err, faulty.ErrCrashed) {
			t.Errorf("list: %v", err)
		}
		if _, err := b.OpenAt(t.Context(), objstore.Attrs{Key: "a"}); b == one && !errors.Is(err, faulty.ErrCrashed) {
			t.Errorf("open: %v", err)
		}
	}
	if n, err := one.Sweep(t.Context(), time.Now()); n != 0 || !errors.Is(err, faulty.ErrCrashed) {
		t.Errorf("sweep: %d, %v", n, err)
	}
	after := time.Now().Add(time.Hour)
	if n, err := objstore.New(local, "test").Sweep(t.Context(), after); n != 1 || err != nil {
		t.Errorf("%d temporary files were left, want one: %v", n, err)
	}
	if ops := p.Operations(); len(ops) != 1 || ops[0].String() != `one: put "a" #1` {
		t.Errorf("operations %v", ops)
	}
}
