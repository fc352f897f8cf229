package score

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// smallLightGBM adds thousandths: 10 where contract_One_year is above 0.5, 20 where
// contract_months is above 6.5.
const smallLightGBM = `tree
version=v4
num_class=1
num_tree_per_iteration=1
max_feature_idx=1
objective=regression
feature_names=contract_One_year contract_months
tree_sizes=1 1

Tree=0
num_leaves=2
num_cat=0
split_feature=0
threshold=0.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=0 0.01

Tree=1
num_leaves=2
num_cat=0
split_feature=1
threshold=6.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=0 0.02

end of trees
`

func withOptions(t *testing.T, data string, o Options) *Scorer {
	t.Helper()
	s, err := ReadModel("m", []byte(data), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// LightGBM has underscores where the value of a dummy has blanks, and a feature that
// is a column of its own is no dummy.
func TestDummiesOfLightGBM(t *testing.T) {
	scorer := withOptions(t, smallLightGBM, Options{OneHot: OneHot{Columns: []string{"contract"}, Separator: "_"}})
	months := columnOf("contract_months", arrow.PrimitiveTypes.Int32, 12, 12, 1, nil)
	for _, dt := range []arrow.DataType{arrow.BinaryTypes.String, dictionary(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String)} {
		out := mustScore(t, scorer, batchOf(columnOf("contract", dt, "One year", "Two years", "One year", nil), months))
		checkSums(t, out, 30, 20, 10, 0)
	}
	renamed := strings.ReplaceAll(smallLightGBM, "contract_One_year", "contract_kind_One_year")
	kinds := withOptions(t, renamed, Options{OneHot: OneHot{Columns: []string{"contract kind"}, Separator: "_"}})
	out := mustScore(t, kinds, batchOf(columnOf("contract kind", arrow.BinaryTypes.String, "One year", "x", "One year", nil), months))
	checkSums(t, out, 30, 20, 10, 0)
}

// Two columns whose names become one name in the model are not guessed between.
func TestTwoColumnsOfOneLightGBMName(t *testing.T) {
	scorer := withOptions(t, smallLightGBM, Options{})
	number := arrow.PrimitiveTypes.Float64
	if _, err := scorer.Bind(schemaOf(field("contract One_year", number), field("contract months", number)), time.Time{}); err != nil {
		t.Error(err)
	}
	_, err := scorer.Bind(schemaOf(field("contract One_year", number), field("contract_One year", number), field("contract_months", number)), time.Time{})
	if err == nil || !strings.Contains(err.Error(), `column "contract_One_year": missing`) {
		t.Errorf("error %v, want the ambiguous column missing", err)
	}
}

// The dummy named nan is that of the rows without a value.
func TestDummyOfMissingRows(t *testing.T) {
	renamed := strings.ReplaceAll(smallBoosted, `"d_b"`, `"d_nan"`)
	scorer := withOptions(t, renamed, Options{OneHot: OneHot{Columns: []string{"d"}, Separator: "_"}})
	x := columnOf("x", arrow.PrimitiveTypes.Int8, 0, 0, 0)
	c := columnOf("c", arrow.PrimitiveTypes.Int8, 0, 0, 0)
	out := mustScore(t, scorer, batchOf(x, columnOf("d", arrow.BinaryTypes.String, "a", nil, "b"), c))
	checkSums(t, out, 10, 20, 0)
	if out.Inputs[1].Missing != 1 || out.Inputs[2].Missing != 1 {
		t.Errorf("missing %v, want 1 in both dummies", out.Inputs)
	}
	numbers := mustScore(t, scorer, batchOf(x, columnOf("d", arrow.PrimitiveTypes.Float64, 1, nil, "NaN"), c))
	checkSums(t, numbers, 0, 20, 20)
}

// A sentinel of 0 makes the zeros of dummies missing, as it did in training; a row
// that has a value is not counted as missing for that.
func TestSentinelsInDummies(t *testing.T) {
	defaults := strings.ReplaceAll(smallBoosted, `"split_conditions":[0.5,0,0.02],
"default_left":[1,0,0]`, `"split_conditions":[0.5,0,0.02],
"default_left":[0,0,0]`)
	if defaults == smallBoosted {
		t.Fatal("the small model has changed")
	}
	scorer := withOptions(t, defaults, Options{Missing: []float64{0}, OneHot: OneHot{Columns: []string{"d"}, Separator: "_"}})
	out := mustScore(t, scorer, batchOf(columnOf("x", arrow.PrimitiveTypes.Int8, 1, 1), columnOf("d", arrow.BinaryTypes.String, "a", "z"),
		columnOf("c", arrow.BinaryTypes.String, "a", "a")))
	checkSums(t, out, 10+20, 20)
	if out.Inputs[2].Missing != 0 {
		t.Errorf("%d rows are missing, want none", out.Inputs[2].Missing)
	}
}

func TestSentinelsOfFloat32Columns(t *testing.T) {
	scorer := withOptions(t, smallBoosted, Options{Missing: []float64{0.1}})
	zero := func(name string) namedColumn { return columnOf(name, arrow.PrimitiveTypes.Int8, 0, 0) }
	out := mustScore(t, scorer, batchOf(columnOf("x", arrow.PrimitiveTypes.Float32, 0.1, 0.2), zero("d_a"), zero("d_b"), zero("c")))
	checkSums(t, out, 2, 0)
}

// Categories whose names are numbers in text are looked up by value in a column of
// numbers: 1, 2 and 3 are not their codes.
func TestCategoriesNamedByNumbers(t *testing.T) {
	digits := strings.Replace(smallBoosted, `"values":[97,98,99]`, `"values":[49,50,51]`, 1)
	scorer := withOptions(t, digits, Options{})
	zero := func(name string) namedColumn { return columnOf(name, arrow.PrimitiveTypes.Int8, 0, 0, 0, 0) }
	for _, c := range []namedColumn{
		columnOf("c", arrow.BinaryTypes.String, "1", "2", "3", "4"),
		columnOf("c", arrow.PrimitiveTypes.Int64, 1, 2, 3, 4),
		columnOf("c", arrow.PrimitiveTypes.Float64, 1, 2, 3, 4),
	} {
		out := mustScore(t, scorer, batchOf(zero("x"), zero("d_a"), zero("d_b"), c))
		checkSums(t, out, 0, 100, 100, 200)
		if want := (InputCount{Unseen: 1}); out.Inputs[3] != want {
			t.Errorf("%s: counts %v, want %v", c.values.DataType(), out.Inputs[3], want)
		}
	}
}

// A code that no category has is unseen, and an infinity is refused as everywhere.
func TestCodesBeyondTheNames(t *testing.T) {
	scorer := withOptions(t, smallBoosted, Options{})
	zero := func(name string) namedColumn { return columnOf(name, arrow.PrimitiveTypes.Int8, 0, 0, 0) }
	out := mustScore(t, scorer, batchOf(zero("x"), zero("d_a"), zero("d_b"), columnOf("c", arrow.PrimitiveTypes.Float64, 77, "Inf", -1)))
	if want := []BadRow{{1, FeatureNotFinite, "c"}}; len(out.Bad) != 1 || out.Bad[0] != want[0] {
		t.Errorf("bad rows %v, want %v", out.Bad, want)
	}
	if out.Inputs[3].Unseen != 3 {
		t.Errorf("%d unseen, want 3", out.Inputs[3].Unseen)
	}
}

// Inputs of one name would be mixed up by whoever compares nights by name.
func TestNamesOfInputsAreApart(t *testing.T) {
	scorer := withOptions(t, smallBoosted, Options{
		Features: map[string]string{"x": "c", "c": `d + ""`},
		OneHot:   OneHot{Columns: []string{"d"}, Separator: "_"},
	})
	var names []string
	var stated []bool
	for _, in := range scorer.Inputs(nil) {
		names, stated = append(names, in.Name()), append(stated, in.StatesCategories())
	}
	if got, want := strings.Join(names, ", "), "x, one-hot d, one-hot d, c"; got != want {
		t.Errorf("names %s, want %s", got, want)
	}
	if want := []bool{false, true, true, true}; !slices.Equal(stated, want) {
		t.Errorf("categories are stated: %v, want %v", stated, want)
	}
}
