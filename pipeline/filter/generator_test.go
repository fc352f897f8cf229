package filter_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/churntier/churntier/pipeline/filter"
)

// written is one expression written twice: as ours, and for cel-go's interpreter,
// in which every null test is a variable that is computed before.
type written struct {
	ours, oracle string
	kind         filter.Kind
}

// nullTest is a variable that is true where the expression is unknown.
type nullTest struct{ name, oracle string }

// generator writes random expressions over the columns of testColumns.
type generator struct {
	*rand.Rand
	nulls []nullTest // inner ones first
}

var testColumns = map[string]filter.Kind{
	"i1": filter.Int, "i2": filter.Int, "d1": filter.Double, "d2": filter.Double, "s1": filter.String, "s2": filter.String,
	"b1": filter.Bool, "b2": filter.Bool, "t1": filter.Timestamp, "t2": filter.Timestamp,
}

var (
	testNow        = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	testCategories = []string{"high", "medium", "low"}
)

// operation is an operator or a function under test.
type operation struct {
	name    string
	results []filter.Kind
	args    [][]filter.Kind
	format  string // of the arguments
}

const (
	kBool, kInt, kDouble          = filter.Bool, filter.Int, filter.Double
	kString, kTimestamp, kDurable = filter.String, filter.Timestamp, filter.Duration
)

// operations are all that need no literal arguments.
func operations() []operation {
	same := [][]filter.Kind{
		{kInt, kInt}, {kDouble, kDouble}, {kInt, kDouble}, {kDouble, kInt}, {kString, kString}, {kBool, kBool},
		{kTimestamp, kTimestamp}, {kDurable, kDurable},
	}
	var list []operation
	add := func(name, format string, result filter.Kind, args ...[]filter.Kind) {
		results := make([]filter.Kind, len(args))
		for i := range results {
			results[i] = result
		}
		list = append(list, operation{name, results, args, format})
	}
	for _, op := range []string{"==", "!=", "<", "<=", ">", ">="} {
		add(op, "(%s "+op+" %s)", kBool, same...)
	}
	two := func(k filter.Kind) []filter.Kind { return []filter.Kind{k, k} }
	add("&&", "(%s && %s)", kBool, two(kBool))
	add("||", "(%s || %s)", kBool, two(kBool))
	add("!", "!(%s)", kBool, []filter.Kind{kBool})
	for _, op := range []string{"+", "-", "*", "/", "%"} {
		format := "(%s " + strings.ReplaceAll(op, "%", "%%") + " %s)"
		add(op+" int", format, kInt, two(kInt))
		if op != "%" {
			add(op+" double", format, kDouble, two(kDouble))
		}
	}
	add("- int", "(-(%s))", kInt, []filter.Kind{kInt})
	add("- double", "(-(%s))", kDouble, []filter.Kind{kDouble})
	add("+ string", "(%s + %s)", kString, two(kString))
	add("timestamp - timestamp", "(%s - %s)", kDurable, two(kTimestamp))
	add("timestamp - duration", "(%s - %s)", kTimestamp, []filter.Kind{kTimestamp, kDurable})
	add("timestamp + duration", "(%s + %s)", kTimestamp, []filter.Kind{kTimestamp, kDurable}, []filter.Kind{kDurable, kTimestamp})
	add("duration + duration", "(%s + %s)", kDurable, two(kDurable))
	add("duration - duration", "(%s - %s)", kDurable, two(kDurable))
	for _, f := range []string{"startsWith", "endsWith", "contains"} {
		add(f, "%s."+f+"(%s)", kBool, two(kString))
	}
	add("size(x)", "size(%s)", kInt, []filter.Kind{kString})
	add("x.size()", "(%s).size()", kInt, []filter.Kind{kString})
	add("double", "double(%s)", kDouble, []filter.Kind{kInt}, []filter.Kind{kDouble})
	return append(list, operation{name: "in"}, operation{name: "matches"}, operation{name: "== null"}, operation{name: "!= null"})
}

// apply writes the operation with random arguments.
func (g *generator) apply(op operation, depth int) written {
	kinds := []filter.Kind{kBool, kInt, kDouble, kString, kTimestamp, kDurable}
	switch op.name {
	case "in":
		x := g.any(pick(g.Rand, kinds[:4]), depth)
		list := g.list(x.kind)
		return written{"(" + x.ours + " in " + list + ")", "(" + x.oracle + " in " + list + ")", kBool}
	case "matches":
		x, pattern := g.any(kString, depth), strconv.Quote(pick(g.Rand, []string{"a", "^a", "b$", "^$", "[a-c]+b", "é|本", "(?i)fr", "^.$", `\x00`}))
		return written{x.ours + ".matches(" + pattern + ")", x.oracle + ".matches(" + pattern + ")", kBool}
	case "== null", "!= null":
		x := g.any(pick(g.Rand, kinds), depth)
		test := nullTest{fmt.Sprintf("null%d", len(g.nulls)), x.oracle}
		g.nulls = append(g.nulls, test)
		out := written{x.ours + " " + op.name, test.name, kBool}
		if g.IntN(2) == 0 {
			out.ours = "null " + op.name[:2] + " " + x.ours
		}
		if op.name == "!= null" {
			out.oracle = "!" + test.name
		}
		return written{"(" + out.ours + ")", out.oracle, kBool}
	}
	signature := g.IntN(len(op.args))
	var ours, oracle []any
	for _, k := range op.args[signature] {
		x := g.any(k, depth)
		ours, oracle = append(ours, x.ours), append(oracle, x.oracle)
	}
	return written{fmt.Sprintf(op.format, ours...), fmt.Sprintf(op.format, oracle...), op.results[signature]}
}

// any writes an expression of a kind: a leaf, or above depth 0 mostly not.
func (g *generator) any(k filter.Kind, depth int) written {
	if depth > 0 && g.IntN(4) > 0 {
		var fitting []operation
		for _, op := range operations() {
			if op.results == nil && k == kBool || len(op.results) > 0 && op.results[0] == k {
				fitting = append(fitting, op)
			}
		}
		return g.apply(pick(g.Rand, fitting), depth-1)
	}
	return g.leaf(k)
}

func (g *generator) leaf(k filter.Kind) written {
	n := strconv.Itoa(1 + g.IntN(2))
	column := map[filter.Kind]string{kBool: "b", kInt: "i", kDouble: "d", kString: "s", kTimestamp: "t"}[k] + n
	switch {
	case k == kDurable && g.IntN(2) == 0:
		return g.apply(operation{args: [][]filter.Kind{{kTimestamp, kTimestamp}}, results: []filter.Kind{k}, format: "(%s - %s)"}, 0)
	case k == kDurable || g.IntN(4) == 0:
		text := g.literal(k)
		return written{text, text, k}
	case k == kDouble && g.IntN(8) == 0:
		return written{"score", "score", k}
	case k == kString && g.IntN(8) == 0:
		return written{"category", "category", k}
	case k == kTimestamp && g.IntN(8) == 0:
		return written{"now", "now", k}
	case g.IntN(4) == 0:
		return written{"col('" + column + "')", column, k}
	}
	return written{column, column, k}
}

func (g *generator) literal(k filter.Kind) string {
	switch k {
	case kBool:
		return pick(g.Rand, []string{"true", "false"})
	case kInt:
		return "(" + strconv.FormatInt(anInt(g.Rand), 10) + ")"
	case kDouble:
		return "(" + doubleText(aDouble(g.Rand)) + ")"
	case kString:
		return strconv.Quote(pick(g.Rand, edgeTexts))
	case kTimestamp:
		t := aTime(g.Rand)
		for t.Unix() < -62135596800 || t.Unix() > 253402300799 {
			t = aTime(g.Rand)
		}
		return "timestamp('" + t.UTC().Format("2006-01-02T15:04:05.999999999Z07:00") + "')"
	}
	d := pick(g.Rand, []time.Duration{0, 1, -1, time.Second, 36 * time.Hour, math.MaxInt64, math.MinInt64, time.Duration(anInt(g.Rand))})
	return "duration('" + d.String() + "')"
}

func doubleText(x float64) string {
	text := strconv.FormatFloat(x, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// list writes a list to look a value of the kind up in.
func (g *generator) list(k filter.Kind) string {
	var elements []string
	for range pick(g.Rand, []int{0, 1, 2, 3, 10, 40}) {
		of := k
		if k == kInt && g.IntN(12) == 0 {
			of = kDouble
		}
		element := strings.Trim(g.literal(of), "()")
		if n, err := strconv.ParseInt(element, 10, 64); err == nil && (n >= 1<<53 || n <= -1<<53) {
			element = "5" // next to a double it is refused
		}
		elements = append(elements, element)
	}
	if k == kDouble && g.IntN(2) == 0 {
		elements = append(elements, "2", "-1")
	}
	return "[" + strings.Join(elements, ", ") + "]"
}
