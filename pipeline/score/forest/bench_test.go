package forest

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// BenchmarkForest scores 200 full trees on ten numbers: of 64 leaves, which are
// looked up, and of 512, which are walked. Bytes are those of the features.
func BenchmarkForest(b *testing.B) {
	for name, depth := range map[string]int{"looked up": 6, "walked": 9} {
		for _, kind := range []Kind{XGBoost, LightGBM} {
			b.Run(name+"/"+string(kind), func(b *testing.B) {
				r := randomModel{rand.New(rand.NewPCG(1, 2))}
				m := &Model{Kind: kind, Features: make([]Feature, 10), BestIteration: none, Rounds: 200}
				for range m.Rounds {
					var t tree
					r.growFull(m, &t, depth)
					m.trees = append(m.trees, t)
					m.ends = append(m.ends, len(m.trees))
				}
				if err := m.Use(All); err != nil {
					b.Fatal(err)
				}
				benchmarkForest(b, m, r.rows(m, 64*blockRows))
			})
		}
	}
}

// growFull adds a subtree of number splits, parents first, and gives its root.
func (r randomModel) growFull(m *Model, t *tree, depth int) int32 {
	self := int32(len(t.nodes))
	t.nodes = append(t.nodes, node{feature: leaf, detail: none, value: float64(float32(r.NormFloat64()))})
	if depth > 0 {
		n := node{feature: int32(r.IntN(len(m.Features))), detail: none, value: r.number()}
		n.left, n.right = r.growFull(m, t, depth-1), r.growFull(m, t, depth-1)
		t.nodes[self] = n
	}
	return self
}

func benchmarkForest(b *testing.B, m *Model, rows [][]float64) {
	columns := make([][]float64, len(m.Features))
	for _, row := range rows {
		for f, x := range row {
			columns[f] = append(columns[f], x)
		}
	}
	out := make([]float64, len(rows))
	batch := m.NewBatch()
	b.SetBytes(int64(8 * len(columns) * len(rows)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset(len(out))
		for f, column := range columns {
			batch.Set(f, column)
		}
		batch.Margins(out)
	}
	perTree := float64(b.N) * float64(len(out)) * float64(m.Trees())
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/perTree, "ns/row/tree")
}

// BenchmarkBatches scores the inputs of reference models, repeated to 64 blocks,
// and prints the time per row and tree.
func BenchmarkBatches(b *testing.B) {
	for _, name := range []string{"xgb341_bank_deep500", "xgb341_telco_basic", "xgb341_bigml_cat51", "lgb460_telco_basic", "lgb460_telco_cat", "xgb174_bank_lossguide"} {
		folders, _ := filepath.Glob(filepath.Join(shared, name))
		if len(folders) == 0 {
			continue
		}
		b.Run(name, func(b *testing.B) {
			m := readModel(b, modelFiles(b, folders[0])[0])
			rows := readRows(b, filepath.Join(folders[0], "input.parquet"), m)
			repeated := make([][]float64, 64*blockRows)
			for i := range repeated {
				repeated[i] = rows[i%len(rows)]
			}
			benchmarkForest(b, m, repeated)
		})
	}
}
