package forest

import "strings"

// transform is the way from a margin to a probability.
type transform uint8

const (
	logistic32 transform = iota // in float32, as XGBoost
	logistic64                  // in float64, as LightGBM
	identity                    // the margin is taken for the probability
)

// output is how a model's margin becomes its probability.
type output struct {
	transform transform
	scale     float64 // of the margin: sigmoid of LightGBM, else 1
	average   bool    // the margin is divided by the rounds: average_output of LightGBM
}

// Probability gives the probability of a margin of this model, with exp for
// the exponential function.
//
// binary:logistic and reg:logistic of XGBoost: 1/(e^min(-m,88.7) + 1 + 1e-16),
// in float32. binary of LightGBM: 1/(1+e^(-sigmoid*m)), where a random forest
// (average_output) has m divided by the rounds that count. cross_entropy of
// LightGBM, and binary:logitraw, whose own output is the margin: 1/(1+e^-m).
// Regression: the margin itself, which may lie outside 0..1.
func (m *Model) Probability(margin float64, exp func(float64) float64) float64 {
	if m.output.average {
		margin /= float64(m.rounds)
	}
	switch m.output.transform {
	case logistic32:
		e := float32(exp(float64(min(-float32(margin), 88.7))))
		return float64(1 / (e + 1 + 1e-16))
	case logistic64:
		return 1 / (1 + exp(float64(-m.output.scale*margin)))
	}
	return margin
}

// refused are the objectives that are not read, by how their names begin in
// either library, with what they are.
var refused = []struct{ start, what string }{
	{"multi", "a model of several classes"},
	{"softmax", "a model of several classes"},
	{"rank", "a ranking, whose scores are not probabilities"},
	{"lambdarank", "a ranking, whose scores are not probabilities"},
	{"xendcg", "a ranking, whose scores are not probabilities"},
	{"survival:", "a model of survival times"},
	{"binary:hinge", "a classifier that gives 0 or 1 and no probability"},
	{"count:", "a model of counts"},
	{"poisson", "a model of counts"},
	{"reg:gamma", "a regression with a log link"},
	{"reg:tweedie", "a regression with a log link"},
	{"gamma", "a regression with a log link"},
	{"tweedie", "a regression with a log link"},
	{"cross_entropy_lambda", "a model of intensities"},
}

// refuseObjective says why an objective is not read and which one is.
func refuseObjective(name, instead string) error {
	if name == "" {
		return unsupported("the file names no objective, as with an objective of your own: train with %s", instead)
	}
	for _, r := range refused {
		if strings.HasPrefix(name, r.start) {
			return unsupported("the objective %q is %s: train with %s", clip(name), r.what, instead)
		}
	}
	return unsupported("the objective %q is not known: train with %s", clip(name), instead)
}
