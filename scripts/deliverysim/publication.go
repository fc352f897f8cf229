package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/publish"
)

const prediction = "churn-14d"

// user is a person, as the world knows them tonight.
type user struct {
	id         string
	plan       string
	points     string
	wants      map[string]bool // by audience: the filter holds
	heldOut    bool
	suppressed bool
}

// publication is the truth of one run.
type publication struct {
	date       date.Date
	run        string
	members    map[string]map[string]user // by audience and id
	suppressed map[string]bool
}

// exclusive are audiences of which a user is in the first only.
var exclusive = []string{"winback", "content"}

// audienceNames are all audiences a config may have.
var audienceNames = []string{"winback", "content", "weekly", "beta"}

// arms gives the members and the control arm of an audience tonight.
func (w *world) arms(name string) (members, control []user) {
	for _, u := range w.users {
		if u.suppressed || !u.wants[name] || name == exclusive[1] && w.has(exclusive[0]) && u.wants[exclusive[0]] {
			continue
		}
		if u.heldOut {
			control = append(control, *u)
		} else {
			members = append(members, *u)
		}
	}
	return members, control
}

// publish publishes a date as the world is now.
func (w *world) publish(d date.Date) error {
	ctx := context.Background()
	log, err := w.ledger.Log(ctx, d)
	if err != nil {
		return err
	}
	p := &publication{date: d, run: w.name(), members: map[string]map[string]user{}, suppressed: map[string]bool{}}
	m := &publish.Manifest{
		Format: publish.Format, Prediction: prediction, Date: d, Run: p.run, Mode: "live", Engine: "local", Version: "sim",
		Fingerprint: fmt.Sprintf("%x", sha256.Sum256([]byte(p.run))), Distribution: make([]int64, 20),
	}
	for _, name := range w.audiences {
		members, control := w.arms(name)
		p.members[name] = map[string]user{}
		for _, u := range members {
			p.members[name][u.id] = u
		}
		a := publish.Audience{Name: name, Members: int64(len(members)), Control: int64(len(control))}
		for _, arm := range []struct {
			file  string
			users []user
		}{{"part-00000.parquet", members}, {"control-00000.parquet", control}} {
			f, err := w.writeArm(ctx, publish.RunPrefix(d, p.run)+"/audiences/"+name+"/"+arm.file, arm.users)
			if err != nil {
				return err
			}
			a.Files = append(a.Files, f)
		}
		m.Audiences = append(m.Audiences, a)
	}
	for _, u := range w.users {
		p.suppressed[u.id] = u.suppressed
	}
	sum, err := w.ledger.Seal(ctx, m)
	if err == nil {
		_, err = w.ledger.Commit(ctx, log, publish.Entry{Run: p.run, Fingerprint: m.Fingerprint, ManifestSHA256: sum})
	}
	w.runs[p.run] = p
	w.effective[d] = p
	w.entries[d] = append(w.entries[d], p)
	w.report.publications++
	w.note("published %s as %s", d, p.run)
	return err
}

// armSchema is that of the published Parquet files.
var armSchema = arrow.NewSchema([]arrow.Field{
	{Name: "user_id", Type: arrow.BinaryTypes.String},
	{Name: "plan", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "points", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func (w *world) writeArm(ctx context.Context, key string, users []user) (publish.File, error) {
	out, err := w.published.Create(ctx, key)
	if err != nil {
		return publish.File{}, err
	}
	l := audience.Layout{ID: "user_id"}
	for _, f := range armSchema.Fields() {
		l.Columns = append(l.Columns, audience.Column{Name: f.Name, Source: audience.FromColumn, Column: f.Name})
	}
	e, err := audience.NewParquet(out, l, armSchema, audience.ParquetOptions{Compression: "snappy"})
	if err != nil {
		return publish.File{}, err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, armSchema)
	rows := make([]int32, len(users))
	for i, u := range slices.All(users) {
		for at, text := range []string{u.id, u.plan, u.points} {
			b.Field(at).(*array.StringBuilder).Append(text)
		}
		rows[i] = int32(i)
	}
	if len(users) > 0 {
		err = e.Write(&audience.Block{Batch: b.NewRecordBatch()}, rows)
	}
	if err == nil {
		err = e.Close()
	}
	if err != nil {
		return publish.File{}, err
	}
	written, err := out.Commit()
	return publish.File{
		Key: key, Format: "parquet", Rows: int64(len(users)), Bytes: written.Size, SHA256: written.SHA256, CRC32C: publish.Checksum(written.CRC32C),
	}, err
}
