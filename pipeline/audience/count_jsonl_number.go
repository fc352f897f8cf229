package audience

// number takes a byte after the first of a number, or what follows the number.
func (s *jsonScanner) number(b byte) bool {
	isDigit := b >= '0' && b <= '9'
	switch s.state {
	case numberSign:
		return s.whole(b)
	case numberZero, numberWhole:
		switch {
		case isDigit:
			return s.state == numberWhole
		case b == '.':
			return s.become(numberPoint)
		}
		return s.exponent(b)
	case numberPoint:
		return isDigit && s.become(numberFraction)
	case numberFraction:
		return isDigit || s.exponent(b)
	case numberE:
		if b == '+' || b == '-' {
			return s.become(numberESign)
		}
		return isDigit && s.become(numberExponent)
	case numberESign:
		return isDigit && s.become(numberExponent)
	default: // numberExponent
		return isDigit || s.after(b)
	}
}

// whole takes the first digit of a number.
func (s *jsonScanner) whole(b byte) bool {
	return b == '0' && s.become(numberZero) || b >= '1' && b <= '9' && s.become(numberWhole)
}

// exponent takes the e of a number, or what follows the number.
func (s *jsonScanner) exponent(b byte) bool {
	if b == 'e' || b == 'E' {
		return s.become(numberE)
	}
	return s.after(b)
}
