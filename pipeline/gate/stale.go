package gate

import (
	"fmt"

	"github.com/churntier/churntier/pipeline/date"
)

// stale refuses data of another day than the night's date, and data that was
// published for an earlier date already. Its value is the difference in days.
func stale(c comparison) (Result, bool) {
	t := c.tonight
	switch {
	case !t.InputsOf.IsZero():
		return aged(t, t.InputsOf, fmt.Sprintf("The snapshot is the same, byte for byte, as that of %s", t.InputsOf)), true
	case !t.DataDate.IsZero():
		return aged(t, t.DataDate, fmt.Sprintf("The newest day in the data%s is %s", column(t.AsOf), t.DataDate)), true
	case t.AsOf != "":
		message := fmt.Sprintf("The data%s holds no day, expected is %s.", column(t.AsOf), t.Date)
		return Result{Status: Refuse, Message: message}, true
	case len(c.history) == 0:
		return noHistory("No column dates the data"), true
	}
	r := atMost(share(0, 1), 0)
	r.Message = "The snapshot differs from those published for earlier dates."
	return r, true
}

// aged judges data of the day of, as found.
func aged(tonight Night, of date.Date, found string) Result {
	days := int64(tonight.Date.Days()) - int64(of.Days())
	r := atMost(share(max(days, -days), 1), 0)
	r.Message = fmt.Sprintf("%s, expected is data of %s.", found, tonight.Date)
	return r
}

func column(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" (column %q)", name)
}
