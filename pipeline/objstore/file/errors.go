package file

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/churntier/churntier/pipeline/objstore"
)

// kind puts an error of the operating system under the kind that it is of.
func kind(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w", objstore.ErrPermission, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", objstore.ErrNoSpace, err)
	}
	return err
}

// kindOfRead is kind where a missing name, or a file in place of one of its
// folders, means that there is no such object.
func kindOfRead(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%w: %w", objstore.ErrNotExist, err)
	}
	return kind(err)
}
