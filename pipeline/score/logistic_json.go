package score

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	plainKind    = "logistic_regression"
	pipelineKind = "logistic_regression_pipeline"

	maxFeatures   = 10_000
	maxCategories = 1_000_000 // over all features of a model
)

// logisticFile is a logistic regression as it stands in the file, either form.
type logisticFile struct {
	json *strictJSON
	keys map[string]bool // that are there

	kind         string
	intercept    float64
	features     []string
	coefficients []float64
	numbers      []numberTerm
	texts        []textTerm
	categories   int // read so far
}

func readLogistic(data []byte) (*logistic, error) {
	f := &logisticFile{json: newStrictJSON(data), keys: map[string]bool{}}
	if err := f.json.object(f.field); err != nil {
		return nil, err
	}
	if err := f.json.end(); err != nil {
		return nil, err
	}
	return f.model()
}

// field reads one key of the top level. A key that is not known is refused, as
// it could change what the model means; only descriptions are passed over.
func (f *logisticFile) field(key string) error {
	f.keys[key] = true
	switch key {
	case "kind":
		return f.json.text(&f.kind)
	case "intercept":
		return f.json.number(&f.intercept)
	case "features":
		return f.json.array(f.plainFeature)
	case "coefficients":
		return f.json.array(f.plainCoefficient)
	case "numeric":
		return f.json.array(f.numeric)
	case "categorical":
		return f.json.array(f.categorical)
	case "name", "description", "comment":
		return f.json.text(new(string))
	}
	if foreign, ok := foreignKeys[key]; ok {
		return foreign.refusal()
	}
	return unknownKey("kind intercept features coefficients numeric categorical name description comment")
}

func unknownKey(known string) error {
	return errors.New("unknown key, want one of: " + strings.ReplaceAll(known, " ", ", "))
}

func (f *logisticFile) plainFeature(i int) error {
	if i == maxFeatures {
		return tooMany("features", maxFeatures)
	}
	f.features = append(f.features, "")
	return f.json.text(&f.features[i])
}

func (f *logisticFile) plainCoefficient(i int) error {
	if i == maxFeatures {
		return tooMany("coefficients", maxFeatures)
	}
	f.coefficients = append(f.coefficients, 0)
	return f.json.number(&f.coefficients[i])
}

func tooMany(what string, limit int) error {
	return fmt.Errorf("too many %s, want at most %d", what, limit)
}

// model checks that the keys make one of the two forms.
func (f *logisticFile) model() (*logistic, error) {
	switch f.kind {
	case pipelineKind:
		if err := f.only("numeric or categorical", "features", "coefficients"); err != nil {
			return nil, err
		}
		return &logistic{form: pipelineKind, intercept: f.intercept, numbers: f.numbers, texts: f.texts}, nil
	case "":
		if err := f.only("features and coefficients", "kind", "numeric", "categorical"); err != nil {
			return nil, err
		}
		return f.plain()
	default:
		return nil, fmt.Errorf("its kind is %.60q, want %q, or no kind for the plain form", f.kind, pipelineKind)
	}
}

// only refuses the keys of the other form, and a model without an intercept.
func (f *logisticFile) only(wanted string, others ...string) error {
	for _, key := range others {
		if f.keys[key] {
			return fmt.Errorf("%s: does not go with this form of the model, want %s", strconv.Quote(key), wanted)
		}
	}
	if !f.keys["intercept"] {
		return fmt.Errorf(`"intercept" is missing, want it with %s`, wanted)
	}
	return nil
}

func (f *logisticFile) plain() (*logistic, error) {
	if len(f.features) != len(f.coefficients) {
		return nil, fmt.Errorf("%d features and %d coefficients, want as many of each", len(f.features), len(f.coefficients))
	}
	model := &logistic{form: plainKind, intercept: f.intercept}
	for i, feature := range f.features {
		model.numbers = append(model.numbers, numberTerm{
			feature: feature, missing: math.NaN(), scale: 1, coefficient: f.coefficients[i],
		})
	}
	return model, nil
}

func checkNames(features []feature) error {
	if len(features) == 0 {
		return errors.New("it has no features")
	}
	if len(features) > maxFeatures {
		return tooMany("features", maxFeatures)
	}
	seen := make(map[string]bool, len(features))
	for _, f := range features {
		switch {
		case f.name == "":
			return errors.New("a feature has an empty name")
		case seen[f.name]:
			return fmt.Errorf("feature %q comes twice", f.name)
		}
		seen[f.name] = true
	}
	return nil
}
