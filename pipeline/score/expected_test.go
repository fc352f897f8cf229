package score

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// referenceModels are models with the scores that their own library gave.
const referenceModels = "../../../shared/models"

// readParquet gives the whole file as one batch.
func readParquet(t *testing.T, path string) arrow.RecordBatch {
	t.Helper()
	parquet, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer parquet.Close()
	reader, err := pqarrow.NewFileReader(parquet, pqarrow.ArrowReadProperties{BatchSize: 1000}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	records, err := reader.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer records.Release()
	batch, err := records.Read()
	if err != nil {
		t.Fatal(err)
	}
	batch.Retain()
	return batch
}

type expectedRow struct {
	id           string
	margin, prob float64
}

func readExpected(t *testing.T, path string) []expectedRow {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []expectedRow
	for _, r := range records[1:] {
		margin, _ := strconv.ParseFloat(r[1], 64)
		prob, _ := strconv.ParseFloat(r[2], 64)
		rows = append(rows, expectedRow{r[0], margin, prob})
	}
	return rows
}

func TestReferenceModels(t *testing.T) {
	for _, name := range []string{"sk121_bank_lr_plain", "sk121_telco_lr_pipeline"} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(referenceModels, name)
			data, err := os.ReadFile(filepath.Join(folder, "model.json"))
			if err != nil {
				t.Skip("the reference models are not beside the checkout:", err)
			}
			scorer := mustModel(t, string(data))
			batch := readParquet(t, filepath.Join(folder, "input.parquet"))
			defer batch.Release()
			expected := readExpected(t, filepath.Join(folder, "expected.csv"))
			if int(batch.NumRows()) != len(expected) {
				t.Fatalf("%d rows in, %d expected", batch.NumRows(), len(expected))
			}
			checkExpected(t, scorer, batch, expected)
		})
	}
}

func checkExpected(t *testing.T, scorer *Scorer, batch arrow.RecordBatch, expected []expectedRow) {
	got := mustScore(t, scorer, batch)
	if len(got.Bad) != 0 {
		t.Errorf("bad rows %v, want none", got.Bad)
	}
	bound, err := scorer.Bind(batch.Schema(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	bound.batch.reset(len(expected))
	if err := bound.gather(batch); err != nil {
		t.Fatal(err)
	}
	margins := make([]float64, len(expected))
	if err := scorer.core.(*logistic).margins(&bound.batch, margins); err != nil {
		t.Fatal(err)
	}
	ids := batch.Column(batch.Schema().FieldIndices("id")[0])
	worst := 0.0
	for row, want := range expected {
		if id := ids.ValueStr(row); id != want.id {
			t.Fatalf("row %d is %s, want %s", row, id, want.id)
		}
		worst = max(worst, math.Abs(got.Probability[row]-want.prob), math.Abs(margins[row]-want.margin))
	}
	t.Logf("worst difference %g", worst)
	if worst > 1e-12 {
		t.Errorf("a probability or a margin is %g off, want at most 1e-12", worst)
	}
}
