package objstoretest

import (
	"context"
	"errors"

	"github.com/churntier/churntier/pipeline/objstore"
)

// losing is a store of which every answer to a commit is lost.
type losing struct{ objstore.Driver }

var errLost = errors.New("the answer was lost")

func (l losing) Put(ctx context.Context, key string, cond objstore.Condition) (objstore.Upload, error) {
	u, err := l.Driver.Put(ctx, key, cond)
	return losingUpload{u}, err
}

type losingUpload struct{ objstore.Upload }

func (u losingUpload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	_, err := u.Upload.Commit(sum)
	return objstore.Attrs{}, errors.Join(err, errLost)
}

// lostReply: a bucket finds out that its commit took effect; who creates a
// small object finds his own there.
func lostReply(s store) {
	bucket := objstore.New(losing{s.driver}, "test")
	for key, data := range map[string]string{"runs/1/small": "data", "runs/1/large": random()} {
		w, err := bucket.Create(s.ctx(), key)
		if err != nil {
			s.Fatal(err)
		}
		if _, err := w.Write([]byte(data)); err != nil {
			s.Fatal(err)
		}
		written, err := w.Commit()
		if err != nil {
			s.Errorf("commit of %s: %v", key, err)
		}
		if got, err := s.read(key, written.Generation, 0, -1); got != data || err != nil {
			s.Errorf("%s: got %s, %v, expected %s", key, brief(got), err, brief(data))
		}
	}
	_, err := bucket.CreateBytes(s.ctx(), "commits/0", []byte("entry"))
	s.wantKind("create whose answer is lost", err, errLost)
	if data, _, err := bucket.Read(s.ctx(), "commits/0", 10); string(data) != "entry" || err != nil {
		s.Errorf("the created object reads as %q, %v", data, err)
	}
	_, err = bucket.CreateBytes(s.ctx(), "commits/0", []byte("other"))
	s.wantKind("create again", err, objstore.ErrPrecondition)
}
