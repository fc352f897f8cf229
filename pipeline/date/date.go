// Package date holds the logical date of a night: a civil day without a clock
// or a zone. The date of a run is an argument everywhere, so the same night can
// be computed at any time and gives the same bytes.
package date

import (
	"fmt"
	"time"
)

const layout = "2006-01-02"

// Date is a civil day. The zero value is no date; dates compare with ==.
type Date struct {
	days  int32 // since 1970-01-01
	known bool
}

// Of gives the civil day of t in t's own location.
func Of(t time.Time) Date {
	y, m, d := t.Date()
	return fromTime(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
}

// Parse reads a date in the form 2006-01-02, and nothing else.
func Parse(s string) (Date, error) {
	t, err := time.Parse(layout, s)
	if err != nil || t.Year() < 1 {
		return Date{}, fmt.Errorf("date %q: want YYYY-MM-DD, such as 2026-11-22", s)
	}
	return fromTime(t), nil
}

// FromDays gives the day that is n days after 1970-01-01.
func FromDays(n int32) Date { return Date{n, true} }

func fromTime(t time.Time) Date { return FromDays(int32(t.Unix() / 86400)) }

// Days counts the days since 1970-01-01, as Parquet and Arrow store a DATE.
func (d Date) Days() int32 { return d.days }

// IsZero says whether d is no date at all.
func (d Date) IsZero() bool { return !d.known }

// AddDays gives the day n days later; n may be negative.
func (d Date) AddDays(n int) Date { return FromDays(d.days + int32(n)) }

// Before says whether d is an earlier day than o.
func (d Date) Before(o Date) bool { return d.days < o.days }

// After says whether d is a later day than o.
func (d Date) After(o Date) bool { return d.days > o.days }

// Compare gives -1, 0 or 1, for slices.SortFunc.
func (d Date) Compare(o Date) int {
	switch {
	case d.days < o.days:
		return -1
	case d.days > o.days:
		return 1
	}
	return 0
}

// Year gives the four digits of the year.
func (d Date) Year() string { return d.utc().Format("2006") }

// Month gives the two digits of the month.
func (d Date) Month() string { return d.utc().Format("01") }

// Day gives the two digits of the day of the month.
func (d Date) Day() string { return d.utc().Format("02") }

func (d Date) utc() time.Time { return time.Unix(int64(d.Days())*86400, 0).UTC() }

// End is the first instant after the day in zone.
func (d Date) End(zone *time.Location) time.Time {
	year, month, day := d.utc().Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, zone)
}

// String gives the form 2006-01-02, or "" for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.utc().Format(layout)
}

// MarshalText gives the form of String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the form of Parse; empty text is no date.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	v, err := Parse(string(text))
	if err != nil {
		return err
	}
	*d = v
	return nil
}
