package forest

import (
	"strconv"
	"unicode/utf8"
)

// decoder takes values out of a document, in the order in which they come.
type decoder struct {
	tokens tokens
	ahead  token
	peeked bool
	// Numbers and names that may still be kept.
	numbers int
	names   int
}

func (d *decoder) take() (token, error) {
	if d.peeked {
		d.peeked = false
		return d.ahead, nil
	}
	return d.tokens.next()
}

func (d *decoder) peek() (tokenKind, error) {
	if !d.peeked {
		t, err := d.tokens.next()
		if err != nil {
			return 0, err
		}
		d.ahead, d.peeked = t, true
	}
	return d.ahead.kind, nil
}

func (d *decoder) expect(kind tokenKind) error {
	t, err := d.take()
	if err == nil && t.kind != kind {
		return broken("%v where %v belongs", t.kind, kind)
	}
	return err
}

// object calls field for each key of an object; field takes the value, or gives
// false for a key it does not want.
func (d *decoder) object(field func(key string) (wanted bool, err error)) error {
	if err := d.expect(objectStart); err != nil {
		return err
	}
	for {
		t, err := d.take()
		if err != nil || t.kind == objectEnd {
			return err
		}
		name := string(t.text)
		wanted, err := field(name)
		if err == nil && !wanted {
			err = d.skip()
		}
		if err != nil {
			return within(name, err)
		}
	}
}

// array calls element for each element of an array; element takes the value.
func (d *decoder) array(element func(i int) error) error {
	if err := d.expect(arrayStart); err != nil {
		return err
	}
	for i := 0; ; i++ {
		kind, err := d.peek()
		if err != nil {
			return err
		}
		if kind == arrayEnd {
			return d.expect(arrayEnd)
		}
		if err := element(i); err != nil {
			return within(strconv.Itoa(i), err)
		}
	}
}

// skip passes one value.
func (d *decoder) skip() error {
	for depth := 0; ; {
		t, err := d.take()
		if err != nil {
			return err
		}
		switch t.kind {
		case objectStart, arrayStart:
			depth++
		case objectEnd, arrayEnd:
			depth--
		case endOfFile:
			return broken("%v where a value belongs", t.kind)
		}
		if depth <= 0 {
			return nil
		}
	}
}

// text takes a text, or the spelling of a number: XGBoost writes most of its
// parameters as texts.
func (d *decoder) text() (string, error) {
	t, err := d.take()
	if err != nil {
		return "", err
	}
	return t.spelling()
}

func (d *decoder) texts() (list []string, err error) {
	err = d.array(func(int) error {
		s, err := d.text()
		if err == nil {
			err = d.checkName(s)
		}
		list = append(list, s)
		return err
	})
	return list, err
}

func (d *decoder) checkName(s string) error {
	if d.names--; d.names < 0 {
		return unsupported("more names than are read: train with fewer features and categories")
	}
	if !utf8.ValidString(s) {
		return broken("%q is not UTF-8", clip(s))
	}
	return nil
}

func (d *decoder) float32s(most int) ([]float32, error) { return numbers(d, most, token.float32) }
func (d *decoder) int32s(most int) ([]int32, error)     { return numbers(d, most, token.int32) }

// numbers takes an array of numbers, at most so many.
func numbers[T any](d *decoder, most int, of func(token) (T, error)) (list []T, err error) {
	err = d.array(func(i int) error {
		if d.numbers--; d.numbers < 0 || i == most {
			return unsupported("more numbers than are read: train a smaller model")
		}
		t, err := d.take()
		if err != nil {
			return err
		}
		n, err := of(t)
		list = append(list, n)
		return err
	})
	return list, err
}
