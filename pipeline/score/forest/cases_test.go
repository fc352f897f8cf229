package forest

import (
	"context"
	"encoding/csv"
	stdjson "encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

const shared = "../../../../shared/models"

// referenceCases gives the folders of reference cases of a family.
func referenceCases(t testing.TB, pattern string) []string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(shared, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) == 0 {
		t.Skip("no reference models at " + shared)
	}
	return folders
}

// TestReferenceCases scores the inputs of every reference model and compares
// with what its library gave: margins by their bits.
func TestReferenceCases(t *testing.T) {
	tolerances := map[Kind]float64{XGBoost: 2e-7, LightGBM: 1e-15}
	for _, folder := range append(referenceCases(t, "xgb*"), referenceCases(t, "lgb*")...) {
		want := readExpected(t, folder)
		for _, path := range modelFiles(t, folder) {
			m := readModel(t, path)
			if strings.HasSuffix(folder, "_early_all") {
				mustUse(t, m, All)
			}
			for _, input := range glob(t, filepath.Join(folder, "input*.parquet")) {
				unequal, worst := compare(m, readRows(t, input, m), want)
				t.Logf("%-45s %-10s %-22s %4d rows: %d margins differ, probability within %.2g",
					filepath.Base(folder), filepath.Base(path), filepath.Base(input), len(want), unequal, worst)
				if unequal > 0 || !(worst <= tolerances[m.Kind]) {
					t.Errorf("%s: %d margins differ, probability %g from the library's", path, unequal, worst)
				}
			}
		}
	}
}

// compare counts the margins that are not equal to the bit, and gives the
// largest difference of a probability.
func compare(m *Model, rows [][]float64, want []expected) (unequal int, worst float64) {
	for i, w := range want {
		margin := m.Margin(rows[i])
		if math.Float64bits(margin) != math.Float64bits(w.margin) {
			unequal++
		}
		p := w.prob
		if m.Kind == XGBoost && m.output.transform == logistic64 {
			p = 1 / (1 + math.Exp(-w.margin)) // binary:logitraw: its prob column is the margin
		}
		worst = max(worst, math.Abs(m.Probability(margin, math.Exp)-p))
	}
	return unequal, worst
}

// TestFeaturesAreTheCases checks what a model says of its inputs against the
// case's own description.
func TestFeaturesAreTheCases(t *testing.T) {
	for _, folder := range append(referenceCases(t, "xgb*"), referenceCases(t, "lgb*")...) {
		var meta struct {
			Features   []string
			Categories map[string][]string
		}
		if err := stdjson.Unmarshal(readFile(t, filepath.Join(folder, "meta.json")), &meta); err != nil {
			t.Fatal(err)
		}
		for _, path := range modelFiles(t, folder) {
			m := readModel(t, path)
			var names []string
			for _, f := range m.Features {
				names = append(names, f.Name)
				if c := meta.Categories[f.Name]; f.Categories != nil && c != nil && !slices.Equal(f.Categories, c) {
					t.Errorf("%s: categories of %s are %q, want %q", path, f.Name, f.Categories, c)
				}
			}
			same := func(a, b string) bool { return a == nameIn(m, b) }
			if !slices.EqualFunc(names, meta.Features, same) {
				t.Errorf("%s: features %q, want %q", path, names, meta.Features)
			}
		}
	}
}

// TestBothSpellings checks that a model is the same from JSON and UBJSON.
func TestBothSpellings(t *testing.T) {
	for _, folder := range referenceCases(t, "xgb*") {
		a := readModel(t, filepath.Join(folder, "model.json"))
		b := readModel(t, filepath.Join(folder, "model.ubj"))
		if fmt.Sprintf("%+v", *a) != fmt.Sprintf("%+v", *b) && a.linear == nil {
			t.Errorf("%s: the model of model.json is not that of model.ubj", folder)
		}
	}
}

// expected is a line of expected.csv.
type expected struct{ margin, prob float64 }

func readExpected(t testing.TB, folder string) []expected {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(string(readFile(t, filepath.Join(folder, "expected.csv"))))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []expected
	for _, line := range lines[1:] {
		margin, err1 := strconv.ParseFloat(line[1], 64)
		prob, err2 := strconv.ParseFloat(line[2], 64)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		list = append(list, expected{margin, prob})
	}
	return list
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %d files", pattern, err, len(paths))
	}
	return paths
}

func modelFiles(t testing.TB, folder string) []string {
	return glob(t, filepath.Join(folder, "model.*"))
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readModel(t testing.TB, path string) *Model {
	t.Helper()
	m, err := Read(readFile(t, path))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return m
}

func mustUse(t testing.TB, m *Model, iterations Iterations) {
	t.Helper()
	if err := m.Use(iterations); err != nil {
		t.Fatal(err)
	}
}

// TestBatchesOfCases checks that batches give the reference evaluator's bits on
// every reference input, in a batch of its own and in one of several blocks.
func TestBatchesOfCases(t *testing.T) {
	for _, folder := range append(referenceCases(t, "xgb*"), referenceCases(t, "lgb*")...) {
		m := readModel(t, modelFiles(t, folder)[0])
		rows := readRows(t, filepath.Join(folder, "input.parquet"), m)
		checkBatch(t, m, rows)
		checkBatch(t, m, slices.Concat(rows[:1], rows, rows[:7]))
	}
}

// checkBatch compares a batch's margins with the reference evaluator's, bit by
// bit.
func checkBatch(t testing.TB, m *Model, rows [][]float64) {
	t.Helper()
	columns := make([][]float64, len(m.Features))
	for f := range columns {
		for _, row := range rows {
			columns[f] = append(columns[f], row[f])
		}
	}
	got := make([]float64, len(rows))
	batch := m.NewBatch().Share()
	batch.Reset(len(rows))
	for f, column := range columns {
		batch.Set(f, column)
	}
	batch.Margins(got)
	for r, row := range rows {
		if want := m.Margin(row); math.Float64bits(got[r]) != math.Float64bits(want) {
			t.Fatalf("%s: row %d %v: batch gives %v, reference %v", m.Kind, r, row, got[r], want)
		}
	}
}

// nameIn gives a column's name as a model writes it: LightGBM has underscores
// for blanks.
func nameIn(m *Model, column string) string {
	if m.Kind == LightGBM {
		return strings.ReplaceAll(column, " ", "_")
	}
	return column
}

// readRows reads the model's features of a parquet file, row by row.
func readRows(t testing.TB, path string, m *Model) [][]float64 {
	t.Helper()
	pf, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer pf.Close()
	reader, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := reader.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	rows := make([][]float64, table.NumRows())
	for i := range rows {
		rows[i] = make([]float64, len(m.Features))
	}
	for f, feature := range m.Features {
		at := slices.IndexFunc(table.Schema().Fields(), func(c arrow.Field) bool { return nameIn(m, c.Name) == feature.Name })
		if at < 0 {
			t.Fatalf("%s: no column %q", path, feature.Name)
		}
		row := 0
		for _, chunk := range table.Column(at).Data().Chunks() {
			for i := range chunk.Len() {
				rows[row][f] = valueOf(t, chunk, i, feature)
				row++
			}
		}
	}
	return rows
}

// valueOf gives a value as a model takes it: a text by its place among the
// feature's categories.
func valueOf(t testing.TB, column arrow.Array, i int, feature Feature) float64 {
	if column.IsNull(i) {
		return math.NaN()
	}
	switch c := column.(type) {
	case *array.Float64:
		return c.Value(i)
	case *array.Int64:
		return float64(c.Value(i))
	case *array.String:
		code := slices.Index(feature.Categories, c.Value(i))
		if code < 0 {
			t.Fatalf("%q is no category of %s", c.Value(i), feature.Name)
		}
		return float64(code)
	}
	t.Fatalf("column %s is %v", feature.Name, column.DataType())
	return 0
}
