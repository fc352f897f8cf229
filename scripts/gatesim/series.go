package main

import (
	"math"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/gate"
)

// nights is how many nights of a prediction are simulated in a row; the first one
// is published without being judged against others.
const nights = 126

// firstDay is a Thursday.
var firstDay = date.FromDays(20454) // 2026-01-01

// prediction is the life of one prediction: its users and how they change from
// night to night when nothing is wrong. README.md says why this is ordinary.
type prediction struct {
	chance
	users    float64 // on the first night
	growth   float64 // of the users, a night
	weekend  float64 // share of the users that is missing on Saturdays and Sundays
	monthEnd float64 // share that is there besides on the last two days of a month
	mean     float64 // of the logit of the churn probability
	spread   float64 // its standard deviation
	lift     float64 // of the mean at weekends: 10 to 20 % more or fewer users above 75
	payday   float64 // of the mean at the end of a month
	trend    float64 // of the mean, a night
	walk     float64 // where the mean has wandered to
	rejected float64 // rate
	twice    float64 // rate of duplicates
	unseen   float64 // rate of categories that the model does not know
	nulls    []float64
	rules    []distribution.Rule
	pinned   bool // the eighth night is the baseline
}

var byScore = []distribution.Rule{{Name: "high", From: 75}, {Name: "medium", From: 50}, {Name: "low"}}
var byShare = []distribution.Rule{{Name: "high", TopShare: 0.10}, {Name: "medium", TopShare: 0.30}, {Name: "low"}}

func newPrediction(users float64, seed, stream uint64) *prediction {
	p := &prediction{chance: chanceOf(seed, stream), users: users, rules: byScore}
	p.growth = p.between(-0.0002, 0.001)
	p.weekend = p.between(0.10, 0.20)
	p.monthEnd = p.between(0, 0.10)
	p.spread = p.between(1.0, 2.2)
	p.mean = p.meanFor(p.between(0.02, 0.15))
	high := p.above(p.mean)
	p.lift = p.meanFor(high*(1+p.either()*p.between(0.10, 0.20))) - p.mean
	p.payday = p.meanFor(high*(1+p.between(0, 0.10))) - p.mean
	p.trend = p.between(-0.001, 0.001)
	p.rejected = math.Pow(10, p.between(-5, -3.5))
	p.twice = math.Pow(10, p.between(-5, -3.5))
	p.unseen = math.Pow(10, p.between(-4, -2.7))
	p.nulls = []float64{0, 0.005, 0.02, 0.05, 0.10, 0.20, 0.35, 0.50}
	if p.Float64() < 0.3 {
		p.rules = byShare
	}
	p.pinned = p.Float64() < 0.5
	return p
}

func (p *prediction) either() float64 { return float64(2*p.IntN(2) - 1) }

// below is the share of users whose probability is below one, for a mean.
func (p *prediction) below(probability, mean float64) float64 {
	logit := math.Log(probability / (1 - probability))
	return math.Erfc(-(logit-mean)/(p.spread*math.Sqrt2)) / 2
}

func (p *prediction) above(mean float64) float64 { return 1 - p.below(0.75, mean) }

// meanFor finds the mean for which a share of the users is above 75.
func (p *prediction) meanFor(high float64) float64 {
	low, top := -20.0, 20.0
	for range 60 {
		if mid := (low + top) / 2; p.above(mid) < high {
			low = mid
		} else {
			top = mid
		}
	}
	return low
}

// night draws the figures of one night.
func (p *prediction) night(number int) gate.Night {
	day := firstDay.AddDays(number)
	users := p.users * math.Pow(1+p.growth, float64(number)) * math.Exp(0.02*p.NormFloat64())
	p.walk = 0.95*p.walk + 0.01*p.NormFloat64()
	mean := p.mean + p.trend*float64(number) + p.walk + 0.02*p.NormFloat64()
	away := 1.0
	if weekday := (day.Days() + 4) % 7; weekday == 0 || weekday == 6 { // 1970-01-01 was a Thursday
		users *= 1 - p.weekend
		mean += p.lift
		away = 1.1
	}
	if day.AddDays(2).Month() != day.Month() {
		users *= 1 + p.monthEnd
		mean += p.payday
	}
	n := gate.Night{Date: day, Counts: p.scores(users, mean), AsOf: "updated_at", DataDate: day, ByShare: distribution.NeedsCounts(p.rules)}
	for _, c := range n.Counts {
		n.Scored += c
	}
	n.Rejected, n.Duplicates = p.poisson(p.rejected*users), p.poisson(p.twice*users)
	n.Read = n.Scored + n.Rejected + n.Duplicates
	p.addFeatures(&n, away)
	p.addCategories(&n)
	return n
}

// scores draws the users of each score, as independent Poisson numbers: two nights
// are samples of their own, which differ more than nights of mostly the same users.
func (p *prediction) scores(users, mean float64) []int64 {
	counts := make([]int64, distribution.Scores)
	below := 0.0
	for h := range counts {
		upTo := 1.0
		if h < len(counts)-1 {
			upTo = p.below((float64(h)+0.5)/10000, mean)
		}
		counts[h] = p.poisson(users * (upTo - below))
		below = upTo
	}
	return counts
}

// addFeatures draws the nulls, of which there are a tenth more at weekends.
func (p *prediction) addFeatures(n *gate.Night, away float64) {
	for i, share := range p.nulls {
		name := string(rune('a' + i))
		n.Features = append(n.Features, gate.Feature{Name: name, Rows: n.Read, Nulls: p.binomial(n.Read, min(1, share*away))})
	}
	unseen := p.binomial(n.Read, p.unseen)
	n.Features = append(n.Features, gate.Feature{Name: "plan", Rows: n.Read, Unseen: &unseen})
}

func (p *prediction) addCategories(n *gate.Night) {
	categories, err := distribution.Cut(p.rules, (*distribution.Counts)(n.Counts))
	if err != nil {
		panic(err) // the rules are constants
	}
	for _, c := range categories {
		n.Categories = append(n.Categories, gate.Share{Name: c.Name, From: c.From, Count: c.Count})
	}
}

// verdicts counts what the gates said of ordinary nights.
type verdicts struct {
	judged, refused, warned int
	refusals, warnings      map[string]int // by gate
	messages                []string       // of refusals
}

func newVerdicts() *verdicts {
	return &verdicts{refusals: map[string]int{}, warnings: map[string]int{}}
}

func (v *verdicts) add(o *verdicts) {
	v.judged, v.refused, v.warned = v.judged+o.judged, v.refused+o.refused, v.warned+o.warned
	for g, n := range o.refusals {
		v.refusals[g] += n
	}
	for g, n := range o.warnings {
		v.warnings[g] += n
	}
	v.messages = append(v.messages, o.messages...)
}

// live judges every night of a prediction. A refused one is published all the same,
// as an operator who looked at it would.
func (p *prediction) live() *verdicts {
	v := newVerdicts()
	var history []gate.Night
	var baseline *gate.Night
	for number := range nights {
		n := p.night(number)
		n.Baseline = baseline
		if number > 0 {
			v.count(gate.Judge(n, history, gate.DefaultLimits(), nil))
		}
		n.Baseline = nil
		history = append([]gate.Night{n}, history[:min(len(history), 6)]...)
		if p.pinned && number == 7 {
			baseline = &n
		}
	}
	return v
}

func (v *verdicts) count(results []gate.Result) {
	v.judged++
	refused, warned := false, false
	for _, r := range results {
		switch r.Status {
		case gate.Refuse:
			refused = true
			v.refusals[r.Name]++
			v.messages = append(v.messages, r.Name+": "+r.Message)
		case gate.Warn:
			warned = true
			v.warnings[r.Name]++
		}
	}
	if refused {
		v.refused++
	}
	if warned {
		v.warned++
	}
}
