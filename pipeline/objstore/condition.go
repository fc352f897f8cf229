package objstore

// Condition is what must hold of a key at the moment of a write.
type Condition struct {
	absent     bool
	generation string
}

var (
	// Any is no condition: the object is written whatever is there.
	Any = Condition{}
	// Absent demands that nothing is there: create-if-absent.
	Absent = Condition{absent: true}
)

// IfGeneration demands that the object there has this generation; with "" it
// is Absent.
func IfGeneration(generation string) Condition {
	return Condition{absent: generation == "", generation: generation}
}

// Generation is the one demanded, or "" where none is.
func (c Condition) Generation() string { return c.generation }

// Holds says whether c is met by a key that has this generation now; "" means
// that nothing is there.
func (c Condition) Holds(now string) bool {
	if c.absent {
		return now == ""
	}
	return c.generation == "" || c.generation == now
}
