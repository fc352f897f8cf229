package audience

import (
	"errors"
	"fmt"
)

// Kinds of failure, for errors.Is.
var (
	// ErrColumn: the layout asks for what the snapshot does not hold.
	ErrColumn = errors.New("column cannot be written")
	// ErrValue: null where none may be, or a value outside the type's range.
	ErrValue = errors.New("value cannot be written")
	// ErrText: a text whose bytes are not UTF-8.
	ErrText = errors.New("text is not valid UTF-8")
	// ErrFormula: a text that begins with = + - @ TAB or CR.
	ErrFormula = errors.New("text that a spreadsheet would run")
	// ErrOption: a compression or formula rule that does not exist.
	ErrOption = errors.New("option is unknown")
	// ErrDamaged: a written file, read again, does not hold what it should.
	ErrDamaged = errors.New("file does not hold what it should")

	errClosed = errors.New("write to an encoder that was closed")
	errBlock  = errors.New("rows and values of a block do not fit")
)

// RowError is a value that cannot be written. It never shows the value.
type RowError struct {
	Column string // the written column
	Row    int32  // index into the block
	Err    error  // ErrValue, ErrText or ErrFormula, with what was found
}

func (e *RowError) Error() string {
	return fmt.Sprintf("column %q: row %d of the block: %v", e.Column, e.Row, e.Err)
}

// Unwrap gives the kind of failure.
func (e *RowError) Unwrap() error { return e.Err }

func badValue(row int32, found string) error {
	return &RowError{Row: row, Err: fmt.Errorf("%w: %s", ErrValue, found)}
}

// inColumn names the column of a RowError that does not know it yet.
func inColumn(name string, err error) error {
	var e *RowError
	if errors.As(err, &e) && e.Column == "" {
		e.Column = name
	}
	return err
}

// recovered runs f and gives its error, or its panic as one: what arrow-go
// cannot take ends a shard, not the process.
func recovered(f func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case error:
			err = fmt.Errorf("encoder stopped: %w", p)
		default:
			err = fmt.Errorf("encoder stopped: %v", p)
		}
	}()
	return f()
}

// latch keeps the first failure of an encoder.
type latch struct{ err error }

// guard runs f, unless it has failed before.
func (l *latch) guard(f func() error) error {
	if l.err == nil {
		l.err = recovered(f)
	}
	return l.err
}
