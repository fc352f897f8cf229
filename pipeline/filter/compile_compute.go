package filter

import "cel.dev/cel-go/common/operators"

var intLoops = map[string]checked{
	operators.Add: addInts, operators.Subtract: subtractInts, operators.Multiply: multiplyInts,
	operators.Divide: divideInts, operators.Modulo: remainderInts,
}

var doubleLoops = map[string]plain{
	operators.Add: addDoubles, operators.Subtract: subtractDoubles,
	operators.Multiply: multiplyDoubles, operators.Divide: divideDoubles,
}

// computing compiles an arithmetic operator with a result of the kind.
func computing(name string, kind Kind, x, y operand) operand {
	switch kind {
	case Double:
		return operand{kind: Double, doubles: computeDoubles(doubleLoops[name], x.doubles, y.doubles)}
	case String:
		return operand{kind: String, texts: join(x.texts, y.texts)}
	case Timestamp:
		if x.kind == Duration {
			x, y = y, x
		}
		return operand{kind: Timestamp, times: move(x.times, y.ints, name == operators.Subtract)}
	case Duration:
		if x.kind == Timestamp {
			return operand{kind: Duration, ints: between(x.times, y.times)}
		}
	}
	return operand{kind: kind, ints: computeInts(intLoops[name], x.ints, y.ints)}
}

func computeDoubles(loop plain, x, y vectors[float64]) vectors[float64] {
	return func(b *batch) vector[float64] {
		v, w := x(b), y(b)
		dst, rest := room(b, v, w)
		loop(dst, v.values, w.values)
		giveValues(b, rest)
		return vector[float64]{values: dst, unknown: b.either(v.unknown, w.unknown), owned: true}
	}
}

func computeInts(loop checked, x, y vectors[int64]) vectors[int64] {
	return func(b *batch) vector[int64] {
		v, w := x(b), y(b)
		dst, rest := room(b, v, w)
		unknown := b.someUnknown(v.unknown, w.unknown, b.rows)
		loop(dst, v.values, w.values, unknown)
		giveValues(b, rest)
		return vector[int64]{values: dst, unknown: unknown, owned: true}
	}
}

func between(x, y vectors[instant]) vectors[int64] {
	return func(b *batch) vector[int64] {
		v, w := x(b), y(b)
		out := take[int64](b, len(v.values))
		out.unknown = b.someUnknown(v.unknown, w.unknown, b.rows)
		since(out.values, v.values, w.values, out.unknown)
		giveValues(b, v)
		giveValues(b, w)
		return out
	}
}

func move(x vectors[instant], by vectors[int64], back bool) vectors[instant] {
	return func(b *batch) vector[instant] {
		v, w := x(b), by(b)
		unknown := b.someUnknown(v.unknown, w.unknown, b.rows)
		shift(v.values, w.values, back, unknown)
		giveValues(b, w)
		return vector[instant]{values: v.values, unknown: unknown, owned: true}
	}
}

func negate(x operand) operand {
	if x.kind == Double {
		return operand{kind: Double, doubles: func(b *batch) vector[float64] {
			v := x.doubles(b)
			out := take[float64](b, len(v.values))
			out.unknown = v.unknown
			for i, n := range v.values {
				out.values[i] = -n
			}
			giveValues(b, v)
			return out
		}}
	}
	return operand{kind: Int, ints: func(b *batch) vector[int64] {
		v := x.ints(b)
		out := take[int64](b, len(v.values))
		out.unknown = b.someUnknown(v.unknown, nil, b.rows)
		negateInts(out.values, v.values, out.unknown)
		giveValues(b, v)
		return out
	}}
}
