package objstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
)

// Written is what a finished write put there.
type Written struct {
	Key        string
	Size       int64  // bytes
	SHA256     string // hex
	CRC32C     uint32
	Generation string
}

// Create begins an object under a key that nobody else writes, such as one
// below a fresh run. It becomes visible with Commit, if nothing is there then.
func (b *Bucket) Create(ctx context.Context, key string) (*Writer, error) {
	return b.put(ctx, key, Absent)
}

// CreateBytes writes a small object if nothing is there, else ErrPrecondition.
// A reply may get lost: after ErrPrecondition, and after any error that is of
// no kind of this package, the object there may be the caller's own, and the
// caller has to read it to know.
func (b *Bucket) CreateBytes(ctx context.Context, key string, data []byte) (Written, error) {
	return b.putBytes(ctx, key, data, Absent)
}

// Replace writes a small object if the one there has this generation, or if
// none is there for "", else ErrPrecondition. What CreateBytes says of lost
// replies holds here too.
func (b *Bucket) Replace(ctx context.Context, key string, data []byte, generation string) (Written, error) {
	return b.putBytes(ctx, key, data, IfGeneration(generation))
}

func (b *Bucket) putBytes(ctx context.Context, key string, data []byte, cond Condition) (Written, error) {
	w, err := b.put(ctx, key, cond)
	if err != nil {
		return Written{}, err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return Written{}, err
	}
	return w.commit()
}

func (b *Bucket) put(ctx context.Context, key string, cond Condition) (*Writer, error) {
	if err := CheckKey(b.prefix + key); err != nil {
		return nil, b.failed("write", key, err)
	}
	upload, err := b.driver.Put(ctx, b.prefix+key, cond)
	if err != nil {
		return nil, b.failed("write", key, err)
	}
	return &Writer{ctx: ctx, bucket: b, key: key, upload: upload, sha: sha256.New()}, nil
}

// Writer is an object being written by Create. It ends with Commit or Abort,
// and its owner owes it one of them. It is not safe for concurrent use.
type Writer struct {
	ctx    context.Context
	bucket *Bucket
	key    string
	upload Upload
	sum    Checksum
	sha    hash.Hash
	err    error // the first failure, or errEnded
}

var errEnded = errors.New("the object was committed or aborted before")

// Write appends p to the object. After an error every later call fails too.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	if w.err != nil {
		return 0, w.failed(w.err)
	}
	n, err := w.upload.Write(p)
	w.sum.Add(p[:n])
	w.sha.Write(p[:n])
	w.err = err
	return n, w.failed(err)
}

// Commit makes the object visible, whole and durable. Where the store says
// that something is there, or where its answer was lost, the object is read
// back: one with the same size and checksum under a key that nobody else
// writes is our own, and that is success. After an error nothing of the
// object is left to abort.
func (w *Writer) Commit() (Written, error) {
	written, err := w.commit()
	if err == nil || !unsure(err) {
		return written, err
	}
	there, readErr := w.readBack()
	if readErr != nil {
		return Written{}, err
	}
	return there, nil
}

// Abort gives the object up; nothing of it is visible. After Commit it does
// nothing.
func (w *Writer) Abort() {
	w.upload.Abort()
	w.err = errEnded
}

func (w *Writer) commit() (Written, error) {
	err := w.err
	if err == nil {
		err = w.ctx.Err()
	}
	if err != nil {
		w.Abort()
		return Written{}, w.failed(err)
	}
	w.err = errEnded
	a, err := w.upload.Commit(w.sum)
	if err != nil {
		return Written{}, w.failed(err)
	}
	return w.written(a.Generation), nil
}

// readBack succeeds only if what is there is what was sent.
func (w *Writer) readBack() (Written, error) {
	a, err := w.bucket.Stat(w.ctx, w.key)
	if err != nil {
		return Written{}, err
	}
	crc, err := w.bucket.Checksum(w.ctx, a)
	if err != nil {
		return Written{}, err
	}
	return w.written(a.Generation), Checksum{a.Size, crc}.Check(w.sum)
}

func (w *Writer) written(generation string) Written {
	return Written{
		Key:        w.key,
		Size:       w.sum.Size,
		SHA256:     hex.EncodeToString(w.sha.Sum(nil)),
		CRC32C:     w.sum.CRC32C,
		Generation: generation,
	}
}

func (w *Writer) failed(err error) error { return w.bucket.failed("write", w.key, err) }

// unsure says whether a write that failed so may nevertheless have happened.
func unsure(err error) bool {
	return !isAny(err, ErrPermission, ErrNoBucket, ErrNoSpace, ErrChecksum, errEnded,
		context.Canceled, context.DeadlineExceeded)
}
