package score

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

func TestReadModelKinds(t *testing.T) {
	for kind, data := range map[string]string{
		"logistic_regression":          plainModel,
		"logistic_regression_pipeline": "\ufeff" + pipelineModel + "\n",
	} {
		if got := mustModel(t, data).Kind(); got != kind {
			t.Errorf("kind %q, want %q", got, kind)
		}
	}
	mustModel(t, `{"name": "n", "description": "d", "comment": "c", "features": ["x"], "coefficients": [0], "intercept": -1e-400}`)
}

func TestReadModelRefuses(t *testing.T) {
	number := func(keys string) string {
		return `{"kind": "logistic_regression_pipeline", "intercept": 0, "numeric": [` + keys + `]}`
	}
	text := func(keys string) string {
		return `{"kind": "logistic_regression_pipeline", "intercept": 0, "categorical": [` + keys + `]}`
	}
	const term = `{"name": "x", "median": 0, "mean": 0, "scale": 1, "coef": 1}`
	for _, test := range []struct{ name, data, want string }{
		{"empty", " \n", "it is an empty file: write the model again"},
		{"pickle", "\x80\x04\x95", "it is a Python pickle: never loaded"},
		{"text pickle", "ccopy_reg\n_reconstructor", "it is a Python pickle: never loaded"},
		{"xgboost binary", "binf\x00", "it is an XGBoost binary model: load it in XGBoost before 3.1"},
		{"xgboost json", `{"learner": {"x": NaN}}`, "XGBoost JSON: learner: "},
		{"xgboost ubjson", "{L\x00\x00\x00\x00\x00\x00\x00\x07learner", "XGBoost UBJSON: learner: the file is cut off"},
		{"lightgbm", "tree\nversion=v4\n", "LightGBM text: the file is cut off after 0 trees"},
		{"lightgbm dump", `{"tree_info": []}`, `it is a JSON dump of a LightGBM model: save it with save_model("model.txt")`},
		{"xgboost dump", `[{"nodeid": 0}]`, "it is a dump of trees and no model: save the model with save_model"},
		{"xgboost text dump", "booster[0]:\n0:[f0<1]", "it is a dump of trees and no model: save the model with save_model"},
		{"catboost", `{"features_info": {}}`, "it is a CatBoost model: not supported; train with XGBoost or LightGBM"},
		{"catboost binary", "CBM1\x00", "it is a CatBoost model: not supported"},
		{"onnx", "\x08\x07\x12\x08skl2onnx", "it is an ONNX model: save the model with save_model"},
		{"pmml", "<?xml version=\"1.0\"?>\n<PMML/>", "it is a PMML model: save the model with save_model"},
		{"gzip", "\x1f\x8b\x08", "it is a compressed file: unpack it"},
		{"hdf5", "\x89HDF\r\n", "it is an HDF5 file: export its coefficients"},
		{"binary", "\xff\xfe\x00", "it is not UTF-8 text"},
		{"too long", "{" + strings.Repeat(" ", maxLogisticBytes), "it has 67108865 bytes and is no model of XGBoost or LightGBM, want at most 67108864"},

		{"no json", "hello", "bad JSON near byte"},
		{"a list", "[]", "found a list, want an object"},
		{"cut off", `{"features": ["x"`, "the JSON is cut off"},
		{"cut off at a text", `{"kind": `, "the JSON is cut off"},
		{"term cut off", `{"categorical": [{"name": "x"`, "the JSON is cut off"},
		{"bad category", text(`{"name": "x", "missing": "", "coef": {"a": "b"}}`), `"coef": "a": found the string "b", want a number`},
		{"cut off in a key", `{"features`, "the JSON is cut off"},
		{"cut off in an object", `{"intercept": 1`, "the JSON is cut off"},
		{"more after it", plainModel + "{}", "something follows the model at byte"},
		{"no features", `{"features": [], "coefficients": [], "intercept": 0}`, "it has no features"},
		{"unknown key", `{"features": ["x"], "coefficients": [1], "intercept": 0, "link": "probit"}`, `"link": unknown key, want one of: kind, intercept`},
		{"capital key", `{"Features": ["x"]}`, `"Features": unknown key`},
		{"key twice", `{"intercept": 0, "intercept": 1}`, `key "intercept" comes twice`},
		{"no intercept", `{"features": ["x"], "coefficients": [1]}`, `"intercept" is missing`},
		{"lengths", `{"features": ["x", "y"], "coefficients": [1], "intercept": 0}`, "2 features and 1 coefficients"},
		{"feature twice", `{"features": ["x", "x"], "coefficients": [1, 2], "intercept": 0}`, `feature "x" comes twice`},
		{"empty name", `{"features": [""], "coefficients": [1], "intercept": 0}`, "a feature has an empty name"},
		{"nan", `{"features": ["x"], "coefficients": [NaN], "intercept": 0}`, "bad JSON near byte"},
		{"nan text", `{"features": ["x"], "coefficients": ["NaN"], "intercept": 0}`, `"coefficients": entry 1: found the string "NaN", want a number`},
		{"infinity", `{"features": ["x"], "coefficients": [1e999], "intercept": 0}`, `"coefficients": entry 1: found 1e999, want a number that a float64 can hold`},
		{"null", `{"features": ["x"], "coefficients": [null], "intercept": 0}`, "found null, want a number"},
		{"bool", `{"features": ["x"], "coefficients": [true], "intercept": 0}`, "found true, want a number"},
		{"nested", `{"features": ` + strings.Repeat("[", 100_000), `"features": entry 1: found a list, want a string`},
		{"not a list", `{"features": {}}`, "found an object, want a list"},
		{"matrix", `{"features": ["x"], "coefficients": [[1]], "intercept": [0]}`, "found a list, want a number"},
		{"both forms", `{"features": ["x"], "coefficients": [1], "intercept": 0, "numeric": []}`, `"numeric": does not go with this form`},
		{"both forms of kind", `{"kind": "logistic_regression_pipeline", "features": ["x"], "coefficients": [1], "intercept": 0}`, `"features": does not go with this form`},
		{"empty kind", `{"kind": "", "features": ["x"], "coefficients": [1], "intercept": 0}`, `"kind": does not go with this form`},
		{"other kind", `{"kind": "probit", "intercept": 0}`, `its kind is "probit", want "logistic_regression_pipeline"`},

		{"no scale", number(`{"name": "x", "median": 0, "mean": 0, "coef": 1}`), "a key is missing, want all of: coef, mean, median, name, scale"},
		{"zero scale", number(`{"name": "x", "median": 0, "mean": 0, "scale": 0, "coef": 1}`), `"scale": found 0, want a number above 0`},
		{"unknown key of a number", number(`{"name": "x", "log": true}`), `"numeric": entry 1: "log": unknown key, want one of: coef, mean, median, name, scale`},
		{"null median", number(`{"name": "x", "median": null}`), `"median": found null, want a number`},
		{"not an object", number(`1`), "found 1, want an object"},
		{"no missing", text(`{"name": "x", "coef": {}}`), "a key is missing, want all of: coef, missing, name"},
		{"category twice", text(`{"name": "x", "missing": "", "coef": {"a": 1, "a": 2}}`), `"coef": key "a" comes twice`},
		{"across kinds", `{"kind": "logistic_regression_pipeline", "intercept": 0, "numeric": [` + term + `],
			"categorical": [{"name": "x", "missing": "", "coef": {}}]}`, `feature "x" comes twice`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadModel("m", []byte(test.data), Options{})
			if !errors.Is(err, ErrModel) {
				t.Fatalf("error %v, want ErrModel", err)
			}
			if !strings.Contains(err.Error(), "model m: not a model that can be used: "+test.want) &&
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestReadModelRefusesTooMuch(t *testing.T) {
	list := func(n int, entry string) string { return strings.TrimSuffix(strings.Repeat(entry+",", n), ",") }
	const number = `{"name":"x","median":0,"mean":0,"scale":1,"coef":1}`
	const text = `{"name":"x","missing":"","coef":{}}`
	for name, test := range map[string]struct{ data, want string }{
		"features":     {`{"features":[` + list(maxFeatures+1, `"x"`) + `]}`, "too many features, want at most 10000"},
		"coefficients": {`{"coefficients":[` + list(maxFeatures+1, `1`) + `]}`, "too many coefficients, want at most 10000"},
		"numeric":      {`{"numeric":[` + list(maxFeatures+1, number) + `]}`, "too many features, want at most 10000"},
		"categorical":  {`{"categorical":[` + list(maxFeatures+1, text) + `]}`, "too many features, want at most 10000"},
		"together": {`{"kind":"logistic_regression_pipeline","intercept":0,"numeric":[` + list(maxFeatures/2+1, number) +
			`],"categorical":[` + list(maxFeatures/2, text) + `]}`, "too many features, want at most 10000"},
	} {
		_, err := ReadModel("m", []byte(test.data), Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %.200v, want %s", name, err, test.want)
		}
	}

	almost := &logisticFile{json: newStrictJSON([]byte(`{"a":1,"b":1}`)), categories: maxCategories - 1}
	var full textTerm
	want := `"b": too many categories, want at most 1000000`
	if err := almost.categoryCoefficients(&full); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// FuzzReadModel: whatever the bytes are, a model is refused or scores a batch.
func FuzzReadModel(f *testing.F) {
	f.Add([]byte(plainModel))
	f.Add([]byte(pipelineModel))
	f.Add([]byte(`{"features": ["x"], "coefficients": [1e308], "intercept": -1e308}`))
	f.Add([]byte("tree\n"))
	f.Add([]byte(`{"learner": {}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		scorer, err := ReadModel("fuzz", data, Options{})
		if err != nil {
			if !errors.Is(err, ErrModel) || scorer != nil {
				t.Fatalf("error %v with %v, want ErrModel alone", err, scorer)
			}
			return
		}
		out := mustScore(t, scorer, batchFor(scorer))
		bad := map[int]bool{}
		for _, b := range out.Bad {
			bad[b.Row] = true
		}
		for row, p := range out.Probability {
			if ok := p >= 0 && p <= 1; ok == bad[row] {
				t.Fatalf("row %d: probability %v, bad %v", row, p, bad[row])
			}
		}
	})
}

// batchFor makes a batch of odd values with every column that the scorer reads.
func batchFor(scorer *Scorer) arrow.RecordBatch {
	var fields []arrow.Field
	var arrays []arrow.Array
	for _, in := range scorer.Inputs(nil) {
		c := columnOf(in.Column, arrow.PrimitiveTypes.Float64, nil, 0, 1e308, "NaN")
		if in.Kind == Text {
			c = columnOf(in.Column, arrow.BinaryTypes.String, nil, "", "a", "never seen")
		}
		fields = append(fields, field(c.name, c.values.DataType()))
		arrays = append(arrays, c.values)
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, 4)
}
