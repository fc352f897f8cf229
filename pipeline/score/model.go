package score

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrModel is the kind of every error about a model file: what it is, what is
// wrong with it, what to do.
var ErrModel = errors.New("not a model that can be used")

// maxModelBytes bounds a model file.
const maxModelBytes = 64 << 20

// ReadModel reads a model file, told by its content; name is for messages. It
// reads both forms of logistic regression:
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
// Every other format is refused by name. The error is of the kind [ErrModel].
func ReadModel(name string, data []byte) (Scorer, error) {
	model, err := readModel(data)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w: %w", name, ErrModel, err)
	}
	model.name = name
	return model, nil
}

func readModel(data []byte) (*logistic, error) {
	if len(data) > maxModelBytes {
		return nil, fmt.Errorf("it has %d bytes, want at most %d", len(data), maxModelBytes)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for _, f := range foreignFormats {
		if f.is(data) {
			return nil, f.refusal()
		}
	}
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8 text, want a logistic regression as JSON")
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
	notYet     = "not supported yet, only logistic regression as JSON is"
	exportJSON = "export its coefficients as JSON"
)

var (
	foreignFormats = []foreignFormat{
		{"an empty file", blank, "write the model again"},
		{"an XGBoost UBJSON model", startsWith("{L\x00\x00\x00\x00"), notYet},
		{"an XGBoost binary model", startsWith("binf"), `load it in XGBoost before 3.1 and save_model("model.json")`},
		{"a LightGBM text model", startsWith("tree\n", "tree\r\n"), notYet},
		{"a Python pickle", isPickle, "never loaded, as it can run any code; " + exportJSON},
		{"an ONNX model", isONNX, exportJSON},
		{"a PMML model", isXML, exportJSON},
		{"a compressed file", startsWith("\x1f\x8b", "PK\x03\x04", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ"), "unpack it"},
		{"an HDF5 file", startsWith("\x89HDF"), exportJSON},
	}

	// foreignKeys are top-level keys that tell another library's JSON.
	foreignKeys = map[string]foreignFormat{
		"learner":         {"an XGBoost JSON model", nil, notYet},
		"tree_info":       {"a JSON dump of a LightGBM model", nil, notYet},
		"oblivious_trees": {"a CatBoost JSON model", nil, exportJSON},
		"features_info":   {"a CatBoost JSON model", nil, exportJSON},
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

// isONNX tells the protobuf of an ONNX model: field 1, its version, then field 2,
// its producer, or field 7, its graph.
func isONNX(data []byte) bool {
	return len(data) > 2 && data[0] == 0x08 && data[1] < 0x20 && (data[2] == 0x12 || data[2] == 0x3a)
}

func isXML(data []byte) bool {
	head := bytes.TrimSpace(data[:min(len(data), 4096)])
	return bytes.HasPrefix(head, []byte("<?xml")) || bytes.HasPrefix(head, []byte("<PMML"))
}
