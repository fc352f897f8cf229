package forest

import (
	"errors"
	"math"
	"testing"
)

func FuzzXGBoostJSON(f *testing.F) {
	f.Add([]byte(smallXGBoost))
	f.Add([]byte(smallLinear))
	f.Fuzz(checkAny)
}

func FuzzXGBoostUBJSON(f *testing.F) {
	f.Add(smallUBJSON(f, smallXGBoost))
	f.Add(smallUBJSON(f, smallLinear))
	f.Fuzz(checkAny)
}

func FuzzLightGBM(f *testing.F) {
	f.Add([]byte(smallLightGBM))
	f.Fuzz(checkAny)
}

// checkAny holds for any file: it is refused with an error of a kind, or it is a
// model that
// scores, in a batch as row by row.
func checkAny(t *testing.T, data []byte) {
	lim := defaultLimits()
	lim.features, lim.setWords = 1000, 1<<16
	m, err := read(data, lim)
	if err != nil {
		if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrUnsupported) {
			t.Fatalf("an error of no kind: %v", err)
		}
		return
	}
	checkScores(t, m)
}

func checkScores(t *testing.T, m *Model) {
	var rows [][]float64
	for _, x := range []float64{0, 1, -3.5, 1e30, math.NaN(), math.Inf(1)} {
		row := make([]float64, len(m.Features))
		for i := range row {
			row[i] = x
		}
		rows = append(rows, row)
		m.Probability(m.Margin(row), math.Exp)
	}
	checkBatch(t, m, rows)
}
