package retry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/objstore/objstoretest"
	"github.com/churntier/churntier/pipeline/objstore/retry"
)

var errReset = errors.New("connection reset by peer")

// quick is patience for stores that are meant to fail.
var quick = retry.Patience{Silence: time.Minute, Tries: 3, Pause: time.Microsecond, Total: time.Minute}

// silent gives up at once where a store says nothing.
var silent = retry.Patience{Silence: 10 * time.Millisecond, Tries: 3, Pause: time.Microsecond, Total: time.Minute}

func TestConformance(t *testing.T) {
	objstoretest.Run(t, func(*testing.T) objstore.Driver { return retry.New(mem.New()) }, objstoretest.Options{})
}

// scripted is a store in memory on which each operation first meets what its
// script says: nil lets it pass.
type scripted struct {
	*mem.Driver
	before []error // of operations, in turn
	bodies []func(io.ReadCloser) io.ReadCloser
	calls  []string
	after  error // the answer to a delete or a commit, which was applied
	hang   bool  // an operation waits for the end of its context
}

func (s *scripted) next(ctx context.Context, call string) error {
	s.calls = append(s.calls, call)
	if s.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if len(s.before) == 0 {
		return nil
	}
	err := s.before[0]
	s.before = s.before[1:]
	return err
}

func (s *scripted) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	if err := s.next(ctx, "list"); err != nil {
		return err
	}
	if err := s.Driver.List(ctx, prefix, folders, yield); err != nil {
		return err
	}
	return s.after
}

func (s *scripted) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	if err := s.next(ctx, "open"); err != nil {
		return nil, err
	}
	r, err := s.Driver.Open(ctx, key, generation, offset, length)
	if err == nil && len(s.bodies) > 0 {
		r, s.bodies = s.bodies[0](r), s.bodies[1:]
	}
	return r, err
}

func (s *scripted) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	if err := s.next(ctx, "put"); err != nil {
		return nil, err
	}
	u, err := s.Driver.Put(ctx, key, cond)
	return scriptedUpload{u, s, ctx}, err
}

type scriptedUpload struct {
	objstore.Upload
	store *scripted
	ctx   context.Context
}

func (u scriptedUpload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	a, err := u.Upload.Commit(sum)
	return a, errors.Join(err, u.store.next(u.ctx, "commit"))
}

func (s *scripted) Delete(ctx context.Context, key string, cond objstore.Condition) error {
	if err := s.next(ctx, "delete"); err != nil {
		return err
	}
	err := s.Driver.Delete(ctx, key, cond)
	after := s.after
	s.after = nil
	return errors.Join(err, after)
}

// filled gives a store with one object of ten digits.
func filled(t *testing.T) (*scripted, objstore.Attrs) {
	t.Helper()
	s := &scripted{Driver: mem.New()}
	w, err := objstore.New(s.Driver, "test").CreateBytes(t.Context(), "digits", []byte("0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	return s, objstore.Attrs{Key: "digits", Size: 10, Generation: w.Generation, CRC32C: w.CRC32C, HasCRC32C: true}
}

func (s *scripted) wantCalls(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(s.calls, " "); got != want {
		t.Errorf("the store was asked %q, expected %q", got, want)
	}
}

func TestListAndOpenAreRepeated(t *testing.T) {
	s, a := filled(t)
	b := objstore.New(retry.With(s, quick), "test")
	before := retry.Retries()
	s.before = []error{errReset, errReset}
	if listed, err := b.List(t.Context(), ""); err != nil || len(listed) != 1 {
		t.Errorf("listed %v, %v", listed, err)
	}
	s.before = []error{errReset, errReset}
	if data, _, err := b.Read(t.Context(), a.Key, 10); err != nil || string(data) != "0123456789" {
		t.Errorf("read %q, %v", data, err)
	}
	s.wantCalls(t, "list list list list list list open")
	if n := retry.Retries() - before; n != 4 {
		t.Errorf("counted %d retries, expected 4", n)
	}
}

func TestPatienceEnds(t *testing.T) {
	s, a := filled(t)
	b := objstore.New(retry.With(s, quick), "test")
	for what, do := range map[string]func() error{
		"list test":        func() error { _, err := b.List(t.Context(), ""); return err },
		"read test/digits": func() error { _, err := b.Open(t.Context(), a); return err },
		"delete test/digits": func() error {
			return b.Delete(t.Context(), a.Key, objstore.IfGeneration(a.Generation))
		},
	} {
		s.before = []error{errReset, errReset, errReset}
		err := do()
		if !errors.Is(err, errReset) || err.Error() != what+": connection reset by peer (tried 3 times)" {
			t.Errorf("got %v", err)
		}
	}
}

// What has a kind is an answer, and another try would hear it again.
func TestAnswersAreNotRepeated(t *testing.T) {
	for _, answer := range []error{objstore.ErrPermission, objstore.ErrNoBucket, objstore.ErrChanged} {
		s, _ := filled(t)
		s.before = []error{answer}
		if _, err := objstore.New(retry.With(s, quick), "test").List(t.Context(), ""); !errors.Is(err, answer) {
			t.Errorf("got %v, expected %v", err, answer)
		}
		s.wantCalls(t, "list")
	}
}

// A listing of which something was given away cannot begin again.
func TestListingThatBreaksOffFails(t *testing.T) {
	s, _ := filled(t)
	s.after = errReset
	err := retry.With(s, quick).List(t.Context(), "", false, func(objstore.Attrs) error { return nil })
	if !errors.Is(err, errReset) {
		t.Errorf("got %v, expected %v", err, errReset)
	}
	s.wantCalls(t, "list")
}

func TestCallerEndsTheTries(t *testing.T) {
	s, _ := filled(t)
	ctx, cancel := context.WithCancel(t.Context())
	patient := quick
	patient.Pause, patient.Total = time.Minute, 24*time.Hour
	s.before = []error{errReset}
	d := retry.With(stopping{s, cancel}, patient)
	if err := d.List(ctx, "", false, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, expected %v", err, context.Canceled)
	}
}

// stopping is a store whose caller gives up after the first operation.
type stopping struct {
	*scripted
	stop func()
}

func (s stopping) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	defer time.AfterFunc(time.Millisecond, s.stop)
	return s.scripted.List(ctx, prefix, folders, yield)
}

// broken gives n bytes of a body, then err.
func broken(n int64, err error) func(io.ReadCloser) io.ReadCloser {
	return func(r io.ReadCloser) io.ReadCloser {
		ending := io.MultiReader(io.LimitReader(r, n), failing{err})
		return struct {
			io.Reader
			io.Closer
		}{ending, r}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestBodyGoesOnWhereItBrokeOff(t *testing.T) {
	for _, r := range []struct {
		offset, length int64
		want           string
	}{{0, -1, "0123456789"}, {2, 7, "2345678"}} {
		s, a := filled(t)
		before := retry.Retries()
		s.bodies = []func(io.ReadCloser) io.ReadCloser{broken(3, errReset), broken(0, errReset), broken(2, io.ErrUnexpectedEOF)}
		body, err := retry.With(s, quick).Open(t.Context(), a.Key, a.Generation, r.offset, r.length)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		if string(got) != r.want || err != nil {
			t.Errorf("got %q, %v, expected %q", got, err, r.want)
		}
		s.wantCalls(t, "open open open open")
		if n := retry.Retries() - before; n != 3 {
			t.Errorf("counted %d retries, expected 3", n)
		}
	}
}

// A body that ends before its range does is not whole.
func TestShortBodyIsNotWhole(t *testing.T) {
	s, a := filled(t)
	s.bodies = []func(io.ReadCloser) io.ReadCloser{broken(3, io.EOF)}
	d := retry.With(s, quick)
	body, err := d.Open(t.Context(), a.Key, a.Generation, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); string(got) != "0123456789" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	s.bodies = []func(io.ReadCloser) io.ReadCloser{broken(3, io.EOF)}
	if body, err = d.Open(t.Context(), a.Key, "", 0, 10); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("without a generation: got %q, %v, expected %v", got, err, io.ErrUnexpectedEOF)
	}
}

// The rest of another generation is not the rest of this one.
func TestReplacedWhileItWasRead(t *testing.T) {
	s, a := filled(t)
	s.bodies = []func(io.ReadCloser) io.ReadCloser{broken(3, errReset)}
	body, err := retry.With(s, quick).Open(t.Context(), a.Key, a.Generation, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := objstore.New(s.Driver, "test").Replace(t.Context(), a.Key, []byte("abcdefghij"), a.Generation); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if string(got) != "012" || !errors.Is(err, objstore.ErrChanged) {
		t.Errorf("got %q, %v, expected %v", got, err, objstore.ErrChanged)
	}
	if _, err := body.Read(make([]byte, 1)); err == nil {
		t.Error("the reader goes on after it failed")
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
}

func TestBodyThatBreaksForEverEnds(t *testing.T) {
	s, a := filled(t)
	for range 10 {
		s.bodies = append(s.bodies, broken(0, errReset))
	}
	body, err := retry.With(s, quick).Open(t.Context(), a.Key, a.Generation, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(body); !errors.Is(err, errReset) {
		t.Errorf("got %v, expected %v", err, errReset)
	}
	s.wantCalls(t, "open open open")
}

func TestDelete(t *testing.T) {
	s, a := filled(t)
	d := retry.With(s, quick)
	s.before = []error{errReset}
	if err := d.Delete(t.Context(), a.Key, objstore.Any); !errors.Is(err, errReset) {
		t.Errorf("without a generation: got %v, expected %v", err, errReset)
	}
	s.after = errReset // applied, and the answer is lost
	if err := d.Delete(t.Context(), a.Key, objstore.IfGeneration(a.Generation)); err != nil {
		t.Errorf("with a generation: %v", err)
	}
	s.wantCalls(t, "delete delete delete")
	err := d.Delete(t.Context(), a.Key, objstore.IfGeneration(a.Generation))
	if !errors.Is(err, objstore.ErrNotExist) {
		t.Errorf("again: got %v, expected %v", err, objstore.ErrNotExist)
	}
}

// An operation that hears nothing fails, and not as if its caller had ended it.
func TestSilence(t *testing.T) {
	s, a := filled(t)
	d := retry.With(s, silent)
	u, err := d.Put(t.Context(), "new", objstore.Absent)
	if err != nil {
		t.Fatal(err)
	}
	s.hang = true
	_, open := d.Open(t.Context(), a.Key, a.Generation, 0, -1)
	_, put := d.Put(t.Context(), "other", objstore.Absent)
	_, commit := u.Commit(objstore.Checksum{})
	for what, err := range map[string]error{
		"list": d.List(t.Context(), "", false, nil), "open": open, "put": put, "commit": commit,
		"delete": d.Delete(t.Context(), a.Key, objstore.Any),
	} {
		if err == nil || !strings.Contains(err.Error(), "did not answer for") || errors.Is(err, context.Canceled) ||
			objstore.Kind(err) != nil {
			t.Errorf("%s: got %v, expected that the store did not answer", what, err)
		}
	}
}

// The writer above reads back what became of a commit without an answer.
func TestSilentCommitIsReadBack(t *testing.T) {
	s, _ := filled(t)
	w, err := objstore.New(retry.With(silentCommits{s}, silent), "test").Create(t.Context(), "part")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, bytes.NewReader([]byte("data"))); err != nil {
		t.Fatal(err)
	}
	if written, err := w.Commit(); err != nil || written.Size != 4 {
		t.Errorf("got %+v, %v", written, err)
	}
}

type silentCommits struct{ *scripted }

func (s silentCommits) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	u, err := s.Driver.Put(ctx, key, cond)
	return scriptedUpload{u, &scripted{hang: true}, ctx}, err
}

func TestStalledBody(t *testing.T) {
	s, a := filled(t)
	d := retry.With(stallingOnce{s, new(bool)}, silent)
	body, err := d.Open(t.Context(), a.Key, a.Generation, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); string(got) != "0123456789" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	s.wantCalls(t, "open open")
}

// stallingOnce is a store whose first body says nothing after three bytes.
type stallingOnce struct {
	*scripted
	stalled *bool
}

func (s stallingOnce) Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	r, err := s.scripted.Open(ctx, key, generation, offset, length)
	if err != nil || *s.stalled {
		return r, err
	}
	*s.stalled = true
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(r, 3), hanging{ctx}), r}, nil
}

type hanging struct{ ctx context.Context }

func (h hanging) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}
