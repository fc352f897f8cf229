package score

import (
	"fmt"
	"math"
	"strconv"

	"github.com/churntier/churntier/pipeline/score/forest"
)

// boosted is a model of XGBoost or LightGBM.
type boosted struct {
	model        *forest.Model
	vocabularies []namedCategories // by feature
	batch        *forest.Batch     // what all formulas share
}

func readBoosted(data []byte, iterations forest.Iterations) (*boosted, error) {
	model, err := forest.Read(data)
	if err != nil {
		return nil, err
	}
	if err := model.Use(iterations); err != nil {
		return nil, fmt.Errorf("%w: iterations: %w", ErrOptions, err)
	}
	b := &boosted{model: model, batch: model.NewBatch()}
	for _, f := range model.Features {
		b.vocabularies = append(b.vocabularies, newNamedCategories(f))
	}
	return b, nil
}

func (b *boosted) kind() string { return string(b.model.Kind) }

// summary names the rounds that count, as it is a choice: XGBoost's own predict
// takes all of them, its scikit-learn wrapper those up to the best iteration.
func (b *boosted) summary() string {
	m := b.model
	rounds := counted(m.Used(), "round")
	if m.Used() < m.Rounds {
		rounds = fmt.Sprintf("%d of %s", m.Used(), counted(m.Rounds, "round"))
	}
	if m.BestIteration >= 0 {
		rounds += fmt.Sprintf(" (the best is %d)", m.BestIteration+1)
	}
	trees := counted(m.Trees(), "tree")
	if m.Trees() == 0 {
		trees = "linear"
	}
	return fmt.Sprintf("%s, %s, %s, %s", m.Kind, rounds, trees, counted(len(m.Features), "feature"))
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// features names a feature that the file knows by its position only as XGBoost's
// own dumps do: f0, f1..
func (b *boosted) features() []feature {
	all := make([]feature, len(b.model.Features))
	for i, f := range b.model.Features {
		all[i] = feature{name: f.Name, kind: Number, blanks: b.model.Kind == forest.LightGBM}
		if f.Name == "" {
			all[i].name = "f" + strconv.Itoa(i)
		}
		switch {
		case f.Categories != nil:
			all[i].kind = Category
		case f.Categorical:
			all[i].kind = CategoryCode
		}
	}
	return all
}

func (b *boosted) newFormula() formula { return &boostedFormula{b, b.batch.Share()} }

// boostedFormula is a boosted model with the working memory of one worker.
type boostedFormula struct {
	*boosted
	batch *forest.Batch
}

func (f *boostedFormula) evaluate(in *inputs, probability []float64) error {
	f.batch.Reset(len(probability))
	for i := range f.model.Features {
		values, err := f.valuesOf(in, i)
		if err != nil {
			return err
		}
		f.batch.Set(i, values)
	}
	f.batch.Margins(probability)
	for row, margin := range probability {
		probability[row] = f.model.Probability(margin, Exp) + 0 // adding 0 turns -0 into 0
	}
	if in.faulty {
		for row, fault := range in.faults[:len(probability)] {
			if fault.reason != Scored {
				probability[row] = math.NaN()
			}
		}
	}
	return nil
}

// valuesOf gives feature i as the model takes it. Rows with an infinity are
// rejected where the library refuses to score them.
func (f *boostedFormula) valuesOf(in *inputs, i int) (values []float64, err error) {
	isNamed := in.names[i].Kind == Category
	if isNamed {
		values, err = in.namedCodes(i, &f.vocabularies[i])
	} else {
		values, err = in.numbers(i)
	}
	if err != nil {
		return nil, err
	}
	missing := 0
	for row, x := range values {
		if x32 := float32(x); x32-x32 != 0 { // NaN or an infinity
			if x != x {
				missing++
			} else if f.model.RefusesInfinity() {
				in.reject(row, i, FeatureNotFinite)
			}
		}
	}
	if !isNamed && !in.names[i].OneHot { // these count for themselves
		in.counts[i].Missing = missing
	}
	return values, nil
}
