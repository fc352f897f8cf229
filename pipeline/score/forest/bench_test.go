package forest

import (
	"path/filepath"
	"testing"
)

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
			columns := make([][]float64, len(m.Features))
			for f := range columns {
				for r := range 64 * blockRows {
					columns[f] = append(columns[f], rows[r%len(rows)][f])
				}
			}
			out := make([]float64, 64*blockRows)
			batch := m.NewBatch()
			for b.Loop() {
				batch.Reset(len(out))
				for f, column := range columns {
					batch.Set(f, column)
				}
				batch.Margins(out)
			}
			perTree := float64(b.N) * float64(len(out)) * float64(m.Trees())
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/perTree, "ns/row/tree")
		})
	}
}
