package delivery

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// person is one published row by column; a column that is not there is null.
type person map[string]string

// members is one audience of a night.
type members struct {
	name  string
	users []person
}

// tool is a campaign tool to which one delivery after another is built.
type tool struct {
	*testing.T
	job  Job
	why  map[string]Reason // of leavers, by id
	last *Intent
	day  date.Date
}

// newTool gives one that nothing was delivered to. Columns are "output: from".
func newTool(t *testing.T, destination string, audiences []string, columns ...string) *tool {
	t.Helper()
	bucket := objstore.New(mem.New(), "mem://published")
	ledger, err := publish.Open(t.Context(), bucket, "p")
	if err != nil {
		t.Fatal(err)
	}
	to, ok := DestinationOf(destination)
	if !ok {
		t.Fatalf("no destination %s", destination)
	}
	to.MinRows = 0 // see TestListsOfFewUsersAreRefused
	k := &tool{T: t, why: map[string]Reason{}, day: date.FromDays(20_000)}
	k.job = Job{
		Delivery: Delivery{Name: "tool", Destination: to, Changes: true, Formula: "quote", Rules: Rules{Zone: time.UTC}},
		Ledger:   ledger, By: "by", Temp: t.TempDir(), Memory: 64 << 20,
		Explain: func(_ context.Context, _ *publish.Published, all []Leaver) (Explanation, error) {
			reasons := make([]Reason, len(all))
			for i, l := range all {
				reasons[i] = k.why[l.ID]
				if reasons[i] == "" {
					reasons[i] = Filter
				}
			}
			return Explanation{Reasons: reasons, From: FromSnapshot}, nil
		},
	}
	for _, name := range audiences {
		k.job.Audiences = append(k.job.Audiences, Audience{Name: name, ID: "id", Keep: true})
	}
	for _, c := range columns {
		name, from, _ := strings.Cut(c, ": ")
		k.job.Columns = append(k.job.Columns, Column{Name: name, From: from})
	}
	return k
}

// publish writes what a night publishes, as the run would.
func (k *tool) publish(audiences []members) *publish.Published {
	k.Helper()
	k.day = date.FromDays(k.day.Days() + 1)
	m := &publish.Manifest{}
	for i, a := range audiences {
		key := fmt.Sprintf("runs/%s/run/audiences/%s-%d/part-00000.parquet", k.day, a.name, i)
		m.Audiences = append(m.Audiences, publish.Audience{Name: a.name, Files: []publish.File{k.write(key, a.users)}})
	}
	return &publish.Published{Date: k.day, Run: "run", Manifest: m}
}

func (k *tool) write(key string, users []person) publish.File {
	k.Helper()
	fields := []arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}
	for _, name := range []string{"email", "phone", "first", "last", "city", "country", "zip", "note"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	rows := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer rows.Release()
	var l audience.Layout
	l.ID = "id"
	for i, f := range fields {
		l.Columns = append(l.Columns, audience.Column{Name: f.Name, Source: audience.FromColumn, Column: f.Name})
		for _, u := range users {
			if v, ok := u[f.Name]; ok {
				rows.Field(i).(*array.StringBuilder).Append(v)
			} else {
				rows.Field(i).AppendNull()
			}
		}
	}
	batch := rows.NewRecordBatch()
	defer batch.Release()
	var out bytes.Buffer
	e, err := audience.NewParquet(&out, l, schema, audience.ParquetOptions{Compression: "zstd"})
	if err == nil {
		err = e.Write(&audience.Block{Batch: batch}, firstRows(len(users)))
	}
	if err == nil {
		err = e.Close()
	}
	if err == nil {
		_, err = k.bucket().CreateBytes(k.Context(), key, out.Bytes())
	}
	if err != nil {
		k.Fatal(err)
	}
	return publish.File{Key: key, Format: "parquet", Rows: int64(len(users)), Bytes: int64(out.Len())}
}

func (k *tool) bucket() *objstore.Bucket { return k.job.Ledger.Bucket() }

// deliver builds the delivery of a night: a full one first, then changes.
func (k *tool) deliver(night ...members) *Intent {
	k.Helper()
	kind := Changes
	if k.last == nil || !k.job.Changes {
		kind = Full
	}
	i, err := k.build(kind, night...)
	if err != nil {
		k.Fatal(err)
	}
	return i
}

func (k *tool) build(kind Kind, night ...members) (*Intent, error) {
	k.Helper()
	p := k.publish(night)
	i, err := k.job.build(k.Context(), kind, Target{Date: p.Date, Run: p.Run}, p, k.last, func(standing) bool { return false })
	if err == nil {
		k.last = i
	}
	return i, err
}

func (k *tool) read(f publish.File) []byte {
	k.Helper()
	data, _, err := k.bucket().Read(k.Context(), f.Key, 1<<30)
	if err != nil {
		k.Fatal(err)
	}
	if int64(len(data)) != f.Bytes {
		k.Fatalf("%s has %d bytes, the intent says %d", f.Key, len(data), f.Bytes)
	}
	return data
}

// names are those of the files in the place of the tool.
func (i *Intent) names() []string {
	all := []string{}
	for _, f := range i.Files {
		all = append(all, f.Name)
	}
	return all
}

// csv reads the files of an intent that remove, or do not, as the standard library
// reads CSV: the header of all, then the records of each.
func (k *tool) csv(i *Intent, removes bool) [][]string {
	k.Helper()
	var all [][]string
	for _, f := range i.Files {
		if f.Removes != removes {
			continue
		}
		records, err := csv.NewReader(bytes.NewReader(k.read(f.File))).ReadAll()
		if err != nil {
			k.Fatal(err)
		}
		if int64(len(records)-1) != f.Rows {
			k.Fatalf("%s: %d records under the header, the intent says %d", f.Name, len(records)-1, f.Rows)
		}
		if all != nil && !slices.Equal(all[0], records[0]) {
			k.Fatalf("%s has another header: %q", f.Name, records[0])
		}
		if all == nil {
			all = records[:1]
		}
		all = append(all, records[1:]...)
	}
	return all
}

// json reads the lines of all files of an intent as the standard library reads JSON.
func (k *tool) json(i *Intent) []map[string]any {
	k.Helper()
	var all []map[string]any
	for _, f := range i.Files {
		d := json.NewDecoder(bytes.NewReader(k.read(f.File)))
		for {
			var v map[string]any
			err := d.Decode(&v)
			if err == io.EOF {
				break
			}
			if err != nil {
				k.Fatalf("%s: %v", f.Name, err)
			}
			all = append(all, v)
		}
	}
	return all
}

// payloads reads files of identifiers and payloads: by identifier, the attributes.
func (k *tool) payloads(i *Intent, identifier string) map[string]map[string]any {
	k.Helper()
	all := map[string]map[string]any{}
	for _, row := range k.json(i) {
		id, text := row[identifier].(string), row["payload"].(string)
		var attributes map[string]any
		if err := json.Unmarshal([]byte(text), &attributes); err != nil {
			k.Fatal(err)
		}
		if all[id] != nil {
			k.Errorf("%s has two rows", id)
		}
		if len(row) != 2 {
			k.Errorf("a row has %d keys: %v", len(row), row)
		}
		all[id] = attributes
	}
	return all
}

// unsendable reads the list beside a delivery: id, audience, rule.
func (k *tool) unsendable(i *Intent) []string {
	k.Helper()
	var all []string
	for _, f := range i.UnsendableRows {
		for _, row := range k.parquet(f) {
			all = append(all, strings.Join(row, " "))
		}
	}
	slices.Sort(all)
	return all
}

// parquet reads the texts of a file of texts.
func (k *tool) parquet(f publish.File) [][]string {
	k.Helper()
	b := &builder{Job: &k.job, published: k.bucket()}
	if err := b.openSource(k.Context(), Audience{ID: "id"}, false, []publish.File{f}); err != nil {
		k.Fatal(err)
	}
	s := b.sources[0]
	defer func() { _ = s.files.Close() }()
	var all [][]string
	columns := names(s.files.Schema())
	err := s.each(k.Context(), columns, func(rows arrow.RecordBatch, _ int64) error {
		for r := range int(rows.NumRows()) {
			c := cells{rows, r, nil}
			row := make([]string, len(columns))
			for i := range columns {
				if !rows.Column(i).IsNull(r) {
					row[i] = c.text(i)
				}
			}
			if c.err != nil {
				return c.err
			}
			all = append(all, row)
		}
		return nil
	})
	if err != nil {
		k.Fatal(err)
	}
	return all
}
