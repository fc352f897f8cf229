package upstream

import (
	"fmt"
	"math/rand/v2"
)

// A life has three parts: the user joins and is active, then loses interest,
// then is removed from the warehouse. The means are in days.
const (
	meanActive = 210
	meanLapsed = 40
	meanLife   = meanActive + meanLapsed
	longest    = 12 * meanLife // no life is longer
)

// life is what stays the same about one user.
type life struct {
	number  uint64 // counts the users ever joined
	seed    uint64
	joined  int32 // days since 1970-01-01, as are the other days
	lapses  int32
	leaves  int32
	rate    float64 // share of days with a session while active
	buying  float64 // share of days with a purchase, of those with a session
	asking  float64 // share of days with a support ticket
	minutes float64 // typical length of a session
	traits
}

// traits are the columns that do not change from night to night.
type traits struct {
	email   *string
	country string
	plan    string
	push    bool
	optOut  bool
	noBuys  bool // the shop does not report purchases of this user
	noValue bool // nor the money spent
}

var (
	firstNames = []string{"ada", "alan", "amina", "bo", "carla", "chen", "dara", "emil", "fatou", "grace", "hana", "ines", "jonas", "kofi", "lena", "mateo", "nora", "omar", "priya", "quinn", "rosa", "sven", "tariq", "uma", "vera", "wei", "yara", "zoe"}
	lastNames  = []string{"abe", "bauer", "costa", "diaz", "evans", "fischer", "garcia", "haddad", "ito", "jensen", "kaya", "lopez", "meyer", "novak", "okafor", "petit", "rossi", "silva", "tanaka", "weber"}
	mailHosts  = []string{"example.com", "example.com", "example.org", "example.net", "mail.example"}
	countries  = []string{"US", "US", "US", "US", "DE", "DE", "DE", "FR", "FR", "GB", "GB", "IN", "BR", "JP", "ES", "IT", "NL", "BE", "PL", "SE"}
	plans      = []string{"free", "free", "free", "free", "free", "basic", "basic", "basic", "pro", "family"}
	prices     = map[string]float64{"free": 0, "basic": 4.99, "pro": 11.99, "family": 17.99}
)

// newLife draws the life of one user. It draws the same numbers whatever the
// night that asks.
func newLife(seed, number uint64, joined int32) life {
	r := rand.New(rand.NewPCG(seed, number))
	l := life{number: number, seed: seed, joined: joined}
	l.lapses = joined + int32(r.ExpFloat64()*meanActive)
	l.leaves = min(l.lapses+int32(r.ExpFloat64()*meanLapsed), joined+longest)
	l.rate = 0.06 + 0.8*r.Float64()*r.Float64()
	l.buying = 0.15 * r.Float64()
	l.asking = 0.02 * r.Float64()
	l.minutes = 2 + 4*r.ExpFloat64()
	l.traits = newTraits(r, number)
	return l
}

func newTraits(r *rand.Rand, number uint64) traits {
	address := fmt.Sprintf("%s.%s%d@%s", pick(r, firstNames), pick(r, lastNames), number%1000, pick(r, mailHosts))
	t := traits{email: &address, country: pick(r, countries), plan: pick(r, plans)}
	t.push = r.Float64() < 0.6
	t.optOut = r.Float64() < 0.08
	t.noBuys = r.Float64() < 0.03
	t.noValue = r.Float64() < 0.01
	if r.Float64() < 0.05 {
		t.email = nil
	}
	return t
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// The things that may happen on a day; each has its own stream of chances.
const (
	session uint64 = iota
	purchase
	ticket
	clock
	guess
)

// chance is a number in [0,1) that belongs to one user, day and event for ever.
func (l *life) chance(event uint64, day int32) float64 {
	h := mix(mix(mix(l.seed^l.number)^uint64(day)) ^ event)
	return float64(h>>11) / (1 << 53)
}

// mix is the finaliser of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// sessions counts the sessions on one day.
func (l *life) sessions(day int32) int32 {
	rate := l.rate
	if day >= l.lapses {
		rate *= 0.04
	}
	c := l.chance(session, day)
	if day < l.joined || c >= rate {
		return 0
	}
	return 1 + int32(3*c/rate)
}

func (l *life) purchases(day int32) int32 {
	if l.sessions(day) > 0 && l.chance(purchase, day) < l.buying {
		return 1
	}
	return 0
}

func (l *life) tickets(day int32) int32 {
	if day >= l.joined && l.chance(ticket, day) < l.asking {
		return 1
	}
	return 0
}

// over sums what happened in the n days that end with day.
func over(n, day int32, what func(day int32) int32) int32 {
	var sum int32
	for d := day - n + 1; d <= day; d++ {
		sum += what(d)
	}
	return sum
}

// lastSession gives the newest day with a session, or the day of joining.
func (l *life) lastSession(day int32) int32 {
	for day > l.joined && l.sessions(day) == 0 {
		day--
	}
	return day
}
