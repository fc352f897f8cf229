package upstream

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/churntier/churntier/pipeline/date"
)

func night(t *testing.T, day string, n int) []User {
	t.Helper()
	d, err := date.Parse(day)
	if err != nil {
		t.Fatal(err)
	}
	return Night(d, n, 1)
}

func TestANightIsTheSameWhoeverAsks(t *testing.T) {
	if diff := cmp.Diff(night(t, "2026-11-22", 200), night(t, "2026-11-22", 200)); diff != "" {
		t.Error(diff)
	}
}

func TestUsersStayFromNightToNight(t *testing.T) {
	const n = 3000
	before := map[string]User{}
	for _, u := range night(t, "2026-11-20", n) {
		before[*u.ID] = u
	}
	stayed, grew := 0, 0
	users := night(t, "2026-11-21", n)
	for _, u := range users {
		old, ok := before[*u.ID]
		if !ok {
			continue
		}
		stayed++
		if *u.TenureDays == *old.TenureDays+1 && *u.Country == *old.Country {
			grew++
		}
	}
	if len(users) < n*9/10 || len(users) > n*11/10 {
		t.Errorf("a night has %d users, want about %d", len(users), n)
	}
	if stayed < len(users)*98/100 || stayed == len(users) {
		t.Errorf("%d of %d users were there the night before; want nearly all, and some new", stayed, len(users))
	}
	if grew != stayed {
		t.Errorf("%d of %d users who stayed are one day older and in the same country, want all", grew, stayed)
	}
}

func TestFeaturesOfAUserAgree(t *testing.T) {
	d, _ := date.Parse("2026-11-22")
	first := (int64(d.Days()) - longest) * 86400e6
	end := (int64(d.Days()) + 1) * 86400e6
	for _, u := range night(t, "2026-11-22", 1000) {
		switch {
		case *u.Sessions7d > *u.Sessions30d,
			*u.Sessions7d > 0 && *u.DaysSinceLastSession >= 7,
			*u.DaysSinceLastSession > *u.TenureDays,
			(*u.Sessions30d > 0) != (u.AvgSessionMin != nil),
			*u.UpdatedAt < first || *u.UpdatedAt >= end,
			*u.ChurnScore < 0 || *u.ChurnScore > 1:
			t.Errorf("user %s cannot be: %+v", *u.ID, u)
		}
	}
}

func TestASpoiledNightHasFewFlaws(t *testing.T) {
	clean := night(t, "2026-11-21", 3000)
	n := len(clean)
	users := Spoil(clean)
	rows, badIDs, badScores := map[string]int{}, 0, 0
	for _, u := range users {
		if u.ID == nil || *u.ID == "" || strings.ContainsRune(*u.ID, 0) {
			badIDs++
			continue
		}
		rows[*u.ID]++
		if u.ChurnScore == nil || !(*u.ChurnScore >= 0 && *u.ChurnScore <= 1) {
			badScores++
		}
	}
	if len(users) != n+5 || badIDs != 3 || badScores != 3 || len(rows) != n {
		t.Errorf("%d rows of %d users, %d bad ids, %d bad scores; want %d rows of %d users, 3 and 3",
			len(users), len(rows), badIDs, badScores, n+5, n)
	}
}

func TestColumnsGiveNullsAndValuesOfTheirKind(t *testing.T) {
	kinds := map[Kind]any{Text: "", Integer: int32(0), Real: 0.0, Flag: false, Instant: int64(0)}
	full := night(t, "2026-11-22", 100)
	for _, c := range Columns() {
		if v := c.Value(&User{}); v != nil {
			t.Errorf("column %s of no values gives %v, want nil", c.Name, v)
		}
		for i := range full {
			if v := c.Value(&full[i]); v != nil && reflect.TypeOf(v) != reflect.TypeOf(kinds[c.Kind]) {
				t.Errorf("column %s gives a %T, want a %T", c.Name, v, kinds[c.Kind])
			}
		}
	}
}
