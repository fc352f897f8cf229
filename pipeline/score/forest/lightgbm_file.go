package forest

import (
	"bytes"
	"strconv"
)

// lgbFile is what is wanted of a LightGBM text model, as it stands there: the
// values behind "key=" in the header and in each tree's block. The layout is
// that of LightGBM 2.1 (v2) to 4.6 (v4).
type lgbFile struct {
	header      map[string][]byte
	average     bool // the bare line average_output: a random forest
	blocks      []lgbBlock
	ended       bool   // the line "end of trees" was there
	categorical []byte // columns, of [categorical_feature: 0,3] in the parameters
	pandas      []byte // JSON behind pandas_categorical:
}

// lgbBlock is one tree: the value behind each key.
type lgbBlock struct {
	leaves, categories                    []byte // num_leaves, num_cat
	feature, threshold, decision          []byte
	left, right, value                    []byte
	boundaries, words                     []byte // cat_boundaries, cat_threshold
	linear, constant                      []byte // is_linear, leaf_const
	leafCounts, leafFeatures, leafFactors []byte // num_features, leaf_features, leaf_coeff
}

// field gives the place of a key's value, nil for a key that is not wanted.
func (b *lgbBlock) field(key []byte) *[]byte {
	switch string(key) {
	case "num_leaves":
		return &b.leaves
	case "num_cat":
		return &b.categories
	case "split_feature":
		return &b.feature
	case "threshold":
		return &b.threshold
	case "decision_type":
		return &b.decision
	case "left_child":
		return &b.left
	case "right_child":
		return &b.right
	case "leaf_value":
		return &b.value
	case "cat_boundaries":
		return &b.boundaries
	case "cat_threshold":
		return &b.words
	}
	return b.linearField(key)
}

// linearField is field for the keys of linear trees.
func (b *lgbBlock) linearField(key []byte) *[]byte {
	switch string(key) {
	case "is_linear":
		return &b.linear
	case "leaf_const":
		return &b.constant
	case "num_features":
		return &b.leafCounts
	case "leaf_features":
		return &b.leafFeatures
	case "leaf_coeff":
		return &b.leafFactors
	}
	return nil
}

// lgbHeaders are the header's keys that are wanted.
var lgbHeaders = map[string]bool{"version": true, "num_class": true, "num_tree_per_iteration": true,
	"max_feature_idx": true, "objective": true, "feature_names": true, "feature_infos": true, "tree_sizes": true}

func scanLightGBM(data []byte, lim limits) (*lgbFile, error) {
	f := &lgbFile{header: map[string][]byte{}}
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, " \r\n")
		if f.ended {
			f.tail(line)
			continue
		}
		if err := f.line(line, lim); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *lgbFile) line(line []byte, lim limits) error {
	name, value, assigned := bytes.Cut(line, []byte("="))
	switch {
	case string(line) == "end of trees":
		f.ended = true
	case string(line) == "average_output":
		f.average = true
	case !assigned:
	case string(name) == "Tree":
		if string(value) != strconv.Itoa(len(f.blocks)) {
			return broken("Tree=%s where Tree=%d belongs", clip(value), len(f.blocks))
		}
		f.blocks = append(f.blocks, lgbBlock{})
		return checkCount(len(f.blocks), lim.trees, "trees")
	case len(f.blocks) > 0:
		if to := f.blocks[len(f.blocks)-1].field(name); to != nil {
			*to = value
		}
	case lgbHeaders[string(name)]:
		f.header[string(name)] = value
	}
	return nil
}

// tail takes a line behind the trees.
func (f *lgbFile) tail(line []byte) {
	if rest, found := bytes.CutPrefix(line, []byte("pandas_categorical:")); found {
		f.pandas = rest
	}
	if rest, found := bytes.CutPrefix(line, []byte("[categorical_feature: ")); found {
		f.categorical = bytes.TrimSuffix(rest, []byte("]"))
	}
}

// number reads a header's whole number, or gives other where the key is absent.
func (f *lgbFile) number(key string, other int) (int, error) {
	n, err := wholeOr(string(f.header[key]), other)
	return n, within(key, err)
}
