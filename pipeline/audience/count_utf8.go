package audience

// utf8Scanner is an automaton over the bytes of one character beyond ASCII. It
// takes what RFC 3629 says: no surrogates, nothing above U+10FFFF, and no
// character in more bytes than it needs.
type utf8Scanner struct {
	more        int  // bytes to come
	least, most byte // of the next one
}

func (u *utf8Scanner) open() bool { return u.more > 0 }

// take moves on by one byte; false when it may not stand here.
func (u *utf8Scanner) take(b byte) bool {
	if u.more > 0 {
		ok := b >= u.least && b <= u.most
		u.more, u.least, u.most = u.more-1, 0x80, 0xBF
		return ok
	}
	u.least, u.most = 0x80, 0xBF
	switch b {
	case 0xE0:
		u.least = 0xA0
	case 0xED:
		u.most = 0x9F
	case 0xF0:
		u.least = 0x90
	case 0xF4:
		u.most = 0x8F
	}
	switch {
	case b < 0xC2 || b > 0xF4:
		return false
	case b < 0xE0:
		u.more = 1
	case b < 0xF0:
		u.more = 2
	default:
		u.more = 3
	}
	return true
}
