package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// strictJSON reads JSON value by value against an expected structure. Unlike
// json.Unmarshal it takes keys as they are spelled, refuses a key that comes
// twice, and never reads, let alone nests into, a value it does not expect.
type strictJSON struct {
	tokens *json.Decoder
}

func newStrictJSON(data []byte) *strictJSON {
	tokens := json.NewDecoder(bytes.NewReader(data))
	tokens.UseNumber()
	return &strictJSON{tokens}
}

func (s *strictJSON) next() (json.Token, error) {
	token, err := s.tokens.Token()
	switch {
	case err == nil:
		return token, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("the JSON is cut off")
	default:
		return nil, fmt.Errorf("bad JSON near byte %d: %w", s.tokens.InputOffset(), err)
	}
}

// end checks that nothing follows.
func (s *strictJSON) end() error {
	if _, err := s.tokens.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows the model at byte %d, want the end of the file", s.tokens.InputOffset())
	}
	return nil
}

func (s *strictJSON) open(d json.Delim, wanted string) error {
	token, err := s.next()
	if err != nil {
		return err
	}
	if token != d {
		return unexpected(token, wanted)
	}
	return nil
}

// object calls field for each key; field must read the value.
func (s *strictJSON) object(field func(key string) error) error {
	if err := s.open('{', "an object"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for s.tokens.More() {
		token, err := s.next()
		if err != nil {
			return err
		}
		key := token.(string) // the decoder lets nothing else stand before a colon
		if seen[key] {
			return fmt.Errorf("key %q comes twice", key)
		}
		seen[key] = true
		if err := field(key); err != nil {
			return fmt.Errorf("%s: %w", strconv.Quote(key), err)
		}
	}
	_, err := s.next()
	return err
}

// array calls element until the array ends; element must read one value.
func (s *strictJSON) array(element func(i int) error) error {
	if err := s.open('[', "a list"); err != nil {
		return err
	}
	for i := 0; s.tokens.More(); i++ {
		if err := element(i); err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	_, err := s.next()
	return err
}

func (s *strictJSON) text(to *string) error {
	token, err := s.next()
	if err != nil {
		return err
	}
	text, ok := token.(string)
	if !ok {
		return unexpected(token, "a string")
	}
	*to = text
	return nil
}

// number reads a finite float64.
func (s *strictJSON) number(to *float64) error {
	token, err := s.next()
	if err != nil {
		return err
	}
	number, ok := token.(json.Number)
	if !ok {
		return unexpected(token, "a number")
	}
	f, err := strconv.ParseFloat(number.String(), 64)
	if err != nil || math.IsInf(f, 0) {
		return fmt.Errorf("found %s, want a number that a float64 can hold", number)
	}
	*to = f
	return nil
}

func unexpected(token json.Token, wanted string) error {
	switch t := token.(type) {
	case json.Delim:
		kinds := map[json.Delim]string{'{': "an object", '[': "a list"}
		return fmt.Errorf("found %s, want %s", kinds[t], wanted)
	case string:
		return fmt.Errorf("found the string %.60q, want %s", t, wanted)
	case nil:
		return fmt.Errorf("found null, want %s", wanted)
	default:
		return fmt.Errorf("found %v, want %s", t, wanted)
	}
}
