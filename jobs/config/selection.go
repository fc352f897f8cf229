package config

import "time"

// Suppress names users that are in no audience. It is of one kind: exactly one of
// URL, Where and Publication is set.
type Suppress struct {
	URL      string        // Parquet files of a list, as List.URL; with exactly one of ID and Contact
	ID       string        // column of user ids, of the list or of the publication's members
	Contact  string        // the list's column of addresses, as in Snapshot.Contact
	MaxAge   time.Duration // of the list; 0 = any
	MinRatio float64       // of the list's rows to those of the publication before, 0-1; 0 = any

	Where string // condition; a user for whom it is unknown is suppressed as well

	Publication string // where another prediction publishes: a gs:// URL or an absolute local path
	Audience    string // of that prediction, on the same date
}

// Values of Holdout.Key.
const (
	HoldoutByContact = "contact" // users of one address share a fate; Snapshot.Contact is set
	HoldoutByID      = "id"
)

// Holdout keeps a share of users out of every audience, so that its effect can be
// measured.
type Holdout struct {
	Share float64 // above 0 and below 1
	Salt  string
	Key   string // what users are held out by
}
