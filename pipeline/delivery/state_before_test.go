package delivery

import (
	"bytes"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

// firstStateSchema is that of the states of the first version: no payload was left
// out, an identity that is the id was an empty text, and files were cut by rows.
var firstStateSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.BinaryTypes.String},
	{Name: "audience", Type: arrow.BinaryTypes.String},
	{Name: "control", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "place", Type: arrow.PrimitiveTypes.Int64},
	{Name: "in", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "day", Type: arrow.PrimitiveTypes.Int32},
	{Name: "last", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "left", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "resting", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "payload", Type: arrow.PrimitiveTypes.Int64},
	{Name: "identity", Type: arrow.BinaryTypes.String},
	{Name: "before_in", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "before_day", Type: arrow.PrimitiveTypes.Int32},
	{Name: "before_last", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "before_left", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "before_resting", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "before_payload", Type: arrow.PrimitiveTypes.Int64},
	{Name: "before_identity", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func addFirst(b *array.RecordBuilder, s standing) {
	day := func(column int, d date.Date) {
		if d.IsZero() {
			b.Field(column).AppendNull()
		} else {
			b.Field(column).(*array.Date32Builder).Append(arrow.Date32(d.Days()))
		}
	}
	b.Field(0).(*array.StringBuilder).Append(s.ID)
	b.Field(1).(*array.StringBuilder).Append(s.Audience)
	b.Field(2).(*array.BooleanBuilder).Append(s.Control)
	b.Field(3).(*array.Int64Builder).Append(s.Place)
	for i, v := range []Standing{s.Now, s.Before} {
		at := 4 + 7*i
		b.Field(at).(*array.BooleanBuilder).Append(v.In)
		b.Field(at + 1).(*array.Int32Builder).Append(int32(v.Day))
		day(at+2, v.Last)
		day(at+3, v.Left)
		b.Field(at + 4).(*array.BooleanBuilder).Append(v.Resting)
		b.Field(at + 5).(*array.Int64Builder).Append(int64(v.Payload))
		if i > 0 && v.Identity == s.Now.Identity {
			b.Field(at + 6).AppendNull()
		} else {
			b.Field(at + 6).(*array.StringBuilder).Append(v.Identity)
		}
	}
}

// writeFirstState writes a file as the first version did.
func writeFirstState(t *testing.T, b *objstore.Bucket, key string, all []standing) publish.File {
	t.Helper()
	rows := array.NewRecordBuilder(memory.DefaultAllocator, firstStateSchema)
	defer rows.Release()
	for _, s := range all {
		addFirst(rows, s)
	}
	batch := rows.NewRecordBatch()
	defer batch.Release()
	var l audience.Layout
	for _, f := range firstStateSchema.Fields() {
		l.Columns = append(l.Columns, audience.Column{Name: f.Name, Source: audience.FromColumn, Column: f.Name})
	}
	var out bytes.Buffer
	e, err := audience.NewParquet(&out, l, firstStateSchema, audience.ParquetOptions{Compression: "zstd"})
	if err == nil {
		err = e.Write(&audience.Block{Batch: batch}, firstRows(len(all)))
	}
	if err == nil {
		err = e.Close()
	}
	if err == nil {
		_, err = b.CreateBytes(t.Context(), key, out.Bytes())
	}
	if err != nil {
		t.Fatal(err)
	}
	return publish.File{Key: key, Format: formatParquet, Rows: int64(len(all)), Bytes: int64(out.Len())}
}

func TestStateOfTheFirstVersionIsRead(t *testing.T) {
	b := objstore.New(mem.New(), "mem://out")
	want := standings(7000)
	cut := len(want)/3 + 1 // within a user
	i := &Intent{State: []publish.File{writeFirstState(t, b, "state/0", want[:cut]), writeFirstState(t, b, "state/1", want[cut:])}}
	got, err := readState(t, b, i, func(standing) bool { return false })
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %d standings, not as they were written", err, len(got))
	}
	now, err := readState(t, b, i, nil)
	for at, s := range now {
		if s.key != want[at].key || s.Now != want[at].Now {
			t.Fatalf("%+v, was %+v", s, want[at])
		}
	}
	if err != nil || len(now) != len(want) {
		t.Errorf("%d standings, %v", len(now), err)
	}
	if all := (&builder{last: i}).stretches(bucketBits(3*tableFileRows, tableFileRows, i)); len(all) != 1 || all[0].before.standings() != int64(len(want)) {
		t.Errorf("%d stretches, the first with %d standings; expected all in one", len(all), all[0].before.standings())
	}
}
