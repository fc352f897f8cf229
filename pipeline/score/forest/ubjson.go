package forest

import (
	"encoding/binary"
	"math"
)

// ubjson gives the tokens of Universal Binary JSON as XGBoost writes it:
// big-endian numbers, keys and texts with a length in front, objects without a
// count, arrays with one ([#L n) and often with a type ([$d#L n). Of BJData it
// knows the unsigned markers u, m and M, which XGBoost 3.1 and later write.
type ubjson struct {
	data  []byte
	at    int
	open  []container
	named bool // a key stands in front
	done  bool // the document's value has begun
}

type container struct {
	object bool
	marker byte // of every element, or 0 when each has its own
	left   int  // elements to come, or uncounted
}

const uncounted = -1

func (u *ubjson) next() (token, error) {
	if len(u.open) == 0 {
		return u.outside()
	}
	in := &u.open[len(u.open)-1]
	switch {
	case in.left == 0:
		return u.end(arrayEnd)
	case in.left > 0:
		in.left--
	}
	marker := in.marker
	if marker == 0 {
		b, err := u.take(1)
		if err != nil {
			return token{}, err
		}
		marker = b[0]
	}
	switch {
	case in.object && !u.named && marker == '}':
		return u.end(objectEnd)
	case in.object && !u.named:
		return u.key(marker)
	case !in.object && in.left == uncounted && marker == ']':
		return u.end(arrayEnd)
	}
	u.named = false
	return u.value(marker)
}

// outside gives the document's value, and what follows it.
func (u *ubjson) outside() (token, error) {
	if u.done {
		if u.at < len(u.data) {
			return token{}, broken("byte %d: something follows the end of the document", u.at)
		}
		return token{}, nil
	}
	u.done = true
	b, err := u.take(1)
	if err != nil {
		return token{}, err
	}
	return u.value(b[0])
}

func (u *ubjson) end(kind tokenKind) (token, error) {
	u.open = u.open[:len(u.open)-1]
	return token{kind: kind}, nil
}

func (u *ubjson) key(marker byte) (token, error) {
	name, err := u.sized(marker)
	u.named = true
	return token{kind: key, text: name}, err
}

func (u *ubjson) value(marker byte) (token, error) {
	switch marker {
	case '{':
		return token{kind: objectStart}, u.push(container{object: true, left: uncounted})
	case '[':
		return token{kind: arrayStart}, u.array()
	case 'S':
		b, err := u.take(1)
		if err != nil {
			return token{}, err
		}
		s, err := u.sized(b[0])
		return token{kind: text, text: s}, err
	case 'T':
		return token{kind: boolean, whole: 1}, nil
	case 'F':
		return token{kind: boolean}, nil
	case 'Z':
		return token{kind: null}, nil
	}
	return u.number(marker)
}

// array reads what stands behind an opening bracket.
func (u *ubjson) array() error {
	in := container{left: uncounted}
	width := 1 // an element has its marker at least
	if u.follows('$') {
		b, err := u.take(1)
		if err != nil {
			return err
		}
		in.marker, width = b[0], widths[b[0]]
	}
	counted := u.follows('#')
	if width == 0 || in.marker != 0 && !counted {
		return broken("byte %d: an array of type %q: not numbers, or no count", u.at, in.marker)
	}
	if counted {
		b, err := u.take(1)
		if err != nil {
			return err
		}
		if in.left, err = u.length(b[0], width); err != nil {
			return err
		}
	}
	return u.push(in)
}

func (u *ubjson) push(in container) error {
	if len(u.open) == maxNesting {
		return broken("byte %d: nested deeper than %d", u.at, maxNesting)
	}
	u.open = append(u.open, in)
	return nil
}

// follows passes the byte c if it is the next.
func (u *ubjson) follows(c byte) bool {
	if u.at < len(u.data) && u.data[u.at] == c {
		u.at++
		return true
	}
	return false
}

// sized reads a length and as many bytes.
func (u *ubjson) sized(marker byte) ([]byte, error) {
	n, err := u.length(marker, 1)
	if err != nil {
		return nil, err
	}
	return u.take(n)
}

// length reads a count of things that take at least width bytes each, and
// refuses one that the rest of the file cannot hold.
func (u *ubjson) length(marker byte, width int) (int, error) {
	t, err := u.number(marker)
	if err != nil {
		return 0, err
	}
	if rest := len(u.data) - u.at; t.isReal || t.whole < 0 || t.whole > int64(rest/width) {
		return 0, broken("byte %d: a length of %d where %d bytes are left", u.at, t.whole, rest)
	}
	return int(t.whole), nil
}

func (u *ubjson) take(n int) ([]byte, error) {
	if n > len(u.data)-u.at {
		return nil, broken("the file is cut off at byte %d", len(u.data))
	}
	u.at += n
	return u.data[u.at-n : u.at], nil
}

// widths are the bytes of a number by its marker.
var widths = [256]int{'i': 1, 'U': 1, 'I': 2, 'u': 2, 'l': 4, 'm': 4, 'd': 4, 'L': 8, 'M': 8, 'D': 8}

func (u *ubjson) number(marker byte) (token, error) {
	if widths[marker] == 0 {
		return token{}, broken("byte %d: no value starts with %q", u.at-1, marker)
	}
	b, err := u.take(widths[marker])
	if err != nil {
		return token{}, err
	}
	t := token{kind: number}
	switch marker {
	case 'i':
		t.whole = int64(int8(b[0]))
	case 'U':
		t.whole = int64(b[0])
	case 'I':
		t.whole = int64(int16(binary.BigEndian.Uint16(b)))
	case 'u':
		t.whole = int64(binary.BigEndian.Uint16(b))
	case 'l':
		t.whole = int64(int32(binary.BigEndian.Uint32(b)))
	case 'm':
		t.whole = int64(binary.BigEndian.Uint32(b))
	case 'L', 'M':
		t.whole = int64(binary.BigEndian.Uint64(b))
	case 'd':
		t.real, t.isReal = float64(math.Float32frombits(binary.BigEndian.Uint32(b))), true
	case 'D':
		t.real, t.isReal = math.Float64frombits(binary.BigEndian.Uint64(b)), true
	}
	return t, nil
}
