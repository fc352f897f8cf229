package score

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

const bigPrecision = 160

func bigFloat(x float64) *big.Float { return new(big.Float).SetPrec(bigPrecision).SetFloat64(x) }

// bigExp is e^x in 160 bits: a Taylor sum of x/2^14, squared 14 times.
func bigExp(x float64) *big.Float {
	const halvings = 14
	small := bigFloat(x)
	small.SetMantExp(small, -halvings)
	sum, term := bigFloat(1), bigFloat(1)
	for i := 1; i <= 18; i++ {
		term.Mul(term, small)
		term.Quo(term, bigFloat(float64(i)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// ulps is the distance of got from the true value in units of got's last place.
func ulps(got float64, want *big.Float) float64 {
	unit := math.Nextafter(got, math.Inf(1)) - got
	if math.IsInf(got, 1) {
		got, unit = math.MaxFloat64, 0x1p971 // the step after the largest number
		if want.Cmp(bigFloat(got)) > 0 {
			return 0
		}
	}
	distance := new(big.Float).SetPrec(bigPrecision).Sub(bigFloat(got), want)
	distance.Quo(distance, bigFloat(unit))
	d, _ := distance.Float64()
	return math.Abs(d)
}

// expPoints gives arguments over the whole range, thick where results are
// subnormal, near the overflow, near zero, and at the edges of table steps.
func expPoints(n int) []float64 {
	random := rand.New(rand.NewPCG(1, 2))
	uniform := func(lo, hi float64) float64 { return lo + random.Float64()*(hi-lo) }
	var points []float64
	for len(points) < n {
		edge := (math.Floor(uniform(-137000, 131000)) + 0.5) * math.Ln2 / expSteps
		points = append(points,
			uniform(-746, 710), uniform(-745.2, -708), uniform(709, 709.8),
			uniform(-1, 1), uniform(-40, 40), math.Ldexp(uniform(-1, 1), -random.IntN(80)),
			edge, math.Nextafter(edge, 0))
	}
	return points
}

func TestExpIsWithinOneUlp(t *testing.T) {
	worst, at := 0.0, 0.0
	for _, x := range expPoints(100_000) {
		if d := ulps(Exp(x), bigExp(x)); d > worst {
			worst, at = d, x
		}
	}
	t.Logf("worst error %.4f ulp at %v", worst, at)
	if worst > 1 {
		t.Errorf("Exp(%v) is %.4f ulp off, want at most 1", at, worst)
	}
}

func TestExpAtTheEdges(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range []struct{ x, want float64 }{
		{inf, inf}, {-inf, 0}, {math.MaxFloat64, inf}, {-math.MaxFloat64, 0},
		{710, inf}, {709.782712893384, 1.797693134862273e308}, {709.7827128933841, inf},
		{-745.1332191019411, 5e-324}, {-745.1332191019412, 0}, {-746, 0}, {-747, 0},
		{0, 1}, {math.Copysign(0, -1), 1}, {5e-324, 1}, {-1e-300, 1}, {1, math.E},
	} {
		if got := Exp(test.x); got != test.want && !(test.want > 1e308 && ulps(got, bigExp(test.x)) <= 1) {
			t.Errorf("Exp(%v) = %v, want %v", test.x, got, test.want)
		}
	}
	if got := Exp(math.NaN()); !math.IsNaN(got) {
		t.Errorf("Exp(NaN) = %v, want NaN", got)
	}
}

func TestExpTableHoldsThePowersOfTwo(t *testing.T) {
	for i, entry := range expTable {
		sum := bigFloat(entry[0])
		sum.Add(sum, bigFloat(entry[1]))
		power := bigFloat(1) // (hi+lo)^128 = 2^i
		power.Set(sum)
		for range expBits {
			power.Mul(power, power)
		}
		want := new(big.Float).SetPrec(bigPrecision).SetMantExp(big.NewFloat(1), i)
		off, _ := power.Quo(power.Sub(power, want), want).Float64()
		if math.Abs(off) > 0x1p-98 {
			t.Errorf("entry %d is off by a relative %g", i, off/expSteps)
		}
	}
}

func TestLogistic(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range []struct{ margin, want float64 }{
		{0, 0.5}, {inf, 1}, {-inf, 0}, {800, 1}, {-800, 0}, {40, 1},
	} {
		if got := Logistic(test.margin); got != test.want {
			t.Errorf("Logistic(%v) = %v, want %v", test.margin, got, test.want)
		}
	}
	if got := Logistic(math.NaN()); !math.IsNaN(got) {
		t.Errorf("Logistic(NaN) = %v, want NaN", got)
	}
}

func TestLogisticAgainstBigFloat(t *testing.T) {
	one := bigFloat(1)
	for _, m := range expPoints(8000) {
		if m < -709.7 { // e^-m overflows, and the probability is 0
			if got := Logistic(m); got > 1e-308 {
				t.Errorf("Logistic(%v) = %v, want at most 1e-308", m, got)
			}
			continue
		}
		want := new(big.Float).SetPrec(bigPrecision).Add(one, bigExp(-m))
		want.Quo(one, want)
		if d := ulps(Logistic(m), want); d > 2 {
			t.Errorf("Logistic(%v) is %.3f ulp off, want at most 2", m, d)
		}
	}
}

var sink float64

func BenchmarkExp(b *testing.B) {
	points := expPoints(4096)[:4096]
	for i := range points {
		points[i] = math.Mod(points[i], 20)
	}
	b.SetBytes(8)
	for i := range b.N {
		sink = Exp(points[i&4095])
	}
}
