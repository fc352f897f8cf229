package forest

// blockRows is the number of rows that are scored at once: their cells stay in
// the processor's cache while all trees pass over them.
const blockRows = 256

// Batch scores many rows at once, with the bits of [Model.Margin]. It holds
// memory of its own: one per worker, not safe for concurrent use. A row takes 2
// bytes for each way in which the trees look at a feature.
//
//	b.Reset(rows)
//	b.Set(0, ages) // and so on, for every feature
//	b.Margins(out)
type Batch struct {
	model   *Model
	plan    *plan // nil: row by row
	rows    int
	cells   []uint16    // block by block, in each slot by slot
	columns [][]float64 // of the features in use, where there is no plan
	inUse   []bool      // by feature, the same
	sums    []float32   // of a linear model, by row
	single  [blockRows]float32
	double  [blockRows]float64
	left    [blockRows]uint64
}

// NewBatch prepares to score with the rounds that count now; a later call of
// [Model.Use] is not seen. Linear models and linear trees are scored row by row,
// and so is a model beyond what the layout holds: 4,095 ways of looking at
// features, 65,535 thresholds or categories of a feature, 1,048,576 nodes of a
// tree, 16 MiB of category tables.
func (m *Model) NewBatch() *Batch {
	frozen := *m
	b := &Batch{model: &frozen, plan: compile(&frozen)}
	if b.plan == nil {
		b.inUse = frozen.inUse()
	}
	return b
}

// Share gives another Batch for the same model; what does not change is shared.
func (b *Batch) Share() *Batch { return &Batch{model: b.model, plan: b.plan, inUse: b.inUse} }

// Reset begins a batch of so many rows.
func (b *Batch) Reset(rows int) {
	b.rows = rows
	switch {
	case b.plan != nil:
		blocks := (rows + blockRows - 1) / blockRows
		b.cells = resize(b.cells, max(1, len(b.plan.slots))*blocks*blockRows) // a model of single leaves has no slot
	case b.model.linear != nil:
		b.sums = resize(b.sums, rows)
		for r := range b.sums {
			b.sums[r] = b.model.base + b.model.linear.bias
		}
	case b.columns == nil:
		b.columns = make([][]float64, len(b.model.Features))
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n)
}

// Set gives feature f of every row, as [Model.Margin] takes it: NaN where it is
// missing. Features are set once and in their order, as a linear model adds them
// up. Nothing of values is kept.
func (b *Batch) Set(f int, values []float64) {
	values = values[:b.rows]
	switch {
	case b.plan != nil:
		b.plan.fill(b.cells, f, values, b.model.Kind == XGBoost)
	case b.model.linear != nil:
		b.model.linear.add(b.sums, f, values)
	case b.inUse[f]:
		b.columns[f] = append(b.columns[f][:0], values...)
	}
}

// Margins sets out[r] to the margin of row r, for each row of the batch. Every
// feature must have been set since [Batch.Reset].
func (b *Batch) Margins(out []float64) {
	out = out[:b.rows]
	switch {
	case b.plan != nil:
		b.blockByBlock(out)
	case b.model.linear != nil:
		for r, sum := range b.sums {
			out[r] = float64(sum)
		}
	default:
		b.rowByRow(out)
	}
}

func (b *Batch) blockByBlock(out []float64) {
	width := max(1, len(b.plan.slots)) * blockRows
	for from := 0; from < len(out); from += blockRows {
		cells := b.cells[from/blockRows*width:][:width]
		block := out[from:min(from+blockRows, len(out))]
		if b.model.Kind == XGBoost {
			addTrees(b, cells, &b.single, b.model.base, len(block), (*planTree).leaves32)
			for r := range block {
				block[r] = float64(b.single[r])
			}
		} else {
			addTrees(b, cells, &b.double, 0, len(block), (*planTree).leaves64)
			copy(block, b.double[:])
		}
	}
}

func (t *planTree) leaves32() []float32 { return t.values32 }
func (t *planTree) leaves64() []float64 { return t.values64 }

// addTrees adds the leaves of all trees to start, tree after tree. What it gives
// for the places behind the last row is not used.
func addTrees[T float32 | float64](b *Batch, cells []uint16, sums *[blockRows]T, start T, rows int, leaves func(*planTree) []T) {
	for r := range sums {
		sums[r] = start
	}
	for i := range b.plan.trees {
		t := &b.plan.trees[i]
		if t.lookups != nil {
			addLookedUp(b.plan, t, cells, sums[:], b.left[:], leaves(t))
		} else {
			addWalked(b.plan, t, cells, sums, rows, leaves(t))
		}
	}
}

func (b *Batch) rowByRow(out []float64) {
	row := make([]float64, len(b.columns))
	for r := range out {
		for f, column := range b.columns {
			if b.inUse[f] {
				row[f] = column[r]
			}
		}
		out[r] = b.model.Margin(row)
	}
}
