// Package upstream plays the team that writes the snapshots: it invents the
// users of a subscription app and lets them live, so that two nights are as
// alike as two real nights. Most users stay, some join, some leave, and every
// feature of a night follows from the days before it.
//
// The same seed and date give the same users on every machine. Nothing here
// writes files; the programs beside this package do, each with its own library.
package upstream

// User is one row of a snapshot. A nil pointer is a null.
type User struct {
	ID                   *string
	Email                *string
	Country              *string
	Plan                 *string
	DaysSinceLastSession *int32
	Sessions7d           *int32
	Sessions30d          *int32
	Purchases90d         *int32
	LTV                  *float64 // spent so far, in the currency of the app
	TenureDays           *int32
	PushEnabled          *bool
	AvgSessionMin        *float64 // over the last 30 days; null without a session
	SupportTickets90d    *int32
	EmailOptOut          *bool
	UpdatedAt            *int64   // microseconds since 1970-01-01 UTC
	ChurnScore           *float64 // the team's own guess, 0 to 1
}

// Kind is the type of a column's values.
type Kind int

// The kinds, with the Go type that Column.Value gives for each.
const (
	Text    Kind = iota // string
	Integer             // int32
	Real                // float64
	Flag                // bool
	Instant             // int64, microseconds since 1970-01-01 UTC
)

// Column is one column of a snapshot. Every column may hold nulls.
type Column struct {
	Name  string
	Kind  Kind
	Value func(*User) any // nil is a null
}

// Columns gives the columns of a snapshot in the order they are written.
func Columns() []Column {
	return []Column{
		{"user_id", Text, func(u *User) any { return value(u.ID) }},
		{"email", Text, func(u *User) any { return value(u.Email) }},
		{"country", Text, func(u *User) any { return value(u.Country) }},
		{"plan", Text, func(u *User) any { return value(u.Plan) }},
		{"days_since_last_session", Integer, func(u *User) any { return value(u.DaysSinceLastSession) }},
		{"sessions_7d", Integer, func(u *User) any { return value(u.Sessions7d) }},
		{"sessions_30d", Integer, func(u *User) any { return value(u.Sessions30d) }},
		{"purchases_90d", Integer, func(u *User) any { return value(u.Purchases90d) }},
		{"ltv", Real, func(u *User) any { return value(u.LTV) }},
		{"tenure_days", Integer, func(u *User) any { return value(u.TenureDays) }},
		{"push_enabled", Flag, func(u *User) any { return value(u.PushEnabled) }},
		{"avg_session_min", Real, func(u *User) any { return value(u.AvgSessionMin) }},
		{"support_tickets_90d", Integer, func(u *User) any { return value(u.SupportTickets90d) }},
		{"email_opt_out", Flag, func(u *User) any { return value(u.EmailOptOut) }},
		{"updated_at", Instant, func(u *User) any { return value(u.UpdatedAt) }},
		{"churn_score", Real, func(u *User) any { return value(u.ChurnScore) }},
	}
}

// value gives what p points to, or an untyped nil.
func value[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}
