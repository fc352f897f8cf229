package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/churntier/churntier/pipeline/date"
)

// subscriber is a user of a telephone company, as public churn tables have them.
type subscriber struct {
	id, email, country, contract, payment string
	joined                                date.Date
	tenure, monthly, sessions, idle       float64
	calls, nps                            float64 // nps is NaN for those who were not asked
}

// company is the base of users with a chance of its own, so that the same nights
// come out of it every time.
type company struct {
	chance
	users []subscriber
	next  int // number of the next user
}

var (
	countries = []string{"FR", "FR", "FR", "DE", "DE", "BE", "US", "US", "ES", "ES"}
	contracts = []string{"Month-to-month", "Month-to-month", "Month-to-month", "One year", "Two year"}
	payments  = []string{"Electronic check", "Mailed check", "Bank transfer", "Credit card"}
)

const subscribers = 5000

func newCompany(today date.Date) *company {
	c := &company{chance: chanceOf(seed, 1)}
	for range subscribers {
		c.join(today.AddDays(-c.IntN(2000)))
	}
	return c
}

func (c *company) join(day date.Date) {
	n := c.next
	c.next++
	u := subscriber{
		id:    fmt.Sprintf("u%06d-%c", n/2, "kK"[n%2]), // told apart by the case of a letter, as in base 62
		email: fmt.Sprintf("user%d@example.com", n), joined: day,
		country: countries[c.IntN(len(countries))], contract: contracts[c.IntN(len(contracts))], payment: payments[c.IntN(len(payments))],
		monthly: math.Round(100*c.between(18, 118)) / 100, nps: math.NaN(),
	}
	if c.Float64() < 0.6 {
		u.nps = float64(c.IntN(11))
	}
	u.sessions, u.idle, u.calls = float64(c.IntN(30)), float64(c.poisson(4)), float64(c.poisson(1))
	if c.Float64() < 0.15 {
		u.sessions, u.idle = 0, float64(20+c.IntN(70))
	}
	c.users = append(c.users, u)
}

// sleep lets a day pass: some users leave and others join, most are seen again, and
// some contracts and answers change.
func (c *company) sleep(day date.Date) {
	active := 0.35
	if weekday := (day.Days() + 4) % 7; weekday == 0 || weekday == 6 {
		active = 0.30
	}
	c.users = slices.DeleteFunc(c.users, func(subscriber) bool { return c.Float64() < 0.003 })
	for range c.poisson(16) {
		c.join(day)
	}
	for i := range c.users {
		u := &c.users[i]
		switch {
		case u.idle > 19 && c.Float64() > 0.01, c.Float64() > active:
			u.idle++
			u.sessions = max(0, u.sessions-float64(c.poisson(0.3)))
		default:
			u.idle, u.sessions = 0, min(60, u.sessions+1)
		}
		if c.Float64() < 0.02 {
			u.calls = float64(c.poisson(1))
		}
		if c.Float64() < 0.002 {
			u.contract = contracts[c.IntN(len(contracts))]
		}
	}
}

// table is a night's snapshot, column by column. A null is a nil pointer.
type table struct {
	day     date.Date
	texts   map[string][]*string
	numbers map[string][]*float64
	updated []time.Time
}

var (
	textColumns   = []string{"user_id", "email", "country", "contract", "payment"}
	numberColumns = []string{"tenure_months", "monthly_charges", "total_charges", "days_since_last_session", "sessions_30d", "support_calls", "nps", "churn_score"}
)

// snapshot writes down the users of a day with the score that the model gives them.
func (c *company) snapshot(day date.Date) *table {
	t := &table{day: day, texts: map[string][]*string{}, numbers: map[string][]*float64{}}
	midnight := time.Unix(int64(day.Days())*86400, 0).UTC()
	for i := range c.users {
		u := &c.users[i]
		u.tenure = math.Round(float64(day.Days()-u.joined.Days())/30.4*10) / 10
		t.add(textColumns, u.id, u.email, u.country, u.contract, u.payment)
		total := u.tenure * u.monthly
		t.addNumbers(u.tenure, u.monthly, total, u.idle, u.sessions, u.calls, u.nps, math.Round(10000*u.probability())/100)
		t.updated = append(t.updated, midnight.Add(time.Duration(i*17%86400)*time.Second))
	}
	return t
}

func (t *table) add(columns []string, values ...string) {
	for i, name := range columns {
		t.texts[name] = append(t.texts[name], &values[i])
	}
}

func (t *table) addNumbers(values ...float64) {
	for i, name := range numberColumns {
		v := &values[i]
		if math.IsNaN(*v) {
			v = nil
		}
		t.numbers[name] = append(t.numbers[name], v)
	}
}

// term is a number's part in the model.
type term struct {
	name                      string
	median, mean, scale, coef float64
}

const intercept = -1.3

var (
	terms = []term{
		{"tenure_months", 32, 33, 19, -0.7}, {"monthly_charges", 68, 68, 29, 0.5}, {"total_charges", 1800, 2240, 1800, -0.2},
		{"days_since_last_session", 4, 11, 18, 1.1}, {"sessions_30d", 13, 13, 9, -0.7}, {"support_calls", 1, 1, 1, 0.4}, {"nps", 5, 5, 3, -0.5},
	}
	ofContract = map[string]float64{"Month-to-month": 0.7, "One year": -0.4, "Two year": -1.2}
	ofPayment  = map[string]float64{"Electronic check": 0.4, "Mailed check": -0.1, "Bank transfer": -0.2, "Credit card": -0.2}
)

func (u *subscriber) probability() float64 {
	margin := intercept + ofContract[u.contract] + ofPayment[u.payment]
	for i, x := range []float64{u.tenure, u.monthly, u.tenure * u.monthly, u.idle, u.sessions, u.calls, u.nps} {
		if math.IsNaN(x) {
			x = terms[i].median
		}
		margin += terms[i].coef * (x - terms[i].mean) / terms[i].scale
	}
	return 1 / (1 + math.Exp(-margin))
}
