package forest

import (
	"bytes"
	stdjson "encoding/json"
)

// json gives the tokens of a JSON text. It takes the bare words NaN, Infinity
// and -Infinity for numbers: XGBoost 1.7 writes NaN for the condition of a
// category split.
type json struct {
	data []byte
	at   int
	open []byte // '{' or '[' of the containers around, outermost first
	full bool   // a value stands in front: a comma or the end must follow
	// named says that a key stands in front: its value must follow.
	named bool
}

func (j *json) next() (token, error) {
	c, err := j.punctuation()
	if err != nil || c == 0 {
		return token{}, err
	}
	if c == '}' || c == ']' {
		return j.end(c)
	}
	if len(j.open) > 0 && j.open[len(j.open)-1] == '{' && !j.named {
		return j.key(c)
	}
	j.full, j.named = true, false
	return j.value(c)
}

// punctuation passes blanks and the comma between values, and gives the byte
// that follows: the start of a token, or 0 after the last.
func (j *json) punctuation() (byte, error) {
	c := j.peek()
	if len(j.open) == 0 {
		switch {
		case j.full && j.at < len(j.data):
			return 0, broken("byte %d: %q after the end of the document", j.at, c)
		case !j.full && j.at == len(j.data):
			return 0, j.cutOff()
		}
		return c, nil
	}
	closing := c == j.open[len(j.open)-1]+2 // in ASCII, for both brackets
	switch {
	case j.at == len(j.data):
		return 0, j.cutOff()
	case closing && !j.named:
		return c, nil
	case j.full && c != ',':
		return 0, broken("byte %d: %q where a comma belongs", j.at, c)
	case j.full:
		return j.afterComma()
	}
	return c, nil
}

func (j *json) afterComma() (byte, error) {
	j.at++
	j.full = false
	c := j.peek()
	switch {
	case j.at == len(j.data):
		return 0, j.cutOff()
	case c == '}' || c == ']' || c == ',':
		return 0, broken("byte %d: %q where a value belongs", j.at, c)
	}
	return c, nil
}

// peek passes blanks.
func (j *json) peek() byte {
	for ; j.at < len(j.data); j.at++ {
		if c := j.data[j.at]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
	}
	return 0
}

func (j *json) cutOff() error { return broken("the file is cut off at byte %d", len(j.data)) }

func (j *json) end(c byte) (token, error) {
	if len(j.open) == 0 || j.named || c != j.open[len(j.open)-1]+2 {
		return token{}, broken("byte %d: %q where a value belongs", j.at, c)
	}
	j.at++
	j.open = j.open[:len(j.open)-1]
	j.full = true
	if c == '}' {
		return token{kind: objectEnd}, nil
	}
	return token{kind: arrayEnd}, nil
}

func (j *json) key(c byte) (token, error) {
	if c != '"' {
		return token{}, broken("byte %d: %q where a key belongs", j.at, c)
	}
	name, err := j.quoted()
	if err != nil {
		return token{}, err
	}
	if c := j.peek(); c != ':' {
		return token{}, broken("byte %d: no colon after the key %q", j.at, clip(name))
	}
	j.at++
	j.full, j.named = false, true
	return token{kind: key, text: name}, nil
}

func (j *json) value(c byte) (token, error) {
	switch c {
	case '{', '[':
		if len(j.open) == maxNesting {
			return token{}, broken("byte %d: nested deeper than %d", j.at, maxNesting)
		}
		j.at++
		j.open = append(j.open, c)
		j.full = false
		if c == '{' {
			return token{kind: objectStart}, nil
		}
		return token{kind: arrayStart}, nil
	case '"':
		s, err := j.quoted()
		return token{kind: text, text: s}, err
	}
	return j.word()
}

// quoted reads a text in quotes.
func (j *json) quoted() ([]byte, error) {
	start := j.at
	escaped := false
	for i := start + 1; i < len(j.data); i++ {
		switch j.data[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			j.at = i + 1
			if escaped {
				return unescape(j.data[start:j.at], start)
			}
			return j.data[start+1 : i], nil
		}
	}
	return nil, j.cutOff()
}

func unescape(quoted []byte, at int) ([]byte, error) {
	var s string
	if err := stdjson.Unmarshal(quoted, &s); err != nil {
		return nil, broken("byte %d: the text %s is not valid: %v", at, clip(quoted), err)
	}
	return []byte(s), nil
}

var endsWord = [256]bool{',': true, ':': true, '[': true, ']': true, '{': true, '}': true, '"': true,
	' ': true, '\t': true, '\r': true, '\n': true}

// word reads a number or one of the bare words.
func (j *json) word() (token, error) {
	start := j.at
	for j.at < len(j.data) && !endsWord[j.data[j.at]] {
		j.at++
	}
	w := j.data[start:j.at]
	switch string(w) {
	case "true":
		return token{kind: boolean, whole: 1}, nil
	case "false":
		return token{kind: boolean}, nil
	case "null":
		return token{kind: null}, nil
	case "NaN", "Infinity", "-Infinity":
		return token{kind: number, text: w}, nil
	}
	if len(w) == 0 || len(bytes.Trim(w, "0123456789+-.eE")) > 0 || w[0] == '+' || w[0] == '.' {
		return token{}, broken("byte %d: %q where a value belongs", start, clip(j.data[start:min(start+max(len(w), 1), len(j.data))]))
	}
	return token{kind: number, text: w}, nil
}
