package upstream

import (
	"fmt"
	"math"

	"github.com/churntier/churntier/pipeline/date"
)

// Night gives the users that exist at the end of day d, about n of them, in the
// order they joined.
func Night(d date.Date, n int, seed uint64) []User {
	day := d.Days()
	users := make([]User, 0, n+n/16)
	first, next := joinedBy(day-longest, n), joinedBy(day, n)
	for number := first; number < next; number++ {
		l := newLife(seed, number, joinDay(number, n))
		if l.leaves >= day {
			users = append(users, l.on(day))
		}
	}
	return users
}

// joinedBy counts the users who joined up to and including day. So many join on
// each day that about n users exist on every day.
func joinedBy(day int32, n int) uint64 {
	return uint64(day+1) * uint64(n) / meanLife
}

// joinDay is the inverse of joinedBy: the first day that counts user number.
func joinDay(number uint64, n int) int32 {
	return int32((number*meanLife+meanLife+uint64(n)-1)/uint64(n) - 1)
}

// on gives the user's row at the end of a day.
func (l *life) on(day int32) User {
	seen := l.lastSession(day)
	u := User{
		ID:                   ptr(fmt.Sprintf("u%08d", l.number)),
		Email:                l.email,
		Country:              &l.country,
		Plan:                 &l.plan,
		DaysSinceLastSession: ptr(day - seen),
		Sessions7d:           ptr(over(7, day, l.sessions)),
		Sessions30d:          ptr(over(30, day, l.sessions)),
		TenureDays:           ptr(day - l.joined),
		PushEnabled:          &l.push,
		SupportTickets90d:    ptr(over(90, day, l.tickets)),
		EmailOptOut:          &l.optOut,
		UpdatedAt:            ptr((int64(seen)*86400 + int64(86400*l.chance(clock, seen))) * 1e6),
	}
	if !l.noBuys {
		u.Purchases90d = ptr(over(90, day, l.purchases))
	}
	if !l.noValue {
		u.LTV = ptr(l.spent(day))
	}
	if *u.Sessions30d > 0 {
		u.AvgSessionMin = ptr(round(l.minutes*(0.8+0.4*l.chance(clock, day)), 1))
	}
	u.ChurnScore = ptr(l.guess(day, &u))
	return u
}

// spent is the subscription since joining and the purchases, in cents precision.
func (l *life) spent(day int32) float64 {
	bought := over(day-l.joined+1, day, l.purchases)
	months := float64(day-l.joined) / 30
	return round(prices[l.plan]*math.Floor(months)+7.5*float64(bought), 2)
}

// guess is the score of the team's own rule of thumb: odds that grow with the
// days away and shrink with use.
func (l *life) guess(day int32, u *User) float64 {
	away := float64(*u.DaysSinceLastSession)
	odds := (0.3 + away/14 + 0.1*float64(*u.SupportTickets90d)) / (1 + 0.1*float64(*u.Sessions30d))
	odds *= 0.6 + 0.8*l.chance(guess, day)
	return round(odds/(1+odds), 4)
}

func round(x float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(x*scale) / scale
}

func ptr[T any](v T) *T { return &v }
