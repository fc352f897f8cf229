package forest

// Kind is the library that saved a model.
type Kind string

// The libraries whose files are read.
const (
	XGBoost  Kind = "xgboost"
	LightGBM Kind = "lightgbm"
)

// Model is a boosted model ready to be evaluated. It may be shared between
// goroutines once [Model.Use] has been called for the last time.
type Model struct {
	Kind     Kind
	Features []Feature // in the order of a row

	// Rounds is the number of boosting rounds in the file. A round is one tree,
	// or several grown side by side (num_parallel_tree of XGBoost).
	Rounds int

	// BestIteration is the round, from 0, that early stopping found best, or -1
	// when the file names none. LightGBM saves only the rounds up to the best
	// and so never names one. XGBoost 1.x names the last round where training
	// did not stop early.
	BestIteration int

	trees  []tree
	ends   []int   // trees up to the end of each round
	linear *linear // gblinear of XGBoost: no trees
	base   float32 // margin before the first tree; XGBoost only
	output output
	rounds int // that count, at most Rounds
	used   int // trees of these rounds
}

// Feature is one input of a model.
type Feature struct {
	// Name is empty where the file knows its features by position only. LightGBM
	// writes an underscore for a blank in a column's name.
	Name string

	// Categorical features are given as codes: whole numbers from 0.
	Categorical bool

	// Categories are the texts that stand for the codes 0, 1, 2.. in the data
	// frame of training, nil where the file does not hold them.
	Categories []string

	// Numbers says that the categories were numbers in the data frame, kept
	// here as decimal text: a number column is not yet the code.
	Numbers bool
}

// Iterations chooses the rounds that count: Best, All, or a number of rounds.
type Iterations int

const (
	// Best is the rounds up to the best iteration where the file names one, and
	// all where it does not: what scikit-learn wrappers predict with.
	Best Iterations = 0
	// All is every round in the file: what Booster.predict of XGBoost uses.
	All Iterations = -1
)

// Use chooses the rounds that [Model.Margin] adds; a model just read uses Best.
// More rounds than the file holds are an error of kind ErrUnsupported. The
// rounds of a linear model are not apart in its file: it has no choice.
func (m *Model) Use(iterations Iterations) error {
	rounds := m.Rounds
	switch {
	case iterations > 0:
		rounds = int(iterations)
	case iterations == Best && m.BestIteration >= 0 && m.linear == nil:
		rounds = m.BestIteration + 1
	case iterations < All:
		return unsupported("%d rounds: ask for best, all or a number above 0", iterations)
	}
	if rounds > m.Rounds || m.linear != nil && rounds != m.Rounds {
		return unsupported("%d rounds were asked for and the model has %d: ask for best or all", rounds, m.Rounds)
	}
	m.rounds, m.used = rounds, 0
	if m.linear == nil && rounds > 0 {
		m.used = m.ends[rounds-1]
	}
	return nil
}

// Used is the number of rounds that count.
func (m *Model) Used() int { return m.rounds }

// Trees is the number of trees that count; 0 for a linear model.
func (m *Model) Trees() int { return m.used }

// RefusesInfinity reports whether the library refuses to score a row with an
// infinite value. XGBoost does, and takes any value whose float32 is infinite
// for one; LightGBM scores it.
func (m *Model) RefusesInfinity() bool { return m.Kind == XGBoost }
