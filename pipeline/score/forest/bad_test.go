package forest

import (
	"errors"
	"strings"
	"testing"
)

// bad is a small model with one place spoilt, and a part of the error it gives.
type bad struct {
	old, new string // in the small model
	kind     error
	text     string
}

var badXGBoost = []bad{
	{`"learner"`, `"something"`, ErrFormat, "neither XGBoost JSON"},
	{`"name":"gbtree"`, `"name":"gbforest"`, ErrUnsupported, `booster "gbforest"`},
	{`"name":"gbtree",`, ``, ErrFormat, "no name"},
	{`"name":"gbtree"`, `"name":"dart"`, ErrFormat, "weight_drop has 0 entries for 2 trees"},
	{`"name":"gbtree"`, `"weight_drop":[1],"name":"dart"`, ErrFormat, "weight_drop has 1 entries"},
	{`"name":"gbtree"`, `"name":"gblinear"`, ErrFormat, "gblinear has 0 weights for 2 features"},
	{`"num_class":"0"`, `"num_class":"3"`, ErrUnsupported, "several classes: train binary:logistic"},
	{`"num_class":"0"`, `"num_class":"x"`, ErrFormat, `num_class: "x" is not a whole number`},
	{`"num_target":"1"`, `"num_target":"2"`, ErrUnsupported, "one model for each"},
	{`"num_feature":"2"`, `"num_feature":"3"`, ErrFormat, "num_feature is 3, with 2 feature_names"},
	{`"num_feature":"2"`, `"num_feature":"-2"`, ErrFormat, "num_feature"},
	{`"num_feature":"2"`, `"num_feature":"2000000000"`, ErrUnsupported, "2000000000 features"},
	{`"binary:logistic"`, `"multi:softprob"`, ErrUnsupported, "several classes"},
	{`"binary:logistic"`, `"rank:ndcg"`, ErrUnsupported, "a ranking"},
	{`"binary:logistic"`, `"survival:cox"`, ErrUnsupported, "survival times"},
	{`"binary:logistic"`, `"mine"`, ErrUnsupported, `objective "mine" is not known`},
	{`"name":"binary:logistic",`, ``, ErrUnsupported, "names no objective"},
	{`"[5E-1]"`, `"[5E-1,2E-1]"`, ErrUnsupported, "several values"},
	{`"[5E-1]"`, `"half"`, ErrFormat, `base_score: "half" is not a finite number`},
	{`"[5E-1]"`, `"NaN"`, ErrFormat, "not a finite number"},
	{`"tree_info":[0,0]`, `"tree_info":[0,1]`, ErrUnsupported, "tree 1 is of class 1"},
	{`"tree_info":[0,0]`, `"tree_info":[0]`, ErrFormat, "tree_info has 1 entries for 2 trees"},
	{`[0,1,2],"tree_info"`, `[0,2,1],"tree_info"`, ErrFormat, "iteration_indptr does not rise"},
	{`[0,1,2],"tree_info"`, `[0,0,2],"tree_info"`, ErrFormat, "iteration_indptr does not rise"},
	{`"version":[3,4,1]`, `"version":[3,4,1,0]`, ErrUnsupported, "version: 3: more numbers than are read"},
	{`"iteration_indptr":[0,1,2],"tree_info":[0,0]`, `"tree_info":[0,0],"gbtree_model_param":{"num_parallel_tree":"3"}`, ErrFormat, "not whole rounds of 3"},
	{`"best_iteration":"1"`, `"best_iteration":"2"`, ErrFormat, "best_iteration: 2, and the file has 2 rounds"},
	{`"num_nodes":"4"`, `"num_nodes":"5"`, ErrFormat, `tree 0: num_nodes is "5"`},
	{`"size_leaf_vector":"1","num_deleted"`, `"size_leaf_vector":"2","num_deleted"`, ErrUnsupported, "tree 0: leaves hold vectors"},
	{`"right_children":[2,-1,-1,-1]`, `"right_children":[2,-1,-1]`, ErrFormat, "tree 0: right_children has 3 entries and left_children 4"},
	{`"left_children":[1,-1,-1,-1]`, `"left_children":[9,-1,-1,-1]`, ErrFormat, "tree 0: node 0: its child 9 is outside 0..3"},
	{`"left_children":[1,-1,-1,-1]`, `"left_children":[-7,-1,-1,-1]`, ErrFormat, "tree 0: node 0: its child -7"},
	{`"left_children":[1,-1,-1,-1]`, `"left_children":[0,-1,-1,-1]`, ErrFormat, "tree 0: node 0: is reached twice"},
	{`"left_children":[1,-1,-1,-1]`, `"left_children":[2,-1,-1,-1]`, ErrFormat, "tree 0: node 2: is reached twice"},
	{`"left_children":[1,-1,-1,-1]`, `"left_children":[1.5,-1,-1,-1]`, ErrFormat, `left_children: 0: "1.5" is not a whole number`},
	{`"left_children":[1,-1,-1,-1]`, `"left_children":[4294967297,-1,-1,-1]`, ErrFormat, "does not fit 32 bits"},
	{`"left_children":[1,-1,-1,-1]`, `"left_children":{"a":1}`, ErrFormat, "an object where an array belongs"},
	{`"split_indices":[0,`, `"split_indices":[2,`, ErrFormat, "tree 0: node 0: splits on feature 2, outside 0..1"},
	{`"split_conditions":[1.5`, `"split_conditions":[NaN`, ErrFormat, "tree 0: node 0: the threshold is NaN"},
	{`[1.5,-0.25`, `[1.5,Infinity`, ErrFormat, "tree 0: node 1: the leaf's value +Inf is not finite"},
	{`[1.5,-0.25`, `[1.5,1e60`, ErrFormat, `"1e60" is not a number that float32 can hold`},
	{`[1.5,-0.25`, `[1.5,null`, ErrFormat, "null where a number belongs"},
	{`"categories_nodes":[0]`, `"categories_nodes":[1]`, ErrFormat, "tree 1: node 0: splits on categories and has none"},
	{`"categories_sizes":[2]`, `"categories_sizes":[3]`, ErrFormat, "tree 1: node 0: its categories are 3 from 0 on"},
	{`"categories_sizes":[2]`, `"categories_sizes":[]`, ErrFormat, "categories_nodes, categories_segments and categories_sizes"},
	{`"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[2]`,
		`"categories_nodes":[0,0],"categories_segments":[0,0],"categories_sizes":[1,1]`, ErrFormat, "in categories_nodes twice"},
	{`"categories":[0,2]`, `"categories":[0,-2]`, ErrFormat, "category -2 is outside"},
	{`"categories":[0,2]`, `"categories":[0,16777216]`, ErrFormat, "category 16777216 is outside"},
	{`"offsets":[0,1,2,3]`, `"offsets":[0,2,1,3]`, ErrFormat, "category 1: its offsets 2 and 1 do not rise"},
	{`"offsets":[0,1,2,3]`, `"offsets":[0,1,2,4]`, ErrFormat, "category 2: its offsets 2 and 4"},
	{`[97,98,99]`, `[97,98,999]`, ErrFormat, "999 is not a byte"},
	{`[97,98,99]`, `[97,98,-1]`, ErrFormat, "is not UTF-8"},
	{`"enc":[`, `"enc":[{},`, ErrFormat, "cats.enc has 3 entries for 2 features"},
	{`["x","c"]`, "[\"x\xff\",\"c\"]", ErrFormat, "not UTF-8"},
	{`["x","c"]`, `["x","\q"]`, ErrFormat, "not valid"},
	{`["x","c"]`, `["x" "c"]`, ErrFormat, "where a comma belongs"},
	{`["x","c"]`, `["x",,"c"]`, ErrFormat, "where a value belongs"},
	{`["x","c"]`, `["x","c"}`, ErrFormat, "where a comma belongs"},
	{`["x","c"]`, strings.Repeat("[", 100), ErrFormat, "an array where a text belongs"},
	{`"id":0`, `"id":` + strings.Repeat("[", 100), ErrFormat, "nested deeper than 64"},
	{`"id":0`, `"id":nul`, ErrFormat, `"nul" where a value belongs`},
	{`"id":0`, `"id" 0`, ErrFormat, "no colon"},
	{`"id":0`, `id:0`, ErrFormat, "where a key belongs"},
	{`"version"`, `}"version"`, ErrFormat, "after the end of the document"},
}

var badLightGBM = []bad{
	{"version=v4", "version=v9", ErrUnsupported, `version "v9"`},
	{"version=v4", "", ErrUnsupported, `version ""`},
	{"num_class=1", "num_class=3", ErrUnsupported, "several classes"},
	{"num_tree_per_iteration=1", "num_tree_per_iteration=2", ErrUnsupported, "several classes"},
	{"num_class=1", "num_class=one", ErrFormat, "num_class"},
	{"max_feature_idx=1", "max_feature_idx=7", ErrFormat, "feature_names has 2 names and max_feature_idx is 7"},
	{"max_feature_idx=1", "max_feature_idx=-1", ErrFormat, "max_feature_idx"},
	{"feature_names=x c", "feature_names=x \xff", ErrFormat, "not UTF-8"},
	{"objective=binary sigmoid:1", "objective=multiclass num_class:3", ErrUnsupported, "several classes"},
	{"objective=binary sigmoid:1", "objective=lambdarank", ErrUnsupported, "a ranking"},
	{"objective=binary sigmoid:1", "objective=poisson", ErrUnsupported, "counts"},
	{"objective=binary sigmoid:1", "objective=regression sqrt", ErrUnsupported, "reg_sqrt"},
	{"objective=binary sigmoid:1", "", ErrUnsupported, "names no objective"},
	{"objective=binary sigmoid:1", "objective=binary sigmoid:-1", ErrFormat, `sigmoid is "-1"`},
	{"end of trees", "", ErrFormat, "cut off after 3 trees"},
	{"tree_sizes=1 1 1", "tree_sizes=1 1 1 1", ErrFormat, "tree_sizes has 4 entries and the file 3 trees"},
	{"Tree=1", "Tree=2", ErrFormat, "Tree=2 where Tree=1 belongs"},
	{"num_leaves=3", "num_leaves=0", ErrFormat, `tree 0: num_leaves is "0"`},
	{"num_leaves=3", "num_leaves=4", ErrFormat, "tree 0: leaf_value: has 3 numbers and needs 4"},
	{"num_leaves=3", "num_leaves=4000000", ErrFormat, "4000000 numbers are announced"},
	{"num_leaves=3", "num_leaves=9000000000000000000", ErrUnsupported, "more nodes than are read"},
	{"split_feature=0 0", "split_feature=0", ErrFormat, "tree 0: split_feature"},
	{"split_feature=0 0", "split_feature=0 2", ErrFormat, "tree 0: node 1: splits on feature 2, outside 0..1"},
	{"split_feature=0 0", "split_feature=0 -1", ErrFormat, "splits on feature -1"},
	{"split_feature=0 0", "split_feature=0 x", ErrFormat, `"x" is not a 32-bit whole number`},
	{"threshold=1.5 0.5", "threshold=1.5 nan", ErrFormat, `tree 0: threshold: "nan" is not allowed`},
	{"threshold=1.5 0.5", "threshold=1.5 1e999", ErrFormat, "that float64 can hold"},
	{"threshold=1.5 0.5", "threshold=1.5 0.5 1", ErrFormat, "has more than 2 numbers"},
	{"decision_type=10 2", "decision_type=14 2", ErrFormat, "decision_type 14 is not known"},
	{"decision_type=10 2", "decision_type=10 -2", ErrFormat, "decision_type -2 is not known"},
	{"left_child=1 -1", "left_child=0 -1", ErrFormat, "tree 0: node 0: is reached twice"},
	{"left_child=1 -1", "left_child=2 -1", ErrFormat, "tree 0: node 0: its child 2 is none of the splits 0..1"},
	{"right_child=-3 -2", "right_child=-4 -2", ErrFormat, "its child -4"},
	{"right_child=-3 -2", "right_child=-2 -2", ErrFormat, "is reached twice"},
	{"leaf_value=-0.25 0.5 1", "leaf_value=-0.25 inf 1", ErrFormat, `leaf_value: "inf" is not finite`},
	{"threshold=0\n", "threshold=1\n", ErrFormat, "tree 1: node 0: splits on category set 1, and the tree has 1"},
	{"threshold=0\n", "threshold=0.5\n", ErrFormat, "category set 0.5"},
	{"num_cat=1", "num_cat=-1", ErrFormat, "tree 1: num_cat"},
	{"cat_boundaries=0 1", "cat_boundaries=0", ErrFormat, "tree 1: cat_boundaries"},
	{"cat_boundaries=0 1", "cat_boundaries=2 1", ErrFormat, "do not rise within 0..1"},
	{"cat_boundaries=0 1", "cat_boundaries=0 2", ErrFormat, "tree 1: cat_threshold"},
	{"cat_boundaries=0 1", "cat_boundaries=0 2000000000", ErrUnsupported, "category sets are larger"},
	{"cat_boundaries=0 1", "cat_boundaries=0 -1", ErrFormat, "tree 1: cat_threshold"},
	{"cat_threshold=5", "cat_threshold=-5", ErrFormat, `"-5" is not a 32-bit whole number from 0`},
	{"num_features=1 0", "num_features=1 -1", ErrFormat, "tree 1: num_features"},
	{"num_features=1 0", "num_features=2 0", ErrFormat, "tree 1: leaf_features"},
	{"leaf_features=0 ", "leaf_features=2 ", ErrFormat, "tree 1: leaf 0: uses feature 2, outside 0..1"},
	{"leaf_coeff=2", "leaf_coeff=nan", ErrFormat, "tree 1: leaf_coeff"},
	{"leaf_const=0.5 1", "leaf_const=0.5", ErrFormat, "tree 1: leaf_const"},
	{"is_linear=1", "is_linear=yes", ErrFormat, "tree 1: is_linear"},
	{`[["a"`, `[[["a"]`, ErrFormat, "pandas_categorical: 0: 0: an array where a text belongs"},
	{`"c"]]`, `"c"]`, ErrFormat, "pandas_categorical: the file is cut off"},
	{`"c"]]`, `"c"]]]`, ErrFormat, "pandas_categorical"},
}

func TestBadXGBoost(t *testing.T) { checkBad(t, smallXGBoost, badXGBoost) }

func TestBadLightGBM(t *testing.T) { checkBad(t, smallLightGBM, badLightGBM) }

func checkBad(t *testing.T, model string, table []bad) {
	for _, b := range table {
		spoilt := strings.Replace(model, b.old, b.new, 1)
		if spoilt == model {
			t.Fatalf("the small model does not hold %q", b.old)
		}
		if strings.HasPrefix(b.new, "}") {
			spoilt = model + "}"
		}
		checkError(t, b.old+" -> "+clip(b.new), []byte(spoilt), b.kind, b.text)
	}
}

func checkError(t *testing.T, name string, data []byte, kind error, text string) {
	t.Helper()
	m, err := Read(data)
	if m != nil || !errors.Is(err, kind) || !strings.Contains(err.Error(), text) {
		t.Errorf("%s:\n got  %v\n want a %v with %q", name, err, kind, text)
	}
}

func TestBadUBJSON(t *testing.T) {
	head := "{L\x00\x00\x00\x00\x00\x00\x00\x07learner"
	eight := "L\x00\x00\x00\x00\x00\x00\x00\x08"
	for _, b := range []struct{ name, data, text string }{
		{"a key beyond the end", "{L\x7f\xff\xff\xff\xff\xff\xff\xffx", "a length of 9223372036854775807 where 1 bytes are left"},
		{"a key of negative length", "{L\xff\xff\xff\xff\xff\xff\xff\xffx", "a length of -1"},
		{"a key length that is real", "{Ud", "a length of 100 where 0 bytes are left"},
		{"nothing behind the key", head, "cut off"},
		{"an unknown marker", head + "?", `no value starts with '?'`},
		{"an array of nothings", head + "[$Z#" + eight, "not numbers, or no count"},
		{"a typed array without a count", head + "[$lL", "not numbers, or no count"},
		{"a counted array beyond the end", head + "[#" + eight + "TT", "a length of 8 where 2 bytes are left"},
		{"a typed array beyond the end", head + "[$l#" + eight + strings.Repeat("x", 31), "a length of 8 where 31 bytes are left"},
		{"a learner that is no object", head + "[]}", "learner: an array where an object belongs"},
		{"too deep", "{i\x01x" + strings.Repeat("[", 70), "nested deeper than 64"},
		{"something behind the end", "{i\x01xZ}Z", "something follows the end"},
		{"a text cut off", "{i\x01xSL", "cut off"},
		{"half a number", "{i\x01xl\x00", "cut off"},
		{"an array type cut off", "{i\x01x[$", "cut off"},
		{"an array count cut off", "{i\x01x[#", "cut off"},
		{"an object with a count", "{i\x01x{#", "no value starts with '#'"},
	} {
		checkError(t, b.name, []byte(b.data), ErrFormat, b.text)
	}
}

func TestForeignFiles(t *testing.T) {
	for _, data := range []string{
		"", "hello world", "binf\x00\x00\x00\x3f", "\x80\x04\x95", "[{\"nodeid\": 0}]", "{", "{}", "tree", "{\"learner\"",
		`{"features": [], "coefficients": [], "intercept": 0}`, `{"a": {"learner": 1}}`, `{"a": [1, 2}`,
	} {
		if Is([]byte(data)) {
			t.Errorf("%q is taken for a model", data)
		}
		checkError(t, data, []byte(data), ErrFormat, "neither XGBoost JSON or UBJSON nor LightGBM text")
	}
	for _, data := range []string{
		smallXGBoost, smallLightGBM, "\n tree\r\n", string(smallUBJSON(t, smallXGBoost)),
		`{"version": [3, 4, 1], "learner": {`,
	} {
		if !Is([]byte(data)) {
			t.Errorf("%q is not told from other files", clip(data))
		}
	}
}

// TestCutOff checks that no beginning of a model is taken for the model.
func TestCutOff(t *testing.T) {
	binary := smallUBJSON(t, smallXGBoost)
	text := smallLightGBM[:strings.Index(smallLightGBM, "end of trees")]
	for _, model := range []string{smallXGBoost, string(binary), text} {
		for n := range len(model) {
			if m, err := Read([]byte(model[:n])); err == nil || m != nil {
				t.Fatalf("%q... cut off at byte %d is read", clip(model), n)
			}
		}
	}
}

// Arrays that nothing bounds but the file's size are refused by what they are for.
func TestLimitsOfArrays(t *testing.T) {
	for place, change := range map[string]func(*limits){
		"cats: enc: 1: values: 2":    func(l *limits) { l.categoryBytes = 2 },
		"cats: enc: 1: offsets: 3":   func(l *limits) { l.categories = 2 },
		"tree_info: 1":               func(l *limits) { l.trees = 1 },
		"trees: 0: left_children: 3": func(l *limits) { l.nodes = 3 },
	} {
		lim := defaultLimits()
		change(&lim)
		model := strings.Replace(smallXGBoost, `"iteration_indptr":[0,1,2],`, "", 1)
		if _, err := read([]byte(model), lim); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), place+": more numbers") {
			t.Errorf("got %v, want %q", err, place)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, l := range []struct {
		change func(*limits)
		text   string
	}{
		{func(l *limits) { l.file = 10 }, "a file of"},
		{func(l *limits) { l.trees = 1 }, "more "},
		{func(l *limits) { l.nodes = 4 }, "more n"},
		{func(l *limits) { l.depth = 0 }, "is 1 splits deep"},
		{func(l *limits) { l.features = 1 }, "2 features"},
		{func(l *limits) { l.setWords = 0 }, "category sets are larger"},
		{func(l *limits) { l.categories = 1 }, "more "},
	} {
		for _, model := range []string{smallXGBoost, smallLightGBM} {
			lim := defaultLimits()
			l.change(&lim)
			_, err := read([]byte(model), lim)
			if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), l.text) {
				t.Errorf("%s: got %v, want %q", clip(model), err, l.text)
			}
		}
	}
}
