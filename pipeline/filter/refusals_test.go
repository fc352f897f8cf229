package filter_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/churntier/churntier/pipeline/filter"
)

var update = flag.Bool("update", false, "write the golden files anew")

// refusalSchema has a column of every sort, some that no expression can read.
var refusalSchema = arrow.NewSchema([]arrow.Field{
	{Name: "country", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}},
	{Name: "plan", Type: arrow.BinaryTypes.String},
	{Name: "days", Type: arrow.PrimitiveTypes.Int32},
	{Name: "spend", Type: arrow.PrimitiveTypes.Float64},
	{Name: "active", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "seen", Type: arrow.FixedWidthTypes.Timestamp_us},
	{Name: "Call  Failure", Type: arrow.PrimitiveTypes.Int64},
	{Name: "score", Type: arrow.PrimitiveTypes.Float64},
	{Name: "twice", Type: arrow.PrimitiveTypes.Int64},
	{Name: "twice", Type: arrow.PrimitiveTypes.Int64},
	{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String)},
	{Name: "user", Type: arrow.StructOf(arrow.Field{Name: "country", Type: arrow.BinaryTypes.String})},
	{Name: "raw", Type: arrow.BinaryTypes.Binary},
	{Name: "clock", Type: arrow.FixedWidthTypes.Time32s},
	{Name: "rawdict", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.Binary}},
}, nil)

// refusalOptions gives options by the first word of a golden name.
func refusalOptions(word string) filter.Options {
	o := filter.Options{Now: testNow}
	switch word {
	case "clockless":
		return filter.Options{}
	case "number":
		o.Want = filter.WantNumber
	case "any":
		o.Want = filter.WantAny
	}
	return o
}

// Every refusal has the message that stands beside it in the golden file.
func TestSyntaxRefusals(t *testing.T) {
	checkGolden(t, "testdata/syntax.txtar", filter.ErrSyntax, func(_, text string) error {
		_, err := filter.Parse(text)
		return err
	})
}

func TestTypeRefusals(t *testing.T) {
	checkGolden(t, "testdata/types.txtar", filter.ErrType, func(name, text string) error {
		x, err := filter.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		word, _, _ := strings.Cut(name, ":")
		_, err = x.Bind(refusalSchema, refusalOptions(word))
		return err
	})
}

// checkGolden refuses every first file of an archive and compares the error with
// the second one.
func checkGolden(t *testing.T, name string, kind error, refuse func(name, text string) error) {
	t.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		file, golden := archive.Files[i], &archive.Files[i+1]
		text := strings.TrimSuffix(string(file.Data), "\n")
		err := refuse(file.Name, text)
		if err == nil || !errors.Is(err, kind) {
			t.Errorf("%s: %q: error %v is not %q", file.Name, text, err, kind)
			continue
		}
		var faults *filter.Error
		if !errors.As(err, &faults) || len(faults.Faults) == 0 || faults.Text != text {
			t.Errorf("%s: error %#v has no faults", file.Name, err)
		}
		message := err.Error() + "\n\n"
		if *update {
			golden.Data = []byte(message)
		} else if diff := cmp.Diff(string(golden.Data), message); diff != "" {
			t.Errorf("%s: %q (-want +got)\n%s", file.Name, text, diff)
		}
	}
	if *update {
		if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Every limit has a message of its own.
func TestLimits(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"text":     {"days > 1 // " + strings.Repeat("x", 16<<10), "1:1: the expression has 16396 bytes, more than 16384"},
		"nodes":    {"days" + strings.Repeat(" > 1 || days", 600), "1:1: the expression has more than 1000 parts"},
		"levels":   {"true" + strings.Repeat(" == true", 120), "the expression is nested deeper than 100 levels"},
		"parens":   {strings.Repeat("(", 2000) + "days" + strings.Repeat(")", 2000), "1:1: the expression is nested deeper than 100 levels"},
		"minuses":  {strings.Repeat("-(1 - ", 70) + "1" + strings.Repeat(")", 70), "1:1: the expression is nested deeper than 100 levels"},
		"pattern":  {`country.matches("` + strings.Repeat("x", 1001) + `")`, "1:17: the pattern has 1001 bytes, more than 1000"},
		"program":  {`country.matches("((x{100}){100}){100}")`, "1:17: error parsing regexp"},
		"utf-8":    {"country ==\n \"\xff\"", "2:3: the expression is not valid UTF-8"},
		"replaced": {"country == \"\uFFFD\" || x == \"\xff\"", "1:25: the expression is not valid UTF-8"},
		"list":     {"days in [" + strings.Repeat("1, ", 6000) + "1]", "more than 16384"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := filter.Parse(c.text)
			if !errors.Is(err, filter.ErrSyntax) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.2000v does not contain %q", err, c.want)
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
		})
	}
	if _, err := filter.Parse("days in [" + strings.Repeat("1, ", 5000) + "1]"); err != nil {
		t.Errorf("a list of 5,001 values: %v", err)
	}
}

// However many columns are missing, the message stays readable.
func TestManyFaults(t *testing.T) {
	var text []string
	for i := range 200 {
		text = append(text, "missing"+strings.Repeat("x", i)+" == 1")
	}
	_, err := mustParse(t, strings.Join(text[:60], " || ")).Bind(refusalSchema, filter.Options{})
	var faults *filter.Error
	if !errors.As(err, &faults) || len(faults.Faults) != 20 {
		t.Errorf("%v", err)
	}
}

func mustParse(t testing.TB, text string) *filter.Expression {
	t.Helper()
	x, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
