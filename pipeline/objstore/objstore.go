// Package objstore is how everything above it reads and writes objects, on
// local files, in memory and in a cloud.
//
// A Driver is what one kind of store must do: four methods, with two promises
// that the publication protocol rests on. An object is created only if it is
// absent, and it is replaced only while it still has the generation that the
// writer has seen; in both cases exactly one of any number of racing writers
// wins, also between processes. Nothing is visible under its key before it is
// whole.
//
// A Bucket is what the rest of the program holds: a driver, a prefix and a URL
// to name things by in messages.
package objstore

import (
	"context"
	"io"
	"time"
)

// Attrs says what a store knows about one object without reading it, or names
// a folder: then Key ends in a slash and nothing else is set.
type Attrs struct {
	Key        string // with slashes, relative to the driver or bucket that gave it
	Size       int64  // bytes
	Generation string // opaque; another content under the same key has another one
	CRC32C     uint32 // Castagnoli, of the whole object; only if HasCRC32C
	HasCRC32C  bool
	Modified   time.Time // by the clock of the store
}

// Driver is what a store must do. Its methods may be called concurrently.
//
// Keys given to a driver have passed CheckKey. One key is never a folder of
// another (a and a/b): local stores cannot hold both.
//
// Errors are of the kinds of this package where one of them fits.
type Driver interface {
	// List yields the objects whose key begins with prefix, in byte order of
	// their keys. With folders it does not go below the first slash after the
	// prefix: it yields one folder in place of all objects below it. An error
	// of yield ends the listing and is returned.
	List(ctx context.Context, prefix string, folders bool, yield func(Attrs) error) error

	// Open reads length bytes from offset, or all the rest if length is
	// negative; the range lies within the object. A generation other than ""
	// is the only one to be read: where it is gone the error is ErrChanged.
	// The reader ends when ctx does; the caller closes it.
	Open(ctx context.Context, key, generation string, offset, length int64) (io.ReadCloser, error)

	// Put begins an object that becomes visible with Commit, if cond holds
	// at that moment.
	Put(ctx context.Context, key string, cond Condition) (Upload, error)

	// Delete removes an object if cond holds.
	Delete(ctx context.Context, key string, cond Condition) error
}

// Upload is an object on its way. It ends with Commit or Abort, and the caller
// owes it one of them. It is not safe for concurrent use.
type Upload interface {
	io.Writer

	// Commit makes the object visible, whole and durable, if its condition
	// holds (else ErrPrecondition) and if what arrived is what sum says (else
	// ErrChecksum). After an error of no kind of this package it may or may
	// not have happened. Nothing is left to abort, whatever it returns. The
	// attributes are those of the object just written.
	Commit(sum Checksum) (Attrs, error)

	// Abort leaves nothing behind. After Commit it does nothing.
	Abort()
}

// RandomAccess is what a driver may have besides: a way to read at any place
// of an object that is cheaper than one Open a range.
type RandomAccess interface {
	// OpenAt opens the generation of a; where that is gone the error is
	// ErrChanged.
	OpenAt(ctx context.Context, a Attrs) (ReaderAtCloser, error)
}

// ReaderAtCloser reads at any place of one object, from several goroutines at
// once.
type ReaderAtCloser interface {
	io.ReaderAt
	io.Closer
}

// Sweeper is what a driver has besides when a writer that dies leaves something
// behind.
type Sweeper interface {
	// Sweep removes what was left below prefix, "" or a folder, before the given
	// time, by the clock of the store, and counts it.
	Sweep(ctx context.Context, prefix string, before time.Time) (int, error)
}
