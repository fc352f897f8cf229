package jobs

import "errors"

// ErrUsage says that the command line asks for something that cannot be: a date
// that is none, a model file that is not there.
var ErrUsage = errors.New("usage")
