package delivery

import (
	"bytes"
	"context"
	"fmt"
	"path"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// Form is what the files of a tool look like.
type Form struct {
	Format   string // csv, jsonl or parquet, and the extension of the files
	Formula  string // csv: refuse or quote texts that a spreadsheet would run
	MaxRows  int64  // of one file, 0 for any
	MaxBytes int64  // of one file, 0 for any; csv and jsonl alone
}

// chunk is how many rows are encoded at once.
const chunk = 4 << 10

// series writes the files of one audience, one after another, each within the
// limits of the form.
type series struct {
	*builder
	ctx      context.Context
	audience string
	layout   audience.Layout
	schema   *arrow.Schema
	header   []byte
	open     *staged
	tells    bool // whether a column says who left; else those who left are not written
}

// staged is a file being written.
type staged struct {
	File
	out     *objstore.Writer
	encoder audience.Encoder // parquet alone
}

func (b *builder) newSeries(ctx context.Context, name string, l audience.Layout, schema *arrow.Schema) (*series, error) {
	s := &series{builder: b, ctx: ctx, audience: name, layout: l, schema: schema}
	if b.Form.Format == formatParquet {
		return s, nil
	}
	var err error
	s.header, err = s.text(nil, nil)
	return s, err
}

// The formats of delivered files.
const (
	formatCSV     = "csv"
	formatJSONL   = "jsonl"
	formatParquet = "parquet"
)

// text encodes rows as the form wants them, after the header where there is one.
func (s *series) text(batch arrow.RecordBatch, rows []int32) ([]byte, error) {
	var out bytes.Buffer
	var e audience.Encoder
	var err error
	if s.Form.Format == formatCSV {
		e, err = audience.NewCSV(&out, s.layout, s.schema, audience.CSVOptions{Formula: s.Form.Formula})
	} else {
		e, err = audience.NewJSONL(&out, s.layout, s.schema)
	}
	if err == nil && len(rows) > 0 {
		err = e.Write(&audience.Block{Batch: batch}, rows)
	}
	if err == nil {
		err = e.Close()
	}
	return out.Bytes(), err
}

// write adds rows of a batch; last is the place after theirs.
func (s *series) write(batch arrow.RecordBatch, rows []int32, places func(row int32) int64) error {
	for len(rows) > 0 {
		n := min(len(rows), chunk)
		if s.Form.MaxRows > 0 {
			n = int(min(int64(n), s.Form.MaxRows))
		}
		if err := s.some(batch, rows[:n], places); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// some adds rows that belong together where they fit into one file, or halves them.
func (s *series) some(batch arrow.RecordBatch, rows []int32, places func(row int32) int64) error {
	if s.Form.MaxRows > 0 && s.open != nil && s.open.Rows+int64(len(rows)) > s.Form.MaxRows {
		if err := s.end(); err != nil {
			return err
		}
	}
	to := places(rows[len(rows)-1]) + 1
	if s.Form.Format == formatParquet {
		return s.append(to, int64(len(rows)), func(f *staged) error {
			return f.encoder.Write(&audience.Block{Batch: batch}, rows)
		})
	}
	text, err := s.text(batch, rows)
	if err != nil {
		return err
	}
	text = text[len(s.header):]
	if limit := s.Form.MaxBytes; limit > 0 {
		room := limit - int64(len(s.header))
		switch {
		case int64(len(text)) > room && len(rows) == 1:
			return fmt.Errorf("%w: a row takes %d bytes, a file of the tool at most %d", ErrColumns, len(text), limit)
		case int64(len(text)) > room:
			half := len(rows) / 2
			if err := s.some(batch, rows[:half], places); err != nil {
				return err
			}
			return s.some(batch, rows[half:], places)
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
	return write(s.open)
}

func (s *series) begin() (err error) {
	k := len(s.intent.Files)
	ext := s.Form.Format
	f := &staged{File: File{K: k, Audience: s.audience, From: s.from()}}
	f.Format = s.Form.Format
	f.Key = fmt.Sprintf("%s%05d.%s", s.prefix, k, ext)
	f.Name = f.named(s.intent)
	if f.out, err = s.published.Create(s.ctx, f.Key); err != nil {
		return err
	}
	s.open = f
	if s.Form.Format == formatParquet {
		f.encoder, err = audience.NewParquet(f.out, s.layout, s.schema, audience.ParquetOptions{Compression: "zstd"})
		return err
	}
	_, err = f.out.Write(s.header)
	f.Bytes = int64(len(s.header))
	return err
}

// named gives the name of a file of i in the place of the tool, which no other file
// ever has.
func (f *File) named(i *Intent) string {
	return path.Join(f.Audience, fmt.Sprintf("%s_%s_%d_%d.%s", f.Audience, i.Date, i.N, f.K, f.Format))
}

// from is the place where the next file of the series begins.
func (s *series) from() int64 {
	for i := len(s.intent.Files) - 1; i >= 0; i-- {
		if f := s.intent.Files[i]; f.Audience == s.audience {
			return f.To
		}
	}
	return 0
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
	w, err := f.out.Commit()
	if err != nil {
		return err
	}
	s.open = nil
	f.Bytes, f.SHA256, f.CRC32C = w.Size, w.SHA256, publish.Checksum(w.CRC32C)
	s.intent.Files = append(s.intent.Files, f.File)
	return nil
}

// finish ends the series, with a file that holds no row where one is wanted.
func (s *series) finish(always bool) error {
	wrote := s.open != nil || s.from() > 0
	if !wrote && always {
		if err := s.begin(); err != nil {
			return err
		}
	}
	return s.end()
}

// abort drops the file that is not finished.
func (s *series) abort() {
	if s.open != nil && s.open.out != nil {
		s.open.out.Abort()
	}
}
