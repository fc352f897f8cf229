package objstore

import "errors"

// The kinds of failure that callers tell apart with errors.Is.
var (
	// ErrNotExist: there is no object under this key.
	ErrNotExist = errors.New("object does not exist")
	// ErrPrecondition: the object is there, or is not the generation asked for.
	ErrPrecondition = errors.New("the object is not in the expected state")
	// ErrChanged: the generation that was to be read is gone.
	ErrChanged = errors.New("object was replaced or removed since it was listed")
	// ErrPermission: the store does not let this user do it.
	ErrPermission = errors.New("permission denied")
	// ErrNoBucket: the bucket or root folder itself is missing.
	ErrNoBucket = errors.New("bucket or folder does not exist")
	// ErrNoSpace: the disk or the quota is full.
	ErrNoSpace = errors.New("no space left")
	// ErrChecksum: the bytes are not those that were written.
	ErrChecksum = errors.New("size or checksum differs")
	// ErrTooLarge: an object to be read at once is over its limit.
	ErrTooLarge = errors.New("object is too large")
	// ErrKey: no store of ours takes this key.
	ErrKey = errors.New("key is not allowed")
	// ErrUnsafe: the store ignores conditions, so two writers could both win.
	ErrUnsafe = errors.New("the store does not refuse what it must")
	// ErrScheme: the URL names a kind of store that is not supported.
	ErrScheme = errors.New("URL is not supported")
)

// Kind gives which of the kinds of this package err is of, or nil.
func Kind(err error) error {
	for _, kind := range []error{
		ErrNotExist, ErrPrecondition, ErrChanged, ErrPermission, ErrNoBucket, ErrNoSpace, ErrChecksum, ErrTooLarge, ErrKey, ErrScheme, ErrUnsafe,
	} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

func isAny(err error, kinds ...error) bool {
	for _, k := range kinds {
		if errors.Is(err, k) {
			return true
		}
	}
	return false
}
