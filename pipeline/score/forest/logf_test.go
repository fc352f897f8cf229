package forest

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Odds at which glibc 2.36 gives another float32 than the rounded logarithm, with
// what it gives.
var glibcLogf = [][2]float32{
	{0x1.5a3d180000000p-1, -0x1.9095c80000000p-2},
	{0x1.06feb80000000p+0, 0x1.b9ac300000000p-6},
	{0x1.13c2840000000p+0, 0x1.308c9e0000000p-4},
	{0x1.c939200000000p-2, -0x1.9cd3640000000p-1},
	{0x1.3453660000000p+3, 0x1.21f9520000000p+1},
	{0x1.0870b40000000p+0, 0x1.09bb240000000p-5},
	{0x1.93e8b00000000p-1, -0x1.e5a7200000000p-3},
	{0x1.2967980000000p+0, 0x1.33074c0000000p-3},
	{0x1.03245c0000000p+0, 0x1.8fbb4c0000000p-7},
	{0x1.4a24a00000000p+0, 0x1.0473f80000000p-2},
	{0x1.e747680000000p-1, -0x1.9567ae0000000p-5},
	{0x1.26763e0000000p+1, 0x1.aa8e9c0000000p-1},
}

func TestLogfIsTheCLibrarys(t *testing.T) {
	for _, pair := range glibcLogf {
		if got := logf(pair[0]); got != pair[1] || got == float32(math.Log(float64(pair[0]))) {
			t.Errorf("logf(%x) = %x, want %x, which is not the rounded logarithm", pair[0], got, pair[1])
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		x := float32(math.Exp(r.Float64()*40 - 20))
		want := math.Log(float64(x))
		unit := float64(math.Nextafter32(float32(math.Abs(want)), 100)) - math.Abs(float64(float32(math.Abs(want))))
		if d := math.Abs(float64(logf(x)) - want); d > 0.82*unit {
			t.Fatalf("logf(%v) = %v is %g of a unit off", x, logf(x), d/unit)
		}
	}
	if logf(1) != 0 {
		t.Error("logf(1) is not 0")
	}
}
