package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/klauspost/compress/s2"
)

// floorCommand runs the floor in a process of its own.
const floorCommand = "floor"

// limits is the CPU seconds on one thread that nobody who reads and writes the same
// bytes with the same codec can do without.
type limits struct{ Read, Inflate, Copy, Deflate, Write float64 }

func (l *limits) print(w io.Writer, cpu float64) {
	sum := l.Read + l.Inflate + l.Copy + l.Deflate + l.Write
	fmt.Fprintf(w, "\nphysical floor, CPU s on one thread: read %.2f + inflate %.2f + copy %.2f + deflate %.2f + write %.2f = %.2f; churntier takes %.1f times as much\n",
		l.Read, l.Inflate, l.Copy, l.Deflate, l.Write, sum, cpu/sum)
}

// wanted are the columns that the job reads.
var wanted = []string{
	"user_id", "country", "plan", "days_since_last_session", "sessions_7d", "sessions_30d", "purchases_90d", "ltv",
	"tenure_days", "push_enabled", "avg_session_min", "support_tickets_90d",
}

// printFloor prints the limits of a night and what churntier takes of them.
func printFloor(ctx context.Context, b *bench, n *night, all []*contender) error {
	l, err := b.floor(ctx, n, all[0])
	if err == nil {
		l.print(os.Stdout, median(each(all[0].runs, func(s sample) float64 { return s.cpu })))
	}
	return err
}

// floor measures in a process of its own what is needed for a snapshot and for the
// files that churntier made of it.
func (b *bench) floor(ctx context.Context, n *night, ours *contender) (*limits, error) {
	if _, err := b.once(ctx, ours); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, b.self, floorCommand, n.codec, filepath.Join(n.dir, "snapshots", "dt="+today, "*.parquet"), ours.files, n.dir).Output()
	if err != nil {
		return nil, err
	}
	l := &limits{}
	return l, json.Unmarshal(out, l)
}

// floor prints the limits as JSON: args are the codec, the globs of what is read and
// of what is written, and a folder for a temporary file.
func floor(args []string) (err error) {
	codec, err := codecOf(args[0])
	if err != nil {
		return err
	}
	var l limits
	if err := eachFile(args[1], func(f parquetFile) error { return l.in(f, codec) }); err != nil {
		return err
	}
	out, err := os.CreateTemp(args[3], "floor-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close(), os.Remove(out.Name())) }()
	if err := eachFile(args[2], func(f parquetFile) error { return l.out(f, codec, out) }); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(l)
}

func eachFile(glob string, do func(parquetFile) error) error {
	names, err := filepath.Glob(glob)
	if err != nil || len(names) == 0 {
		return fmt.Errorf("no file is called %s: %w", glob, err)
	}
	for _, name := range names {
		if err := open(name, do); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func open(name string, do func(parquetFile) error) (err error) {
	raw, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	f, err := file.NewParquetReader(raw)
	if err != nil {
		return err
	}
	return do(parquetFile{f, raw})
}

// parquetFile is a file with its bytes.
type parquetFile struct {
	*file.Reader
	raw *os.File
}

// in counts reading the wanted columns, inflating their pages and moving what they
// hold once.
func (l *limits) in(f parquetFile, codec squeezer) error {
	for g := range f.NumRowGroups() {
		for c := range f.MetaData().Schema.NumColumns() {
			if !slices.Contains(wanted, f.MetaData().Schema.Column(c).Name()) {
				continue
			}
			if err := l.chunk(f, g, c, codec); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *limits) chunk(f parquetFile, g, c int, codec squeezer) error {
	chunk, err := f.MetaData().RowGroup(g).ColumnChunk(c)
	if err != nil {
		return err
	}
	start := chunk.DataPageOffset()
	if chunk.HasDictionaryPage() {
		start = min(start, chunk.DictionaryPageOffset())
	}
	stored := make([]byte, chunk.TotalCompressedSize())
	spent(&l.Read, func() { _, err = f.raw.ReadAt(stored, start) })
	if err != nil {
		return err
	}
	pages, err := pagesOf(f, g, c)
	if err != nil {
		return err
	}
	for _, page := range pages {
		packed := codec.deflate(nil, page)
		room, moved := make([]byte, len(page)), make([]byte, len(page))
		spent(&l.Inflate, func() { room, err = codec.inflate(room, packed) })
		if err != nil {
			return err
		}
		spent(&l.Copy, func() { copy(moved, room) })
	}
	return nil
}

// out counts deflating the pages of a written file again and writing them.
func (l *limits) out(f parquetFile, codec squeezer, out *os.File) error {
	var room []byte
	for g := range f.NumRowGroups() {
		for c := range f.MetaData().Schema.NumColumns() {
			pages, err := pagesOf(f, g, c)
			if err != nil {
				return err
			}
			var packed []byte
			for _, page := range pages {
				spent(&l.Deflate, func() { room = codec.deflate(room, page) })
				packed = append(packed, room...)
			}
			spent(&l.Write, func() { _, err = out.Write(packed) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// pagesOf gives the pages of a column chunk, inflated.
func pagesOf(f parquetFile, g, c int) ([][]byte, error) {
	r, err := f.RowGroup(g).GetColumnPageReader(c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	var pages [][]byte
	for r.Next() {
		if body := r.Page().Data(); len(body) > 0 {
			pages = append(pages, slices.Clone(body))
		}
	}
	return pages, r.Err()
}

// spent adds the CPU time of the process that do takes.
func spent(to *float64, do func()) {
	before := cpu()
	do()
	*to += cpu() - before
}

func cpu() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// squeezer deflates and inflates pages, as fast as is known to us.
type squeezer struct {
	deflate func(room, page []byte) []byte
	inflate func(room, packed []byte) ([]byte, error)
}

func codecOf(name string) (squeezer, error) {
	switch name {
	case "snappy":
		return squeezer{
			func(room, page []byte) []byte { return s2.EncodeSnappy(room[:cap(room)], page) },
			s2.Decode,
		}, nil
	case "zstd":
		zstd, err := compress.GetCodec(compress.Codecs.Zstd)
		return squeezer{
			func(room, page []byte) []byte { return zstd.EncodeLevel(room, page, 1) },
			func(room, packed []byte) ([]byte, error) { return zstd.Decode(room, packed), nil },
		}, err
	}
	return squeezer{}, fmt.Errorf("the codec %q is not measured", name)
}
