package file

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

const lockPoll = 2 * time.Millisecond

// lock keeps every other process and goroutine from replacing or deleting
// objects of one folder, until unlock. It locks the folder itself: no other
// file is needed, and the lock ends with the process that holds it.
func lock(ctx context.Context, root *os.Root, folder string) (unlock func(), err error) {
	f, err := root.Open(folder)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { closeRead(f) }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(&os.PathError{Op: "lock", Path: f.Name(), Err: err}, f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(lockPoll):
		}
	}
}
