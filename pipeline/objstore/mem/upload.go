package mem

import (
	"context"
	"errors"

	"github.com/churntier/churntier/pipeline/objstore"
)

type upload struct {
	ctx    context.Context
	driver *Driver
	key    string
	cond   objstore.Condition
	data   []byte
	ended  bool
}

var errEnded = errors.New("the upload has ended")

func (u *upload) Write(p []byte) (int, error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	u.data = append(u.data, p...)
	return len(p), nil
}

func (u *upload) Commit(sum objstore.Checksum) (objstore.Attrs, error) {
	if err := u.usable(); err != nil {
		return objstore.Attrs{}, err
	}
	u.ended = true
	if err := objstore.ChecksumOf(u.data).Check(sum); err != nil {
		return objstore.Attrs{}, err
	}
	return u.driver.store(u.key, u.cond, u.data, sum)
}

func (u *upload) Abort() { u.ended = true }

func (u *upload) usable() error {
	if u.ended {
		return errEnded
	}
	return u.ctx.Err()
}
