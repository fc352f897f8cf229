package filter

// Truth is what a condition says of a row. Its bits are such that "and" of two
// truths is their &, and "or" their |.
type Truth uint8

// The truths. Only True selects.
const (
	False   Truth = 0
	Unknown Truth = 1 // a null decided, or an error such as a division by zero
	True    Truth = 3
)

// String gives "false", "unknown" or "true".
func (t Truth) String() string {
	switch t {
	case False:
		return "false"
	case Unknown:
		return "unknown"
	case True:
		return "true"
	}
	return "invalid"
}

// truthOf compiles to no branch, as the loops need.
func truthOf(b bool) Truth {
	var one Truth
	if b {
		one = 1
	}
	return one * True
}

func and(dst, other []Truth) {
	other = other[:len(dst)]
	for i := range dst {
		dst[i] &= other[i]
	}
}

func or(dst, other []Truth) {
	other = other[:len(dst)]
	for i := range dst {
		dst[i] |= other[i]
	}
}

func not(dst []Truth) {
	negated := [4]Truth{False: True, Unknown: Unknown, True: False}
	for i, t := range dst {
		dst[i] = negated[t&3]
	}
}

// mask makes the rows Unknown that are so in unknown, which may be nil and holds
// nothing but Unknown and False.
func mask(dst, unknown []Truth) {
	if unknown == nil {
		return
	}
	unknown = unknown[:len(dst)]
	for i, u := range unknown {
		dst[i] = dst[i]&^-u | u // -u is 0 or all ones
	}
}

// unknownOf turns truths into a mask: Unknown where they are, else False.
func unknownOf(dst []Truth) {
	for i, t := range dst {
		dst[i] = t &^ (t >> 1) & Unknown
	}
}
