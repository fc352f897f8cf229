package filter

// Truth is what a condition says of a row. The three are ordered so that "and"
// is the lesser of two and "or" the greater.
type Truth uint8

// The truths. Only True selects.
const (
	False   Truth = iota
	Unknown       // a null decided, or an error such as a division by zero
	True
)

// String gives "false", "unknown" or "true".
func (t Truth) String() string {
	names := [...]string{"false", "unknown", "true"}
	if int(t) < len(names) {
		return names[t]
	}
	return "invalid"
}

func truthOf(b bool) Truth {
	t := False
	if b {
		t = True
	}
	return t
}

func and(dst, other []Truth) {
	other = other[:len(dst)]
	for i, t := range dst {
		dst[i] = min(t, other[i])
	}
}

func or(dst, other []Truth) {
	other = other[:len(dst)]
	for i, t := range dst {
		dst[i] = max(t, other[i])
	}
}

func not(dst []Truth) {
	for i, t := range dst {
		dst[i] = True - t
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
		dst[i] = t & Unknown
	}
}
