package publish

import "fmt"

// Decision is what the log of a date says about a run that wants to begin.
type Decision int

// The decisions: go on; the date is published from the same inputs; the date is
// published, or withdrawn, otherwise, and stays so.
const (
	Fresh Decision = iota
	AlreadyPublished
	OtherInputs
)

// Admission is the decision about one run. Entry is the effective entry that it
// rests on, unless the decision is Fresh. Why tells people what stands in the way
// of OtherInputs.
type Admission struct {
	Decision Decision
	Entry    Entry
	Why      string
}

// Fresh says whether the run may go on.
func (a Admission) Fresh() bool { return a.Decision == Fresh }

// Admit decides whether a run with this fingerprint has anything to do. The log
// must have been read before the inputs were looked at.
func Admit(log Log, fingerprint string, force bool) Admission {
	e, found := log.Effective()
	switch {
	case !found || force:
		return Admission{}
	case e.Kind() == Publication && e.Fingerprint == fingerprint:
		return Admission{Decision: AlreadyPublished, Entry: e}
	}
	return Admission{Decision: OtherInputs, Entry: e, Why: why(log, e)}
}

func why(log Log, e Entry) string {
	switch e.Kind() {
	case Withdrawal:
		return fmt.Sprintf("%s was withdrawn (%s); --force publishes it again", log.Date, e.Reason)
	case Rollback:
		return fmt.Sprintf("%s was rolled back to run %s (%s); --force replaces it, else the change takes effect from the next date",
			log.Date, e.Rollback, e.Reason)
	}
	return fmt.Sprintf("%s is published with other inputs; --force replaces it, else the change takes effect from the next date", log.Date)
}
