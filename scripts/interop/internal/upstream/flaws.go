package upstream

import (
	"math"
	"slices"
)

// oddTexts are values that are legal and rare: a reader or a CSV writer that
// mishandles one of them changes a user's row or the number of rows.
var oddTexts = []string{
	"Côte d’Ivoire",
	"pro, annual",
	`the "gold" plan`,
	"line one\nline two",
	"\u65e5\u672c",
	"",
	"semi;colon\ttab",
	"\U0001f1eb\U0001f1f7 FR",
	" padded ",
	"e\u0301 is not \u00e9",
	`back\slash`,
	"O'Brien & <sons>",
}

var oddEmails = []string{
	"Ada.Lovelace@Example.COM",
	" spaced@example.com ",
	`"quoted, local"@example.com`,
	"почта@пример.example",
	"tag+filter@example.com",
	"not an address",
}

// Spoil gives the users of a bad night: odd texts, more nulls, three bad scores,
// a row that is there twice, an id with two different rows, and three rows with
// a bad id. There are few enough of each that the default gates pass with three
// thousand users. It changes users and needs at least a thousand of them.
func Spoil(users []User) []User {
	for i, text := range oddTexts {
		users[80+61*i].Plan = &oddTexts[i]
		users[105+61*i].Country = ptr(text)
	}
	for i := range oddEmails {
		users[30+101*i].Email = &oddEmails[i]
	}
	for i := 7; i < len(users); i += 43 {
		forget(&users[i], i/43)
	}
	for i, score := range []*float64{ptr(math.NaN()), ptr(-1.0), nil} {
		users[100+200*i].ChurnScore = score
	}
	return withBadIDs(withDuplicates(users))
}

// forget makes one feature of u null.
func forget(u *User, which int) {
	switch which % 6 {
	case 0:
		u.Sessions7d = nil
	case 1:
		u.Plan = nil
	case 2:
		u.Country = nil
	case 3:
		u.PushEnabled = nil
	case 4:
		u.LTV, u.TenureDays = nil, nil
	case 5:
		u.DaysSinceLastSession, u.EmailOptOut = nil, nil
	}
}

// withDuplicates appends one row again as it is and one with other values, so
// that they lie in different parts.
func withDuplicates(users []User) []User {
	same, other := users[10], users[20]
	other.Plan = ptr("pro")
	other.Country = ptr("CH")
	other.Sessions30d = ptr(*other.Sessions30d + 40)
	other.UpdatedAt = ptr(*other.UpdatedAt - 3600e6)
	other.ChurnScore = ptr(0.0101)
	return append(users, same, other)
}

// withBadIDs spreads rows without a usable id over the parts.
func withBadIDs(users []User) []User {
	ids := []*string{nil, ptr(""), ptr("u\x0000257999")}
	for i, id := range ids {
		at := len(users) * (i + 1) / 4
		row := users[at]
		row.ID = id
		users = slices.Insert(users, at, row)
	}
	return users
}
