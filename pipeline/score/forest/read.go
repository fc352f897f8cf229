package forest

import (
	"bytes"
	"errors"
)

// Is tells by the beginning of a file, or in JSON by a key at its top, whether
// it is one that [Read] reads. It does not say that the file is whole.
func Is(data []byte) bool { return formatOf(data) != nil }

// format is one spelling of a model.
type format struct {
	name string
	read func([]byte, limits) (*Model, error)
}

var (
	jsonFormat = &format{"XGBoost JSON", func(data []byte, lim limits) (*Model, error) {
		return readXGBoost(&json{data: data}, lim)
	}}
	ubjsonFormat = &format{"XGBoost UBJSON", func(data []byte, lim limits) (*Model, error) {
		return readXGBoost(&ubjson{data: data}, lim)
	}}
	lightgbmFormat = &format{"LightGBM text", readLightGBM}
)

// formatOf gives nil for a file of another kind.
func formatOf(data []byte) *format {
	for _, start := range []string{"{L", "{i", "{U"} { // a key's length follows
		if bytes.HasPrefix(data, []byte(start)) {
			return ubjsonFormat
		}
	}
	text := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("tree\n")), bytes.HasPrefix(text, []byte("tree\r\n")):
		return lightgbmFormat
	case hasLearner(text):
		return jsonFormat
	}
	return nil
}

// hasLearner looks for XGBoost's key at the top of a JSON text, as far as it is
// one.
func hasLearner(text []byte) bool {
	found := false
	d := decoder{tokens: &json{data: text}}
	_ = d.object(func(key string) (bool, error) {
		found = found || key == "learner"
		if found {
			return true, errFound
		}
		return false, nil
	})
	return found
}

// errFound ends a search.
var errFound = errors.New("found")

// Read reads a model, told by its content: XGBoost JSON or UBJSON (1.x to 3.x),
// or LightGBM text (v2 to v4). Nothing of data is kept. Errors are of kind
// ErrFormat or ErrUnsupported.
func Read(data []byte) (*Model, error) { return read(data, defaultLimits()) }

func read(data []byte, lim limits) (*Model, error) {
	if len(data) > lim.file {
		return nil, unsupported("a file of %d bytes, more than the %d that are read: train a smaller model", len(data), lim.file)
	}
	f := formatOf(data)
	if f == nil {
		return nil, broken("starts with %q: neither XGBoost JSON or UBJSON nor LightGBM text; "+
			"save it with save_model(\"model.json\") or save_model(\"model.txt\")", data[:min(len(data), 16)])
	}
	m, err := f.read(data, lim)
	if err != nil {
		return nil, within(f.name, err)
	}
	m.markCategorical()
	return m, m.Use(Best)
}
