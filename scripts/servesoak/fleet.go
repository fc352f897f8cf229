package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// nights is how many dates each prediction has to publish: the one that becomes due
// and the seven before it, which catch_up heals.
const nights = 8

// users of each night.
const users = 2000

// fleet is the predictions of one server.
type fleet struct {
	name    string
	program string
	folder  string
	all     []*prediction
}

// prediction has a schedule of its own, in a folder of its own.
type prediction struct {
	folder  string
	due     time.Time // when its newest date is
	arrives time.Time // when the snapshot of that date comes
	dates   []string  // oldest first
}

func (p *prediction) config() string { return filepath.Join(p.folder, "churntier.yaml") }

// newFleet writes configs, of which one becomes due every minute from the next but one,
// and all snapshots but those of the dates that become due.
func newFleet(folder, name, program string, minutes int, chance *rand.Rand) (*fleet, error) {
	f := &fleet{name: name, program: program, folder: filepath.Join(folder, name)}
	first := time.Now().UTC().Truncate(time.Minute).Add(2 * time.Minute)
	for i := range minutes {
		p := &prediction{folder: filepath.Join(f.folder, fmt.Sprintf("p%03d", i)), due: first.Add(time.Duration(i) * time.Minute)}
		p.arrives = p.due.Add(time.Duration(chance.IntN(90)-30) * time.Second)
		for ago := nights; ago > 0; ago-- {
			p.dates = append(p.dates, p.due.AddDate(0, 0, -ago).Format(time.DateOnly))
		}
		if err := p.write(name); err != nil {
			return nil, err
		}
		f.all = append(f.all, p)
	}
	return f, nil
}

func (p *prediction) write(fleet string) error {
	for _, d := range p.dates[:nights-1] {
		if err := p.snapshot(d); err != nil {
			return err
		}
	}
	config := fmt.Sprintf(`prediction: %s-%s
schedule: "%d %d * * *"
snapshot: {url: snapshots, id: user_id}
score: {column: {name: s, range: [0, 1]}}
publish: {url: out}
deliveries: [{name: tool, to: tool, destination: csv, audiences: [high]}]
`, fleet, filepath.Base(p.folder), p.due.Minute(), p.due.Hour())
	return os.WriteFile(p.config(), []byte(config), 0o600)
}

// snapshot writes the users of a date, and the marker last.
func (p *prediction) snapshot(d string) error {
	folder := filepath.Join(p.folder, "snapshots", "dt="+d)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	day, err := time.Parse(time.DateOnly, d)
	if err != nil {
		return err
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "user_id", Type: arrow.BinaryTypes.String}, {Name: "s", Type: arrow.PrimitiveTypes.Float64}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range users {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("u%06d", i+day.YearDay()))
		b.Field(1).(*array.Float64Builder).Append(float64((i*7919+day.YearDay()*31)%users) / users)
	}
	record := b.NewRecordBatch()
	defer record.Release()
	file, err := os.Create(filepath.Join(folder, "part-0.parquet"))
	if err != nil {
		return err
	}
	out, err := pqarrow.NewFileWriter(schema, file, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err == nil {
		err = out.Write(record)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "_SUCCESS"), nil, 0o600)
}

// end is when every night has become due and its snapshot come, and three minutes more
// for the tries after that.
func (f *fleet) end() time.Time { return f.all[len(f.all)-1].due.Add(4 * time.Minute) }

// arrive brings the snapshots of the newest dates when it is time.
func (f *fleet) arrive(ctx context.Context) error {
	byTime := slices.SortedFunc(slices.Values(f.all), func(a, b *prediction) int { return a.arrives.Compare(b.arrives) })
	for _, p := range byTime {
		if !sleepUntil(ctx, p.arrives) {
			return ctx.Err()
		}
		if err := p.snapshot(p.dates[nights-1]); err != nil {
			return err
		}
	}
	return nil
}

// sleepUntil says whether that time came before ctx ended.
func sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
