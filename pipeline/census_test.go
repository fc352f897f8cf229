package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/localrun"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/snapshot"
)

// census is an engine that is asked more than the run asks.
type census struct {
	localrun.Engine
	ask func(context.Context, *pipeline.Plan) error
}

func (c census) Write(ctx context.Context, p *pipeline.Plan, found *pipeline.Findings) (pipeline.Written, error) {
	if err := c.ask(ctx, p); err != nil {
		return pipeline.Written{}, err
	}
	return c.Engine.Write(ctx, p, found)
}

// cell is a value of a test's column: nil, a string or an int64.
type cell = any

// fileOf is a Parquet file of columns of equal length, in small row groups.
func fileOf(t *testing.T, columns map[string][]cell) []byte {
	t.Helper()
	var fields []arrow.Field
	var arrays []arrow.Array
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		cells := columns[name]
		var b array.Builder = array.NewStringBuilder(memory.DefaultAllocator)
		for _, c := range cells {
			if _, number := c.(int64); number {
				b = array.NewInt64Builder(memory.DefaultAllocator)
			}
		}
		for _, c := range cells {
			switch c := c.(type) {
			case nil:
				b.AppendNull()
			case int64:
				b.(*array.Int64Builder).Append(c)
			case string:
				b.(*array.StringBuilder).Append(c)
			}
		}
		fields = append(fields, arrow.Field{Name: name, Type: b.Type(), Nullable: true})
		arrays = append(arrays, b.NewArray())
	}
	schema := arrow.NewSchema(fields, nil)
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(7)), pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Write(array.NewRecordBatch(schema, arrays, int64(arrays[0].Len())))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// listOf opens a list with one column.
func listOf(t *testing.T, column string, cells []cell) pipeline.KeyList {
	t.Helper()
	bucket := objstore.New(mem.New(), "mem://lists")
	if _, err := bucket.CreateBytes(t.Context(), "l.parquet", fileOf(t, map[string][]cell{column: cells})); err != nil {
		t.Fatal(err)
	}
	all, err := bucket.Objects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	files, err := snapshot.Open(t.Context(), snapshot.PinFiles(bucket, all), snapshot.VerifyWhole, t.TempDir(), snapshot.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	return pipeline.KeyList{Use: "suppress", URL: "mem://lists/l.parquet", Column: column, Files: files}
}

// townOf is a town whose snapshot has the contacts; the id of row i is ui, of every
// eleventh row a null.
func townOf(t *testing.T, contacts []cell) *town {
	w := newTown(t)
	w.night.Mode, w.night.DryRun, w.night.SplitRows = pipeline.Preview, true, 20
	half := len(contacts) / 2
	for part, rows := range map[string][2]int{"a": {0, half}, "b": {half, len(contacts)}} {
		columns := map[string][]cell{"user_id": {}, "churn_score": {}, "contact": contacts[rows[0]:rows[1]]}
		for i := rows[0]; i < rows[1]; i++ {
			var id cell
			if i%11 != 10 {
				id = fmt.Sprint("u", i)
			}
			columns["user_id"] = append(columns["user_id"], id)
			columns["churn_score"] = append(columns["churn_score"], int64(i%100))
		}
		w.put("dt=2026-11-22/"+part+".parquet", fileOf(t, columns))
	}
	return w
}

// answer asks all engines a question about the town and wants them to agree.
func (w *town) answer(q pipeline.Question, engines ...localrun.Engine) (fates []identity.Fate, err error) {
	_, runErr := pipeline.Run(w.t.Context(), w.night, census{localrun.Engine{}, func(ctx context.Context, p *pipeline.Plan) error {
		for _, e := range engines {
			got, err := fatesBy(ctx, e, p, q)
			if err != nil {
				return err
			}
			if fates == nil {
				fates = got
			}
			if diff := cmp.Diff(fates, got); diff != "" {
				return fmt.Errorf("%d workers with %d bytes: %s", e.Workers, e.Memory, diff)
			}
		}
		return nil
	}})
	return fates, runErr
}

func fatesBy(ctx context.Context, e localrun.Engine, p *pipeline.Plan, q pipeline.Question) ([]identity.Fate, error) {
	f, err := e.Identify(ctx, p, q)
	if err != nil {
		return nil, err
	}
	fates := make([]identity.Fate, p.Parts.Rows())
	_, err = f.Fill(0, fates)
	return fates, errors.Join(err, f.Close())
}
