package score

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/churntier/churntier/pipeline/score/forest"
)

// ErrOptions is the kind of every error about options that do not fit the model.
var ErrOptions = errors.New("the options do not fit the model")

// ErrModel is the kind of every error about a model file: what it is, what is
// wrong with it, what to do.
var ErrModel = errors.New("not a model that can be used")

// maxLogisticBytes bounds the file of a logistic regression.
const maxLogisticBytes = 64 << 20

// ReadModel reads a model file, told by its content; name is for messages. It
// reads what XGBoost saves (JSON and UBJSON) and LightGBM (text), and both forms
// of logistic regression:
//
//	{"features": [name..], "coefficients": [number..], "intercept": b}
//
//	{"kind": "logistic_regression_pipeline",
//	 "numeric": [{"name", "median", "mean", "scale", "coef"}..],
//	 "categorical": [{"name", "missing", "coef": {value: coefficient}}..],
//	 "intercept": b}
//
// The plain form has no rule for a missing value: such a row is bad. In the
// pipeline a missing number is the median, and a missing text is the one named
// by "missing"; a category without a coefficient adds 0.
//
// Every other format is refused by name, and so are options that do not fit the
// model. The error is of the kind [ErrModel], or [ErrOptions].
func ReadModel(name string, data []byte, o Options) (*Scorer, error) {
	s, err := readModel(data, o)
	if errors.Is(err, ErrOptions) {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("model %s: %w: %w", name, ErrModel, err)
	}
	s.title = "model " + name
	return s, nil
}

func readModel(data []byte, o Options) (*Scorer, error) {
	core, err := readCore(bytes.TrimPrefix(data, []byte("\ufeff")), o.Iterations)
	if err != nil {
		return nil, err
	}
	if err := checkNames(core.features()); err != nil {
		return nil, err
	}
	sources, err := newSources(o, core.features())
	return &Scorer{core: core, sources: sources}, err
}

func readCore(data []byte, iterations forest.Iterations) (core, error) {
	if forest.Is(data) {
		return readBoosted(data, iterations)
	}
	for _, f := range foreignFormats {
		if f.is(data) {
			return nil, f.refusal()
		}
	}
	switch {
	case len(data) > maxLogisticBytes:
		return nil, fmt.Errorf("it has %d bytes and is no model of XGBoost or LightGBM, want at most %d", len(data), maxLogisticBytes)
	case !utf8.Valid(data):
		return nil, errors.New("it is not UTF-8 text, want a model of XGBoost or LightGBM, or a logistic regression as JSON")
	case iterations != forest.Best:
		return nil, fmt.Errorf("%w: iterations: a logistic regression has none", ErrOptions)
	}
	return readLogistic(data)
}

// foreignFormat is a model format that is known and not read.
type foreignFormat struct {
	name   string
	is     func([]byte) bool
	advice string
}

func (f foreignFormat) refusal() error { return fmt.Errorf("it is %s: %s", f.name, f.advice) }

const (
	exportJSON = "export its coefficients as JSON"
	saveModel  = `save the model with save_model("model.json") in XGBoost, save_model("model.txt") in LightGBM`
)

var (
	foreignFormats = []foreignFormat{
		{"an empty file", blank, "write the model again"},
		{"an XGBoost binary model", startsWith("binf"), `load it in XGBoost before 3.1 and save_model("model.json")`},
		{"a Python pickle", isPickle, "never loaded, as it can run any code; " + saveModel + ", or " + exportJSON},
		{"a dump of trees and no model", isDump, saveModel},
		{"a CatBoost model", startsWith("CBM1"), "not supported; train with XGBoost or LightGBM"},
		{"an ONNX model", isONNX, saveModel + ", or " + exportJSON},
		{"a PMML model", isXML, saveModel + ", or " + exportJSON},
		{"a compressed file", startsWith("\x1f\x8b", "PK\x03\x04", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ"), "unpack it"},
		{"an HDF5 file", startsWith("\x89HDF"), exportJSON},
	}

	// foreignKeys are top-level keys that tell another library's JSON.
	foreignKeys = map[string]foreignFormat{
		"tree_info":       {"a JSON dump of a LightGBM model", nil, `save it with save_model("model.txt")`},
		"oblivious_trees": {"a CatBoost model", nil, "not supported; train with XGBoost or LightGBM"},
		"features_info":   {"a CatBoost model", nil, "not supported; train with XGBoost or LightGBM"},
	}
)

func blank(data []byte) bool { return len(bytes.TrimSpace(data)) == 0 }

func startsWith(prefixes ...string) func([]byte) bool {
	return func(data []byte) bool {
		for _, p := range prefixes {
			if bytes.HasPrefix(data, []byte(p)) {
				return true
			}
		}
		return false
	}
}

// isPickle tells protocols 2 to 5 by their first two bytes, and the text
// protocol of old by how an object begins.
func isPickle(data []byte) bool {
	if len(data) > 1 && data[0] == 0x80 && 2 <= data[1] && data[1] <= 5 {
		return true
	}
	return startsWith("ccopy_reg\n", "ccopyreg\n", "csklearn", "(dp", "(lp", "(i")(data)
}

// isDump tells the text and the JSON that get_dump and dump_model of XGBoost give.
func isDump(data []byte) bool {
	head := bytes.TrimSpace(data[:min(len(data), 4096)])
	return bytes.HasPrefix(head, []byte("booster[0]")) ||
		bytes.HasPrefix(head, []byte("[")) && bytes.Contains(head, []byte(`"nodeid"`))
}

// isONNX tells the protobuf of an ONNX model: field 1, its version, then field 2,
// its producer, or field 7, its graph.
func isONNX(data []byte) bool {
	return len(data) > 2 && data[0] == 0x08 && data[1] < 0x20 && (data[2] == 0x12 || data[2] == 0x3a)
}

func isXML(data []byte) bool {
	head := bytes.TrimSpace(data[:min(len(data), 4096)])
	return bytes.HasPrefix(head, []byte("<?xml")) || bytes.HasPrefix(head, []byte("<PMML"))
}
