package forest

import (
	"encoding/binary"
	stdjson "encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// smallXGBoost is a model of two trees: one split on "x", a number, and one on
// "c", whose categories are "a", "b" and "c". Node 3 of the first tree was
// pruned.
const smallXGBoost = `{"version":[3,4,1],"learner":{
"attributes":{"best_iteration":"1"},"feature_names":["x","c"],"feature_types":["float","c"],
"learner_model_param":{"base_score":"[5E-1]","num_class":"0","num_feature":"2","num_target":"1"},
"objective":{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}},
"gradient_booster":{"name":"gbtree","model":{
"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"2"},"iteration_indptr":[0,1,2],"tree_info":[0,0],
"cats":{"enc":[{"offsets":[],"values":[]},{"offsets":[0,1,2,3],"values":[97,98,99]}]},
"trees":[
{"id":0,"left_children":[1,-1,-1,-1],"right_children":[2,-1,-1,-1],"split_indices":[0,0,0,2147483647],
"split_conditions":[1.5,-0.25,0.5,7],"default_left":[1,0,0,0],"split_type":[0,0,0,0],
"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],
"tree_param":{"num_nodes":"4","size_leaf_vector":"1","num_deleted":"1"}},
{"id":1,"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[1,0,0],
"split_conditions":[NaN,-0.125,0.75],"default_left":[0,0,0],"split_type":[1,0,0],
"categories":[0,2],"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[2],
"tree_param":{"num_nodes":"3","size_leaf_vector":"1"}}]}}}}`

const smallLinear = `{"version":[1,7,4],"learner":{"attributes":{},"feature_names":[],"feature_types":[],
"learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"2"},"objective":{"name":"reg:squarederror"},
"gradient_booster":{"name":"gblinear","model":{"boosted_rounds":3,"weights":[0.5,-2,0.25]}}}}`

// smallLightGBM is a model of three trees: one of two splits, one on a category
// with linear leaves, and a stump.
const smallLightGBM = `tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=x c
feature_infos=[0:5] 2:0:1
tree_sizes=1 1 1

Tree=0
num_leaves=3
num_cat=0
split_feature=0 0
threshold=1.5 0.5
decision_type=10 2
left_child=1 -1
right_child=-3 -2
leaf_value=-0.25 0.5 1
is_linear=0

Tree=1
num_leaves=2
num_cat=1
split_feature=1
threshold=0
decision_type=1
left_child=-1
right_child=-2
leaf_value=-0.125 0.75
cat_boundaries=0 1
cat_threshold=5
is_linear=1
leaf_const=0.5 1
num_features=1 0
leaf_features=0  
leaf_coeff=2  

Tree=2
num_leaves=1
num_cat=0
split_feature=
leaf_value=0.0625

end of trees

parameters:
[categorical_feature: 1]
end of parameters

pandas_categorical:[["a", "b", "c"]]
`

// smallUBJSON is a model spelled in UBJSON, lists of whole numbers typed.
func smallUBJSON(t testing.TB, model string) []byte {
	t.Helper()
	var v any
	if err := stdjson.Unmarshal([]byte(strings.ReplaceAll(model, "NaN", "0")), &v); err != nil {
		t.Fatal(err)
	}
	return appendUBJSON(nil, v)
}

func appendUBJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		b = append(b, '{')
		for key, value := range v {
			b = appendUBJSON(appendSized(b, key), value)
		}
		return append(b, '}')
	case []any:
		return appendUBJSONArray(b, v)
	case string:
		return appendSized(append(b, 'S'), v)
	case float64:
		return binary.BigEndian.AppendUint32(append(b, 'd'), math.Float32bits(float32(v)))
	}
	panic("a value that no small model holds")
}

func appendUBJSONArray(b []byte, list []any) []byte {
	whole := len(list) > 0 && !slices.ContainsFunc(list, func(v any) bool {
		f, isNumber := v.(float64)
		return !isNumber || f != math.Trunc(f)
	})
	if whole {
		b = append(b, "[$l#"...)
	} else {
		b = append(b, "[#"...)
	}
	b = binary.BigEndian.AppendUint64(append(b, 'L'), uint64(len(list)))
	for _, v := range list {
		if whole {
			b = binary.BigEndian.AppendUint32(b, uint32(int32(v.(float64))))
		} else {
			b = appendUBJSON(b, v)
		}
	}
	return b
}

func appendSized(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(append(b, 'L'), uint64(len(s))), s...)
}
