package forest

import (
	"strconv"
	"unicode/utf8"
)

// setFeatures names the inputs. feature_names and feature_types are empty in
// models trained on bare arrays.
func (f *xgbFile) setFeatures(m *Model, lim *limits) error {
	n, err := wholeOr(f.features, len(f.names))
	if err != nil {
		return within("num_feature", err)
	}
	if err := checkCount(n, lim.features, "features"); err != nil {
		return err
	}
	if len(f.names) > 0 && len(f.names) != n || len(f.types) > 0 && len(f.types) != n {
		return broken("num_feature is %d, with %d feature_names and %d feature_types", n, len(f.names), len(f.types))
	}
	m.Features = make([]Feature, n)
	for i, name := range f.names {
		m.Features[i].Name = name
	}
	for i, kind := range f.types {
		m.Features[i].Categorical = kind == "c"
	}
	return nil
}

// setCategories gives features the texts of their categories.
func (f *xgbFile) setCategories(m *Model, lim *limits) error {
	enc := f.booster.categories
	if len(enc) > len(m.Features) {
		return broken("cats.enc has %d entries for %d features", len(enc), len(m.Features))
	}
	for i := range enc {
		if err := enc[i].name(&m.Features[i], lim); err != nil {
			return within("cats.enc: "+strconv.Itoa(i), err)
		}
	}
	return nil
}

func (c *xgbCategories) name(to *Feature, lim *limits) error {
	n := max(len(c.offsets)-1, 0)
	if c.typed {
		n = len(c.values)
	}
	if n == 0 {
		return nil
	}
	if lim.categories -= n; lim.categories < 0 {
		return unsupported("more categories than are read: train with fewer")
	}
	to.Categories = make([]string, n)
	to.Categorical, to.Numbers = true, c.typed
	for j := range to.Categories {
		if c.typed {
			to.Categories[j] = strconv.FormatInt(c.values[j], 10)
			continue
		}
		s, err := c.text(j)
		if err != nil {
			return within("category "+strconv.Itoa(j), err)
		}
		to.Categories[j] = s
	}
	return nil
}

// text gives category j. Its bytes stand as signed numbers in the file.
func (c *xgbCategories) text(j int) (string, error) {
	from, to := int(c.offsets[j]), int(c.offsets[j+1])
	if from < 0 || to < from || to > len(c.values) {
		return "", broken("its offsets %d and %d do not rise within 0..%d", from, to, len(c.values))
	}
	s := make([]byte, 0, to-from)
	for _, v := range c.values[from:to] {
		if v < -128 || v > 255 {
			return "", broken("%d is not a byte", v)
		}
		s = append(s, byte(v))
	}
	if !utf8.Valid(s) {
		return "", broken("%q is not UTF-8", clip(s))
	}
	return string(s), nil
}
