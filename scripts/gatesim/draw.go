package main

import (
	"math"
	"math/rand/v2"
)

// chance draws numbers that are the same for the same seed.
type chance struct{ *rand.Rand }

func chanceOf(seed, stream uint64) chance { return chance{rand.New(rand.NewPCG(seed, stream))} }

func (c chance) between(low, high float64) float64 { return low + (high-low)*c.Float64() }

// exactTrials is the variance up to which a binomial number is drawn trial by trial;
// above it the normal one is as good.
const exactTrials = 2000

// binomial draws how many of n have a property of share p.
func (c chance) binomial(n int64, p float64) int64 {
	mean, variance := float64(n)*p, float64(n)*p*(1-p)
	switch {
	case mean < 30:
		return min(n, c.poisson(mean))
	case variance > exactTrials:
		return min(n, max(0, int64(math.Round(mean+math.Sqrt(variance)*c.NormFloat64()))))
	}
	hits := int64(0)
	for range n {
		if c.Float64() < p {
			hits++
		}
	}
	return hits
}

// poisson draws a number of rare events: by inversion for small means, by the
// transformed rejection of W. Hörmann (1993, algorithm PTRS) for others.
func (c chance) poisson(mean float64) int64 {
	if mean < 12 {
		k, p := int64(0), math.Exp(-mean)
		for left := c.Float64(); left > p && k < 1000; k++ {
			left -= p
			p *= mean / float64(k+1)
		}
		return k
	}
	b := 0.931 + 2.53*math.Sqrt(mean)
	a := -0.059 + 0.02483*b
	squeeze, inverse, log := 0.9277-3.6224/(b-2), 1.1239+1.1328/(b-3.4), math.Log(mean)
	for {
		u, v := c.Float64()-0.5, c.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + mean + 0.43)
		if us >= 0.07 && v <= squeeze {
			return int64(k)
		}
		if k < 0 || us < 0.013 && v > us {
			continue
		}
		gamma, _ := math.Lgamma(k + 1)
		if math.Log(v*inverse/(a/(us*us)+b)) <= k*log-mean-gamma {
			return int64(k)
		}
	}
}
