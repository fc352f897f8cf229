package forest

import (
	"bytes"
	"slices"
	"strconv"
)

// setCategories gives categorical features the texts that pandas_categorical
// lists for the categorical columns of the data frame, in column order. Ordered
// categories are listed too but split as numbers: where the lists are not as
// many as the categorical features, which list is whose is not known, and the
// features stay without texts.
func (f *lgbFile) setCategories(m *Model, lim *limits) error {
	columns := f.categoricalColumns(m)
	for _, c := range columns {
		m.Features[c].Categorical = true
	}
	if text := bytes.TrimSpace(f.pandas); len(text) == 0 || string(text) == "null" {
		return nil
	}
	lists, err := readPandas(f.pandas, lim)
	if err != nil {
		return within("pandas_categorical", err)
	}
	if len(lists) != len(columns) {
		return nil
	}
	for i, c := range columns {
		m.Features[c].Categories, m.Features[c].Numbers = lists[i].names, lists[i].numbers
	}
	return nil
}

// categoricalColumns are those of the training's parameter categorical_feature,
// or, where the file names none, those that feature_infos describes by a list
// of codes and not by a range.
func (f *lgbFile) categoricalColumns(m *Model) []int {
	var columns []int
	named := make([]bool, len(m.Features))
	for field := range bytes.SplitSeq(f.categorical, []byte(",")) {
		if c, err := strconv.Atoi(string(field)); err == nil && c >= 0 && c < len(m.Features) && !named[c] {
			named[c] = true
			columns = append(columns, c)
		}
	}
	if columns == nil {
		i := 0
		for info := range bytes.FieldsSeq(f.header["feature_infos"]) {
			if i < len(m.Features) && info[0] != '[' && string(info) != "none" {
				columns = append(columns, i)
			}
			i++
		}
	}
	slices.Sort(columns)
	return columns
}

// pandasList is the categories of one column.
type pandasList struct {
	names   []string
	numbers bool
}

func readPandas(text []byte, lim *limits) (lists []pandasList, err error) {
	d := decoder{tokens: &json{data: text}, names: lim.categories}
	err = d.array(func(i int) error {
		if err := checkCount(i+1, lim.features, "lists"); err != nil {
			return err
		}
		var l pandasList
		err := d.array(func(int) error { return l.take(&d) })
		lists = append(lists, l)
		return err
	})
	if err == nil {
		err = d.expect(endOfFile)
	}
	return lists, err
}

func (l *pandasList) take(d *decoder) error {
	kind, err := d.peek()
	if err != nil {
		return err
	}
	l.numbers = l.numbers || kind == number
	name, err := d.text()
	l.names = append(l.names, name)
	if err == nil {
		err = d.checkName(name)
	}
	return err
}
