package forest

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

func (f *xgbFile) model(lim limits) (*Model, error) {
	if err := f.checkForm(); err != nil {
		return nil, err
	}
	m := &Model{Kind: XGBoost, BestIteration: none}
	steps := []func(*Model, *limits) error{f.setOutput, f.setFeatures, f.setCategories, f.setTrees, f.setRounds}
	for _, step := range steps {
		if err := step(m, &lim); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// checkForm refuses what is not a model of one score.
func (f *xgbFile) checkForm() error {
	switch {
	case f.booster.name == "":
		return broken("learner: gradient_booster: no name")
	case !slices.Contains([]string{"gbtree", "dart", "gblinear"}, f.booster.name):
		return unsupported("the booster %q is not known: train gbtree, dart or gblinear", clip(f.booster.name))
	}
	for _, one := range []struct{ name, value, advice string }{
		{"num_class", f.classes, "a model of several classes: train binary:logistic"},
		{"num_target", f.targets, "a model of several targets: train one model for each"},
		{"size_leaf_vector", f.booster.leafVector, "leaves that hold vectors: train one target"},
	} {
		n, err := wholeOr(one.value, 0)
		if err != nil {
			return within(one.name, err)
		}
		if n > 1 {
			return unsupported("%s is %d, %s", one.name, n, one.advice)
		}
	}
	return nil
}

// wholeOr reads a whole number from 0 written as text, or gives other for none.
func wholeOr(s string, other int) (int, error) {
	if s == "" {
		return other, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return 0, broken("%q is not a whole number from 0", clip(s))
	}
	return int(n), nil
}

// xgbObjectives are the objectives whose output is a probability or can be
// taken for one, by their names in XGBoost 1.7 to 3.4.
var xgbObjectives = map[string]transform{
	"binary:logistic":      logistic32,
	"reg:logistic":         logistic32,
	"binary:logitraw":      logistic64,
	"reg:squarederror":     identity,
	"reg:linear":           identity,
	"reg:absoluteerror":    identity,
	"reg:pseudohubererror": identity,
}

func (f *xgbFile) setOutput(m *Model, _ *limits) error {
	t, known := xgbObjectives[f.objective]
	if !known {
		return refuseObjective(f.objective, "binary:logistic")
	}
	m.output = output{transform: t, scale: 1}
	base, err := f.base(t)
	m.base = base
	return within("base_score", err)
}

// base gives the margin before the first tree. base_score is a probability; it
// is turned into a margin in float32, and from 3.1 on kept away from 0 and 1
// first. The margin of binary:logitraw and of regression is base_score itself.
func (f *xgbFile) base(t transform) (float32, error) {
	s := strings.TrimSuffix(strings.TrimPrefix(f.baseScore, "["), "]")
	if strings.Contains(s, ",") {
		return 0, unsupported("%q has several values, a model of several targets: train one model for each", clip(f.baseScore))
	}
	wide, err := strconv.ParseFloat(s, 32)
	p := float32(wide)
	if err != nil || math.IsNaN(wide) || math.IsInf(wide, 0) {
		return 0, broken("%q is not a finite number", clip(f.baseScore))
	}
	if t != logistic32 {
		return p, nil
	}
	if f.since(3, 1) {
		p = min(max(p, 1e-6), 1-1e-6)
	}
	if p <= 0 || p >= 1 {
		return 0, broken("%v is not a probability between 0 and 1", p)
	}
	odds := float32(float32(1)/p) - 1
	return -logf(odds), nil
}

// since reports whether the file was written by version major.minor or later.
func (f *xgbFile) since(major, minor int32) bool {
	return len(f.version) >= 2 && slices.Compare(f.version[:2], []int32{major, minor}) >= 0
}

func (f *xgbFile) setTrees(m *Model, lim *limits) error {
	b := &f.booster
	if b.name == "gblinear" {
		if len(b.weights) != len(m.Features)+1 {
			return broken("gblinear has %d weights for %d features and the bias", len(b.weights), len(m.Features))
		}
		m.linear = &linear{bias: b.weights[len(m.Features)], weights: b.weights[:len(m.Features)]}
		return checkFinite(b.weights)
	}
	if b.name == "dart" && b.dropped == nil || b.dropped != nil && len(b.dropped) != len(b.trees) {
		return broken("weight_drop has %d entries for %d trees", len(b.dropped), len(b.trees))
	}
	for i := range b.trees {
		weight := float32(1)
		if b.dropped != nil {
			weight = b.dropped[i]
		}
		t, err := b.trees[i].build(weight, len(m.Features), lim)
		if err != nil {
			return within("tree "+strconv.Itoa(i), err)
		}
		b.trees[i] = xgbTree{}
		m.trees = append(m.trees, t)
	}
	return nil
}

func checkFinite(weights []float32) error {
	for i, w := range weights {
		if w-w != 0 {
			return broken("gblinear: weight %d is %v", i, w)
		}
	}
	return nil
}
