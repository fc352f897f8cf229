package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

// session is one execution of a program. It stands still while nobody answers.
type session struct {
	stores   *stores
	requests chan request
	answers  chan answer
	done     chan struct{}
	stopped  chan struct{}
	result   result
	own      string          // folder name of the run that the program works on
	aside    objstore.Driver // temporary objects, whose names nobody else knows

	mu   sync.Mutex
	seen *answer // the own run's objects as they were looked at since its last write
}

func (p *processes) start(g *program) *session {
	s := &session{
		stores: p.stores, requests: make(chan request), answers: make(chan answer),
		done: make(chan struct{}), stopped: make(chan struct{}), aside: mem.New(),
	}
	runs := 0
	newRun := func() string {
		runs++
		s.own = fmt.Sprintf("%s%0*d", g.letter, 26-len(g.letter), runs)
		return s.own
	}
	go func() {
		defer close(s.done)
		s.result = g.run(context.Background(), g, objstore.New(s, "store:"), newRun)
	}()
	return s
}

// next gives the next request of the program; false when it has finished.
func (s *session) next() (request, bool) {
	select {
	case r := <-s.requests:
		return r, true
	case <-s.done:
		return request{}, false
	}
}

// stop makes everything that the program asks fail, and waits for its end.
func (s *session) stop() {
	close(s.stopped)
	<-s.done
}

var (
	errBroken  = errors.New("connection reset")
	errStopped = errors.New("stopped")
)

// errors gives the failures as a driver says them.
func (f failure) err() error {
	switch f {
	case none:
		return nil
	case notExist:
		return objstore.ErrNotExist
	case precondition:
		return objstore.ErrPrecondition
	case changed:
		return objstore.ErrChanged
	case denied:
		return objstore.ErrPermission
	}
	return errBroken
}

// ask hands a request to the explorer and waits for the answer. A program asks one
// thing at a time, but for its own run, of which a look answers everything until
// its next write.
func (s *session) ask(r request) (answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.writes() {
		s.seen = nil
	} else if folder, ok := s.ownFolder(r.key); ok {
		return s.lookAt(folder, r)
	}
	return s.send(r)
}

func (s *session) send(r request) (answer, error) {
	select {
	case s.requests <- r:
	case <-s.stopped:
		return answer{}, errStopped
	}
	select {
	case a := <-s.answers:
		return a, a.failure.err()
	case <-s.stopped:
		return answer{}, errStopped
	}
}

// ownFolder gives the folder of the program's own run where key lies in it.
func (s *session) ownFolder(key string) (string, bool) {
	before, _, below := strings.Cut(key, "/"+s.own+"/")
	return before + "/" + s.own + "/", s.own != "" && below && strings.HasPrefix(key, "runs/")
}

func (s *session) lookAt(folder string, r request) (answer, error) {
	if s.seen == nil {
		a, err := s.send(request{op: look, key: folder})
		if errors.Is(err, errStopped) {
			return a, err
		}
		s.seen = &a
	}
	if err := s.seen.failure.err(); err != nil {
		return answer{}, err
	}
	if r.op == list {
		return answer{objects: s.stores.listed(s.seen.objects, r.key, r.folders)}, nil
	}
	i := s.stores.find(s.seen.objects, r.key)
	if i < 0 || s.seen.objects[i].content != r.content {
		return answer{}, objstore.ErrChanged
	}
	return answer{objects: s.seen.objects[i : i+1]}, nil
}

// generation is what a driver calls a content.
func generation(content int32) string { return strconv.Itoa(int(content)) }

var written = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *session) attrs(o object) objstore.Attrs {
	key := s.stores.keys.values[o.key]
	if o.content == 0 {
		return objstore.Attrs{Key: key}
	}
	sum := objstore.ChecksumOf([]byte(s.stores.contents.values[o.content]))
	return objstore.Attrs{
		Key: key, Size: sum.Size, Generation: generation(o.content), CRC32C: sum.CRC32C, HasCRC32C: true, Modified: written,
	}
}

// List implements objstore.Driver.
func (s *session) List(_ context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	a, err := s.ask(request{op: list, key: prefix, folders: folders})
	if err != nil {
		return err
	}
	for _, o := range a.objects {
		if err := yield(s.attrs(o)); err != nil {
			return err
		}
	}
	return nil
}

// Open implements objstore.Driver.
func (s *session) Open(_ context.Context, key, generation string, offset, length int64) (io.ReadCloser, error) {
	content, _ := strconv.Atoi(generation)
	a, err := s.ask(request{op: open, key: key, content: int32(content)})
	if err != nil {
		return nil, err
	}
	data := s.stores.contents.values[a.objects[0].content][offset:]
	if length >= 0 {
		data = data[:length]
	}
	return io.NopCloser(strings.NewReader(data)), nil
}

// Put implements objstore.Driver.
func (s *session) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	if isTemporary(key) {
		return s.aside.Put(ctx, key, cond)
	}
	return &upload{session: s, request: request{op: write, key: key, cond: cond}}, nil
}

// Delete implements objstore.Driver.
func (s *session) Delete(ctx context.Context, key string, cond objstore.Condition) error {
	if isTemporary(key) {
		return s.aside.Delete(ctx, key, cond)
	}
	_, err := s.ask(request{op: remove, key: key, cond: cond})
	return err
}

func isTemporary(key string) bool { return strings.Contains(key, "/"+objstore.TemporaryPrefix) }

type upload struct {
	bytes.Buffer
	session *session
	request request
}

// Commit implements objstore.Upload.
func (u *upload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	if err := objstore.ChecksumOf(u.Bytes()).Check(sum); err != nil {
		return objstore.Attrs{}, err
	}
	u.request.content = u.session.stores.contents.of(u.String())
	a, err := u.session.ask(u.request)
	if err != nil {
		return objstore.Attrs{}, err
	}
	return u.session.attrs(a.objects[0]), nil
}

// Abort implements objstore.Upload.
func (u *upload) Abort() {}
