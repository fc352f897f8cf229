package score

import (
	"fmt"
	"slices"
	"strings"
)

// numeric reads one entry of "numeric".
func (f *logisticFile) numeric(i int) error {
	if i == maxFeatures {
		return tooMany("features", maxFeatures)
	}
	var t numberTerm
	read := fields{
		"name":   func() error { return f.json.text(&t.feature) },
		"median": func() error { return f.json.number(&t.missing) },
		"mean":   func() error { return f.json.number(&t.mean) },
		"scale":  func() error { return f.json.number(&t.scale) },
		"coef":   func() error { return f.json.number(&t.coefficient) },
	}
	if err := f.all(read); err != nil {
		return err
	}
	if t.scale <= 0 {
		return fmt.Errorf(`"scale": found %v, want a number above 0`, t.scale)
	}
	f.numbers = append(f.numbers, t)
	return nil
}

// categorical reads one entry of "categorical".
func (f *logisticFile) categorical(i int) error {
	if i == maxFeatures {
		return tooMany("features", maxFeatures)
	}
	var t textTerm
	var missing string
	read := fields{
		"name":    func() error { return f.json.text(&t.feature) },
		"missing": func() error { return f.json.text(&missing) },
		"coef":    func() error { return f.categoryCoefficients(&t) },
	}
	if err := f.all(read); err != nil {
		return err
	}
	t.close(missing)
	f.texts = append(f.texts, t)
	return nil
}

func (f *logisticFile) categoryCoefficients(t *textTerm) error {
	return f.json.object(func(category string) error {
		if f.categories == maxCategories {
			return tooMany("categories", maxCategories)
		}
		f.categories++
		t.vocabulary.add(category, int32(len(t.coefficients)))
		t.coefficients = append(t.coefficients, 0)
		return f.json.number(&t.coefficients[len(t.coefficients)-1])
	})
}

// close adds the coefficients of an unseen category and of a missing value, which
// counts as the text missing.
func (t *textTerm) close(missing string) {
	atMissing := 0.0
	if code, ok := t.vocabulary.codes[missing]; ok {
		atMissing = t.coefficients[code]
	}
	t.coefficients = append(t.coefficients, 0, atMissing)
}

// fields reads the keys of an object.
type fields map[string]func() error

// all reads an object that has every one of the fields and no other.
func (f *logisticFile) all(read fields) error {
	names := make([]string, 0, len(read))
	for name := range read {
		names = append(names, name)
	}
	slices.Sort(names)
	found := 0
	err := f.json.object(func(key string) error {
		if read[key] == nil {
			return unknownKey(strings.Join(names, " "))
		}
		found++
		return read[key]()
	})
	if err == nil && found < len(read) {
		return fmt.Errorf("a key is missing, want all of: %s", strings.Join(names, ", "))
	}
	return err
}
