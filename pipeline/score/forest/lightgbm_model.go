package forest

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func readLightGBM(data []byte, lim limits) (*Model, error) {
	f, err := scanLightGBM(data, lim)
	if err != nil {
		return nil, err
	}
	m := &Model{Kind: LightGBM, BestIteration: none}
	steps := []func(*Model, *limits) error{f.checkForm, f.setOutput, f.setFeatures, f.setTrees, f.setCategories}
	for _, step := range steps {
		if err := step(m, &lim); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// checkForm refuses a file that is cut off and one that is not a model of one
// score.
func (f *lgbFile) checkForm(*Model, *limits) error {
	version := string(f.header["version"])
	if !slices.Contains([]string{"v2", "v3", "v4"}, version) {
		return unsupported("version %q is not v2, v3 or v4: save the model again with a current LightGBM", clip(version))
	}
	for _, key := range []string{"num_class", "num_tree_per_iteration"} {
		n, err := f.number(key, 1)
		if err != nil {
			return err
		}
		if n != 1 {
			return unsupported("%s is %d, a model of several classes: train objective=binary", key, n)
		}
	}
	if !f.ended {
		return broken("the file is cut off after %d trees: no line \"end of trees\"", len(f.blocks))
	}
	if sizes, known := f.header["tree_sizes"]; known {
		n := 0
		for range bytes.FieldsSeq(sizes) {
			n++
		}
		if n != len(f.blocks) {
			return broken("tree_sizes has %d entries and the file %d trees", n, len(f.blocks))
		}
	}
	return nil
}

// lgbObjectives are the objectives whose output is a probability or can be
// taken for one, by the first word of the line in LightGBM 2.1 to 4.6.
var lgbObjectives = map[string]transform{
	"binary":        logistic64,
	"cross_entropy": logistic64,
	"xentropy":      logistic64,
	"regression":    identity,
	"regression_l1": identity,
	"huber":         identity,
	"fair":          identity,
	"quantile":      identity,
	"mape":          identity,
}

// setOutput reads a line such as "binary sigmoid:1".
func (f *lgbFile) setOutput(m *Model, _ *limits) error {
	words := strings.Fields(string(f.header["objective"]))
	if len(words) == 0 {
		return refuseObjective("", "objective=binary")
	}
	t, known := lgbObjectives[words[0]]
	if !known {
		return refuseObjective(words[0], "objective=binary")
	}
	m.output = output{transform: t, scale: 1, average: f.average}
	for _, word := range words[1:] {
		if word == "sqrt" {
			return unsupported("the objective %q is a regression on square roots: train without reg_sqrt", f.header["objective"])
		}
		if s, found := strings.CutPrefix(word, "sigmoid:"); found {
			scale, err := parseFinite([]byte(s))
			if err != nil || scale <= 0 {
				return broken("objective: sigmoid is %q and not a number above 0", clip(s))
			}
			m.output.scale = scale
		}
	}
	return nil
}

func (f *lgbFile) setFeatures(m *Model, lim *limits) error {
	last, err := f.number("max_feature_idx", none)
	if err != nil {
		return err
	}
	for name := range bytes.FieldsSeq(f.header["feature_names"]) {
		if err := checkCount(len(m.Features)+1, lim.features, "features"); err != nil {
			return err
		}
		if !utf8.Valid(name) {
			return broken("feature_names: %q is not UTF-8", clip(name))
		}
		m.Features = append(m.Features, Feature{Name: string(name)})
	}
	if len(m.Features) != last+1 {
		return broken("feature_names has %d names and max_feature_idx is %d", len(m.Features), last)
	}
	return nil
}

func (f *lgbFile) setTrees(m *Model, lim *limits) error {
	for i := range f.blocks {
		t, err := f.blocks[i].build(len(m.Features), lim)
		if err != nil {
			return within("tree "+strconv.Itoa(i), err)
		}
		m.trees = append(m.trees, t)
	}
	return m.roundsOf(1)
}
