package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// ErrTooFew says that a tool refuses a list for having too few users.
var ErrTooFew = errors.New("too few users")

const (
	chunk         = 4 << 10 // rows that are encoded at once
	commitsAtOnce = 4       // files that are put in place at once
)

// series writes files one after another, each within the limits of the destination:
// those of one audience, or of all of them where one row speaks for all, or those of
// users to be removed.
type series struct {
	*builder
	ctx      context.Context
	audience string // "" for all
	removes  bool
	whole    bool  // a list of all members was written before what removes
	as       *form // of what is at hand
	open     *staged
	rows     int64
}

// lot is some rows of a batch.
type lot struct {
	batch arrow.RecordBatch                                              // parquet alone
	each  func(rows []int32, visit func(i int, text []byte) error) error // encodes rows, each valid until visit returns; not for parquet
	text  func(rows []int32) []byte                                      // of rows that are encoded and follow one another; nil before
	place func(row int32) int64
}

// staged is a file being written.
type staged struct {
	File
	out     *objstore.Writer
	encoder audience.Encoder // parquet alone
}

// The formats of delivered files.
const (
	formatCSV     = "csv"
	formatJSONL   = "jsonl"
	formatParquet = "parquet"
)

// form is how rows with some published columns are written.
type form struct {
	*renderer
	header []byte
}

func (b *builder) formOf(id string, published *arrow.Schema) (*form, error) {
	r, err := b.rendererOf(id, published)
	if err != nil {
		return nil, err
	}
	f := &form{renderer: r}
	f.header, err = r.header()
	return f, err
}

// begins makes the series one of rows of a form.
func (s *series) begins(as *form) func() error {
	return func() error {
		s.as = as
		return nil
	}
}

// write adds rows of a lot.
func (s *series) write(of lot, rows []int32) error {
	for len(rows) > 0 {
		n := min(len(rows), chunk)
		if limit := s.Destination.MaxRows; limit > 0 {
			n = int(min(int64(n), limit))
		}
		if err := s.some(of, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// some adds rows that belong together where they fit into one file, or halves them.
func (s *series) some(of lot, rows []int32) error {
	if limit := s.Destination.MaxRows; limit > 0 && s.open != nil && s.open.Rows+int64(len(rows)) > limit {
		if err := s.end(); err != nil {
			return err
		}
	}
	to := of.place(rows[len(rows)-1]) + 1
	if s.Destination.Format == formatParquet {
		return s.append(to, int64(len(rows)), func(f *staged) error {
			return f.encoder.Write(&audience.Block{Batch: of.batch}, rows)
		})
	}
	text := of.text(rows)
	if limit := s.Destination.MaxBytes; limit > 0 {
		room := limit - int64(len(s.as.header))
		switch {
		case int64(len(text)) > room && len(rows) == 1:
			return fmt.Errorf("%w: a row takes %d bytes, a file of the tool at most %d", ErrColumns, len(text), limit)
		case int64(len(text)) > room:
			half := len(rows) / 2
			if err := s.some(of, rows[:half]); err != nil {
				return err
			}
			return s.some(of, rows[half:])
		case s.open != nil && s.open.Bytes+int64(len(text)) > limit:
			if err := s.end(); err != nil {
				return err
			}
		}
	}
	return s.append(to, int64(len(rows)), func(f *staged) error {
		n, err := f.out.Write(text)
		f.Bytes += int64(n)
		return err
	})
}

// append writes to the open file, or to a new one.
func (s *series) append(to, rows int64, write func(*staged) error) error {
	if s.open == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	s.open.To = to
	s.open.Rows += rows
	s.rows += rows
	return write(s.open)
}

func (s *series) begin() (err error) {
	k := len(s.intent.Files)
	f := &staged{File: File{K: k, Audience: s.audience, Removes: s.removes, From: s.from()}}
	f.Format = s.Destination.Format
	f.Key = fmt.Sprintf("%s%05d.%s", s.prefix, k, s.Destination.Extension)
	f.Name = f.named(s.intent, "."+s.Destination.Extension)
	if f.out, err = s.published.Create(s.ctx, f.Key); err != nil {
		return err
	}
	s.open = f
	if s.Destination.Format == formatParquet {
		f.encoder, err = audience.NewParquet(f.out, s.as.layout, s.as.schema, audience.ParquetOptions{Compression: "zstd"})
		return err
	}
	_, err = f.out.Write(s.as.header)
	f.Bytes = int64(len(s.as.header))
	return err
}

// named gives the name of a file of i in the place of the tool, which no other file
// ever has.
func (f *File) named(i *Intent, extension string) string {
	series, suffix := cmp.Or(f.Audience, i.Delivery), ""
	if f.Removes {
		suffix = "_remove"
	}
	return path.Join(series, fmt.Sprintf("%s_%s_%d_%d%s%s", series, i.Date, i.N, f.K, suffix, extension))
}

// from is the place where the next file of the series begins: after the one before,
// whether or not that one removes.
func (s *series) from() int64 {
	if last := s.last(); last != nil {
		return last.To
	}
	return 0
}

// last gives the newest file of the series that is finished, nil where there is none.
func (s *series) last() *File {
	for i := len(s.intent.Files) - 1; i >= 0; i-- {
		if f := &s.intent.Files[i]; f.Audience == s.audience {
			return f
		}
	}
	return nil
}

// end finishes the open file.
func (s *series) end() error {
	f := s.open
	if f == nil {
		return nil
	}
	if f.encoder != nil {
		if err := f.encoder.Close(); err != nil {
			return err
		}
	}
	s.open = nil
	s.intent.Files = append(s.intent.Files, f.File)
	s.commit(f.out)
	return nil
}

// commit puts the file in place that is the last of the intent.
func (b *builder) commit(out *objstore.Writer) {
	w := new(objstore.Written)
	b.committed = append(b.committed, w)
	b.committing.Go(func() (err error) {
		*w, err = out.Commit()
		return err
	})
}

// awaitCommits waits until all files of the intent are in place, and says there what
// they are.
func (b *builder) awaitCommits() error {
	err := b.committing.Wait()
	for i, w := range b.committed {
		f := &b.intent.Files[i]
		f.Bytes, f.SHA256, f.CRC32C = w.Size, w.SHA256, publish.Checksum(w.CRC32C)
	}
	return err
}

// finish ends the series, with a file that holds no row where one is wanted. The last
// file, also one that was finished before, speaks of everyone below the place to who is
// in none: the control arm, and those who are gone from a whole list.
func (s *series) finish(always bool, to int64) error {
	if few := s.Destination.MinRows; s.intent.Kind == Full && !s.removes && 0 < s.rows && s.rows < few {
		return fmt.Errorf("%w: %d users, and %s refuses lists of fewer than %d", ErrTooFew, s.rows, s.Destination.Name, few)
	}
	if s.rows == 0 && always {
		if err := s.begin(); err != nil {
			return err
		}
	}
	if err := s.end(); err != nil {
		return err
	}
	if last := s.last(); last != nil {
		last.To = to
	}
	return nil
}

// abort drops the file that is not finished.
func (s *series) abort() {
	if s.open != nil && s.open.out != nil {
		s.open.out.Abort()
	}
}
