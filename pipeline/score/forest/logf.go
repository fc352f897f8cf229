package forest

import "math"

// logf is the float32 logarithm of a positive normal number as the C library of
// Linux gives it, with which XGBoost turns base_score into a margin: within 0.82 of
// a unit in the last place, and so not always the rounded logarithm. The interval
// around 1 is cut into 16; with c near the middle of the piece that z falls into and
// r = z/c - 1, log x is k ln2 + log c + r + a2 r^2 + a1 r^3 + a0 r^4 in float64.
// Constants: glibc 2.27 and later, sysdeps/ieee754/flt-32/e_logf_data.c.
func logf(x float32) float32 {
	bits := math.Float32bits(x)
	above := bits - logfLeast
	piece := &logfPieces[above>>19&15]
	k := int32(above) >> 23
	z := float64(math.Float32frombits(bits - above&0xff800000))
	r := float64(z*piece.inverse) - 1
	head := piece.log + float64(float64(k)*math.Ln2)
	square := float64(r * r)
	tail := float64(logfA1*r) + logfA2
	tail = float64(logfA0*square) + tail
	return float32(float64(tail*square) + (head + r))
}

const (
	logfLeast = 0x3f330000 // where the pieces begin, about 0.7

	logfA0 = -0x1.00ea348b88334p-2
	logfA1 = 0x1.5575b0be00b6ap-2
	logfA2 = -0x1.ffffef20a4123p-2
)

// logfPieces holds 1/c and log c of each piece.
var logfPieces = [16]struct{ inverse, log float64 }{
	{0x1.661ec79f8f3bep+0, -0x1.57bf7808caadep-2},
	{0x1.571ed4aaf883dp+0, -0x1.2bef0a7c06ddbp-2},
	{0x1.49539f0f010bp+0, -0x1.01eae7f513a67p-2},
	{0x1.3c995b0b80385p+0, -0x1.b31d8a68224e9p-3},
	{0x1.30d190c8864a5p+0, -0x1.6574f0ac07758p-3},
	{0x1.25e227b0b8eap+0, -0x1.1aa2bc79c81p-3},
	{0x1.1bb4a4a1a343fp+0, -0x1.a4e76ce8c0e5ep-4},
	{0x1.12358f08ae5bap+0, -0x1.1973c5a611cccp-4},
	{0x1.0953f419900a7p+0, -0x1.252f438e10c1ep-5},
	{0x1p+0, 0x0p+0},
	{0x1.e608cfd9a47acp-1, 0x1.aa5aa5df25984p-5},
	{0x1.ca4b31f026aap-1, 0x1.c5e53aa362eb4p-4},
	{0x1.b2036576afce6p-1, 0x1.526e57720db08p-3},
	{0x1.9c2d163a1aa2dp-1, 0x1.bc2860d22477p-3},
	{0x1.886e6037841edp-1, 0x1.1058bc8a07ee1p-2},
	{0x1.767dcf5534862p-1, 0x1.4043057b6ee09p-2},
}
