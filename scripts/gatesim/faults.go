package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// fault is one way in which a warehouse, a model or a config goes wrong overnight.
type fault struct {
	name     string
	do       func(*night)
	byColumn bool   // the prediction takes its scores from a column
	excuse   string // why it is not caught, where it is known not to be
}

// keep leaves the rows of which keep says so.
func (t *table) keep(keep func(row int) bool) {
	var rows []int
	for i := range t.updated {
		if keep(i) {
			rows = append(rows, i)
		}
	}
	t.take(rows)
}

// take makes the table these rows, in this order.
func (t *table) take(rows []int) {
	for name, values := range t.texts {
		t.texts[name] = picked(values, rows)
	}
	for name, values := range t.numbers {
		t.numbers[name] = picked(values, rows)
	}
	t.updated = picked(t.updated, rows)
}

func picked[T any](values []T, rows []int) []T {
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = values[row]
	}
	return out
}

// repeat writes every row of which often says so several times; with new ids, or
// with the one it has.
func (t *table) repeat(often func(row int) int, newIDs bool) {
	var rows, copies []int
	for i := range t.updated {
		for c := range often(i) {
			rows, copies = append(rows, i), append(copies, c)
		}
	}
	t.take(rows)
	if newIDs {
		t.retext("user_id", func(row int, id string) string { return fmt.Sprintf("%s/%d", id, copies[row]) })
	}
}

func (t *table) retext(column string, change func(row int, text string) string) {
	for i, v := range t.texts[column] {
		if v != nil {
			text := change(i, *v)
			t.texts[column][i] = &text
		}
	}
}

// number changes the values of a column that are not null.
func (t *table) number(column string, change func(x float64) float64) {
	for i, v := range t.numbers[column] {
		if v != nil {
			x := change(*v)
			t.numbers[column][i] = &x
		}
	}
}

func times(factor float64) func(float64) float64 {
	return func(x float64) float64 { return x * factor }
}

func always(value float64) func(float64) float64 { return func(float64) float64 { return value } }

// lose makes a share of a column null.
func (n *night) lose(share float64, columns ...string) {
	for i := range n.updated {
		if n.Float64() >= share {
			continue
		}
		for _, c := range columns {
			if n.numbers[c] != nil {
				n.numbers[c][i] = nil
			} else {
				n.texts[c][i] = nil
			}
		}
	}
}

// fill writes a value where a column is null.
func (t *table) fill(column string, value float64) {
	for i, v := range t.numbers[column] {
		if v == nil {
			t.numbers[column][i] = &value
		}
	}
}

func (t *table) swap(a, b string) { t.numbers[a], t.numbers[b] = t.numbers[b], t.numbers[a] }

// is says whether a text of a row is a value.
func (t *table) is(column, value string) func(row int) bool {
	return func(row int) bool { v := t.texts[column][row]; return v != nil && *v == value }
}

func (t *table) renameValues(column string, change func(string) string) {
	t.retext(column, func(_ int, text string) string { return change(text) })
}

// flood adds users that nobody ever was, all alike.
func (n *night) flood(users int) {
	for i := range users {
		n.add(textColumns, fmt.Sprintf("test-%d", i), "qa@example.com", "US", "Month-to-month", "Electronic check")
		n.addNumbers(0, 0, 0, 0, 0, 0, math.NaN(), 50)
		n.updated = append(n.updated, n.updated[0])
	}
}

func (n *night) shift(by time.Duration) {
	n.updated = slices.Clone(n.updated)
	for i := range n.updated {
		n.updated[i] = n.updated[i].Add(by)
	}
}

// coefficients changes those of the model's numbers.
func (n *night) coefficients(change func(name string, coef float64) float64) {
	for _, e := range n.model["numeric"].([]any) {
		entry := e.(map[string]any)
		entry["coef"] = change(entry["name"].(string), entry["coef"].(float64))
	}
}

// again writes the snapshot of another night as tonight's.
func (n *night) again(t *table) { n.texts, n.numbers, n.updated = t.texts, t.numbers, t.updated }

func (n *night) set(flags ...string) { n.flags = append(n.flags, flags...) }

func (n *night) listed() []string { return n.unsubscribed.([]string) }

// truncated cuts the first part in half.
func truncated(folder string) error {
	name := filepath.Join(folder, "part-00000.parquet")
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return os.Truncate(name, info.Size()/2)
}

func every(n int) func(int) bool { return func(row int) bool { return row%n == 0 } }

var ofRows = []fault{
	{name: "half of the rows", do: func(n *night) { n.keep(every(2)) }},
	{name: "one row in ten", do: func(n *night) { n.keep(every(10)) }},
	{name: "one of four parts is missing", do: func(n *night) { n.keep(func(row int) bool { return row >= len(n.updated)/4 }) },
		excuse: "three quarters of the rows, and much the same users; rows.min_ratio: 0.8 would refuse it"},
	{name: "a country is missing", do: func(n *night) { fr := n.is("country", "FR"); n.keep(func(row int) bool { return !fr(row) }) }},
	{name: "a filter on one country upstream", do: func(n *night) { n.keep(n.is("country", "US")) }},
	{name: "a filter on one contract upstream", do: func(n *night) { n.keep(n.is("contract", "Month-to-month")) }},
	{name: "only users who were active this week", do: func(n *night) {
		n.keep(func(row int) bool { return *n.numbers["days_since_last_session"][row] <= 7 })
	}},
	{name: "only users who were idle for a week", do: func(n *night) {
		n.keep(func(row int) bool { return *n.numbers["days_since_last_session"][row] > 7 })
	}},
	{name: "join fan-out: every row twice", do: func(n *night) { n.repeat(func(int) int { return 2 }, false) }},
	{name: "join fan-out: one row in twenty three times", do: func(n *night) {
		n.repeat(func(row int) int { return 1 + 2*(1-min(1, row%20)) }, false)
	}},
	{name: "join fan-out: every row three times, ids made new", do: func(n *night) { n.repeat(func(int) int { return 3 }, true) }},
	{name: "join fan-out: every row twice, ids made new", do: func(n *night) { n.repeat(func(int) int { return 2 }, true) }},
	{name: "a part is there twice", do: func(n *night) { n.files = n.split()[:1] }},
	{name: "yesterday's part among tonight's", do: func(n *night) { n.files = []*table{n.yesterday.slice(0, 1200)} }},
	{name: "no row at all", do: func(n *night) { n.take(nil) }},
	{name: "a part is cut off", do: func(n *night) { n.damage = truncated }},
	{name: "a flood of test users", do: func(n *night) { n.flood(2500) }},
	{name: "yesterday's snapshot again", do: func(n *night) { n.again(n.yesterday) }},
	{name: "last week's snapshot again", do: func(n *night) { n.again(n.lastWeek) }},
	{name: "yesterday's snapshot with tonight's stamp", do: func(n *night) { n.again(n.yesterday); n.shift(24 * time.Hour) },
		excuse: "its rows are those of an ordinary night"},
	{name: "data a day old", do: func(n *night) { n.shift(-24 * time.Hour) }},
	{name: "stamps in another timezone", do: func(n *night) { n.shift(9 * time.Hour) }},
	{name: "stamps at the epoch", do: func(n *night) {
		for i := range n.updated {
			n.updated[i] = time.Unix(0, 0)
		}
	}},
}

var ofIDs = []fault{
	{name: "ids cut to six characters", do: func(n *night) { n.retext("user_id", func(_ int, id string) string { return id[:6] }) }},
	{name: "ids in lower case", do: func(n *night) { n.renameValues("user_id", strings.ToLower) }},
	{name: "ids of one source are empty", do: func(n *night) {
		n.retext("user_id", func(row int, id string) string {
			if row%50 == 0 {
				return ""
			}
			return id
		})
	}},
	{name: "ids of one source are null", do: func(n *night) { n.lose(0.05, "user_id") }},
	{name: "one id for all anonymous users", do: func(n *night) {
		n.retext("user_id", func(row int, id string) string {
			if row%100 == 0 {
				return "anonymous"
			}
			return id
		})
	}},
	{name: "the id column is renamed", do: func(n *night) { n.rename["user_id"] = "customer_id" }},
}

var ofFeatures = []fault{
	{name: "a feature is null in 10 % more", do: func(n *night) { n.lose(0.10, "sessions_30d") }},
	{name: "a feature is null in half", do: func(n *night) { n.lose(0.5, "tenure_months") }},
	{name: "a feature is null in all", do: func(n *night) { n.lose(1, "days_since_last_session") }},
	{name: "a sparse feature is null in all", do: func(n *night) { n.lose(1, "nps") }},
	{name: "a category is null in all", do: func(n *night) { n.lose(1, "contract") }},
	{name: "a late join: all features null in a third", do: func(n *night) {
		n.lose(0.33, "tenure_months", "monthly_charges", "total_charges", "days_since_last_session", "sessions_30d")
	}},
	{name: "a wave of NaN", do: func(n *night) {
		n.number("monthly_charges", func(x float64) float64 {
			if int(100*x)%5 == 0 {
				return math.NaN()
			}
			return x
		})
	}},
	{name: "a wave of infinities", do: func(n *night) {
		n.number("total_charges", func(x float64) float64 {
			if int(100*x)%50 == 0 {
				return math.Inf(1)
			}
			return x
		})
	}},
	{name: "seconds for days", do: func(n *night) { n.number("days_since_last_session", times(86400)) }},
	{name: "hours for days", do: func(n *night) { n.number("days_since_last_session", times(24)) }},
	{name: "days for months", do: func(n *night) { n.number("tenure_months", times(30.4)) }},
	{name: "years for months", do: func(n *night) { n.number("tenure_months", times(1.0/12)) }},
	{name: "cents for euros", do: func(n *night) { n.number("monthly_charges", times(100)) }},
	{name: "another currency", do: func(n *night) { n.number("monthly_charges", times(165)) }},
	{name: "swapped: tenure and charges", do: func(n *night) { n.swap("tenure_months", "monthly_charges") }},
	{name: "swapped: sessions and idle days", do: func(n *night) { n.swap("sessions_30d", "days_since_last_session") }},
	{name: "swapped: calls and nps", do: func(n *night) { n.swap("support_calls", "nps") }},
	{name: "the sign of a feature is flipped", do: func(n *night) { n.number("days_since_last_session", times(-1)) }},
	{name: "sessions count from midnight only", do: func(n *night) { n.number("sessions_30d", always(0)) }},
	{name: "idle days start anew after a migration", do: func(n *night) { n.number("days_since_last_session", always(0)) }},
	{name: "0 in place of nulls", do: func(n *night) { n.fill("nps", 0) }},
	{name: "-999 in place of nulls", do: func(n *night) { n.fill("nps", -999) }},
	{name: "a default of 0 for everybody", do: func(n *night) { n.number("tenure_months", always(0)) }},
	{name: "categories are renamed", do: func(n *night) {
		n.renameValues("contract", func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") })
	}},
	{name: "categories are in upper case", do: func(n *night) { n.renameValues("payment", strings.ToUpper) }},
	{name: "categories have blanks at their end", do: func(n *night) { n.renameValues("payment", func(s string) string { return s + " " }) }},
	{name: "a new category in 3 %", do: func(n *night) {
		n.retext("contract", func(row int, text string) string {
			if row%33 == 0 {
				return "Flex"
			}
			return text
		})
	}},
	{name: "categories are codes", do: func(n *night) { n.renameValues("contract", func(s string) string { return fmt.Sprint(len(s)) }) }},
	{name: "a feature's column is gone", do: func(n *night) { n.rename["sessions_30d"] = "sessions" }},
	{name: "numbers are written as texts", do: func(n *night) { n.asText = "monthly_charges" }},
}

var ofScores = []fault{
	{name: "scores shifted by 20 points", byColumn: true, do: func(n *night) { n.number("churn_score", func(x float64) float64 { return min(100, x+20) }) }},
	{name: "scores from 0 to 1", byColumn: true, do: func(n *night) { n.number("churn_score", times(0.01)) }},
	{name: "scores from 0 to 1,000", byColumn: true, do: func(n *night) { n.number("churn_score", times(10)) }},
	{name: "scores of staying", byColumn: true, do: func(n *night) { n.number("churn_score", func(x float64) float64 { return 100 - x }) }},
	{name: "margins in place of scores", byColumn: true, do: func(n *night) {
		n.number("churn_score", func(x float64) float64 { p := min(max(x/100, 0.001), 0.999); return math.Log(p / (1 - p)) })
	}},
	{name: "labels in place of scores", byColumn: true, do: func(n *night) {
		n.number("churn_score", func(x float64) float64 { return 100 * math.Round(x/100) })
	}},
	{name: "one score for everybody", byColumn: true, do: func(n *night) { n.number("churn_score", always(26.54)) }},
	{name: "all scores null", byColumn: true, do: func(n *night) { n.lose(1, "churn_score") }},
	{name: "one score in twenty null", byColumn: true, do: func(n *night) { n.lose(0.05, "churn_score") }},
	{name: "one score in fifty NaN", byColumn: true, do: func(n *night) {
		n.number("churn_score", func(x float64) float64 {
			if int(100*x)%50 == 0 {
				return math.NaN()
			}
			return x
		})
	}},
	{name: "scores of other users", byColumn: true, do: func(n *night) {
		n.Shuffle(len(n.updated), func(i, k int) {
			scores := n.numbers["churn_score"]
			scores[i], scores[k] = scores[k], scores[i]
		})
	}, excuse: "every figure of the night is as usual"},
	{name: "a model of constants", do: func(n *night) {
		n.coefficients(func(string, float64) float64 { return 0 })
		for _, c := range n.model["categorical"].([]any) {
			c.(map[string]any)["coef"] = map[string]float64{"Month-to-month": 0, "One year": 0, "Two year": 0, "Electronic check": 0, "Mailed check": 0, "Bank transfer": 0, "Credit card": 0}
		}
	}},
	{name: "a model of staying", do: func(n *night) { n.coefficients(func(_ string, coef float64) float64 { return -coef }) }},
	{name: "the sign of one coefficient is flipped", do: func(n *night) {
		n.coefficients(func(name string, coef float64) float64 {
			if name == "days_since_last_session" {
				return -coef
			}
			return coef
		})
	}},
	{name: "a new model by accident", do: func(n *night) { n.model["intercept"] = 0.2 }},
	{name: "the model of another market", do: func(n *night) {
		n.model["intercept"] = -2.5
		n.coefficients(func(_ string, coef float64) float64 { return 2 * coef })
	}},
}

var ofLists = []fault{
	{name: "half of the unsubscribe list", do: func(n *night) { n.unsubscribed = n.listed()[:len(n.listed())/2] }},
	{name: "an empty unsubscribe list", do: func(n *night) { n.unsubscribed = []string{} }},
	{name: "no unsubscribe list", do: func(n *night) { n.unsubscribed = nil }},
	{name: "an unsubscribe list of numbers", do: func(n *night) { n.unsubscribed = make([]int64, len(n.listed())) }},
	{name: "an unsubscribe list of nulls", do: func(n *night) { n.unsubscribed = make([]string, len(n.listed())) }},
	{name: "an unsubscribe list of last week", do: func(n *night) { n.listAge = 7 * 24 * time.Hour }},
	{name: "the column of the unsubscribe list is renamed", do: func(n *night) { n.listColumn = "id" }},
	{name: "an unsubscribe list of another tenant", do: func(n *night) {
		ids := make([]string, len(n.listed()))
		for i := range ids {
			ids[i] = fmt.Sprintf("T%d", i)
		}
		n.unsubscribed = ids
	}, excuse: "the list is as long as ever; that it names nobody is not judged"},
}

var ofConfigs = []fault{
	{name: "an audience of nobody by a typo in a value", do: func(n *night) { n.set(`audiences.1.where=category == "high" && country == "Fr"`) }},
	{name: "an audience of everybody by a slip in a condition", do: func(n *night) { n.set(`audiences.0.where=category != "hihg"`) }},
	{name: "a column that is not there in a condition", do: func(n *night) { n.set(`audiences.1.where=category == "high" && contry == "FR"`) }},
	{name: "an eligible that takes nobody", do: func(n *night) { n.set("eligible=days_since_last_session < 0.0") }},
	{name: "values of a condition are renamed upstream", do: func(n *night) {
		n.renameValues("country", func(s string) string { return map[string]string{"FR": "France"}[s] + s })
	}},
}

func allFaults() []fault {
	return slices.Concat(ofRows, ofIDs, ofFeatures, ofScores, ofLists, ofConfigs)
}
