package forest

import (
	"errors"
	"fmt"
)

var (
	// ErrFormat is the kind of every error about a file that is cut off,
	// damaged, or contradicts itself.
	ErrFormat = errors.New("broken model file")

	// ErrUnsupported is the kind of every error about a file that may be right,
	// but holds a model that this package does not evaluate. Its text says what
	// to do.
	ErrUnsupported = errors.New("unsupported model")
)

// fault is an error whose text need not repeat its kind.
type fault struct {
	kind error
	text string
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.kind }

func broken(format string, args ...any) error {
	return &fault{ErrFormat, fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &fault{ErrUnsupported, fmt.Sprintf(format, args...)}
}

// within puts the place where an error arose in front of it.
func within(place string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", clip(place), err)
}

// clip shortens a text taken from a file to what belongs into an error.
func clip[T ~string | ~[]byte](text T) string {
	const most = 60
	if len(text) > most {
		return string(text[:most]) + "..."
	}
	return string(text)
}
