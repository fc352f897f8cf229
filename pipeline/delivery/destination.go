package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/audience"
)

// Destination describes what one kind of campaign tool takes.
type Destination struct {
	Name      string
	Format    string // of its files: csv, jsonl or parquet
	Extension string // of their names

	// Identifiers are the columns by which the tool knows a user, in groups: a row
	// needs every column of one of them. nil: the tool is told the user id, and a
	// file may have any columns.
	Identifiers [][]string
	OneOnly     bool               // exactly one of the groups is mapped, not several
	Headers     []string           // no other columns are taken, and all of them tell who the user is; nil for any
	Rewrites    map[string]Rewrite // by column, unless the config says another one
	Merged      bool               // one series of files a delivery and one row a user, with the attributes in a payload
	Attributes  int                // the most columns besides the identifier; 0 for any
	Payload     int                // the most bytes of a row's attributes as JSON; 0 for any
	MinRows     int64              // of a list of all members, below which the tool refuses it
	MaxRows     int64              // of one file; 0 for any
	MaxBytes    int64              // of one file; 0 for any; csv and jsonl alone
	Leavers     Telling            // how the tool is told who left
	Empty       bool               // whether a file without rows tells it anything
}

// Rewrite is how the texts of a column are written.
type Rewrite struct {
	Normalise audience.Normalise
	Hash      audience.Hash
}

// Telling is how a tool is told who left.
type Telling string

// A list that is imported anew has no leavers: only changes tell of them.
const (
	ByColumn Telling = "column" // a row, where a column says what changed
	ByFile   Telling = "file"   // a file of its own, to be removed from the list
	ByNulls  Telling = "nulls"  // a row whose attributes are null, also among all members
)

// MaxMerged is how many audiences a delivery has at most whose destination is merged.
const MaxMerged = 16

const (
	megabyte = 1_000_000
	hashed   = audience.SHA256Once
)

// destinations is the table of all destinations, with the limits that the vendors
// document. The limits of a file stand below them where they advise smaller ones.
var destinations = []Destination{
	{
		Name: "braze-csv", Format: formatCSV, Extension: "csv",
		Identifiers: [][]string{{"external_id"}, {"braze_id"}, {"user_alias_name", "user_alias_label"}, {"email"}, {"phone"}}, OneOnly: true,
		MaxBytes: 500 * megabyte, Leavers: ByColumn,
	},
	{
		Name: "braze-cdi", Format: formatJSONL, Extension: "json",
		Identifiers: [][]string{{"external_id"}, {"alias_name", "alias_label"}, {"braze_id"}, {"email"}, {"phone"}}, OneOnly: true,
		Merged: true, Attributes: 250, Payload: megabyte, MaxBytes: 100 * megabyte, Leavers: ByNulls,
	},
	{
		Name: "google-customer-match", Format: formatCSV, Extension: "csv",
		Identifiers: [][]string{{"Email"}, {"Phone"}, {"First Name", "Last Name", "Country", "Zip"}},
		Headers:     []string{"Email", "Phone", "First Name", "Last Name", "Country", "Zip"},
		Rewrites: map[string]Rewrite{
			"Email": {Hash: hashed}, "Phone": {audience.E164, hashed}, "First Name": {Hash: hashed}, "Last Name": {Hash: hashed},
		},
		Leavers: ByFile,
	},
	{
		Name: "meta-custom-audience", Format: formatCSV, Extension: "csv",
		Identifiers: [][]string{{"email"}, {"phone"}, {"madid"}, {"uid"}},
		Headers:     []string{"email", "phone", "madid", "fn", "ln", "ct", "st", "country", "uid"},
		Rewrites: map[string]Rewrite{
			"email": {Hash: hashed}, "phone": {audience.E164Digits, hashed},
			"fn": {audience.PersonName, hashed}, "ln": {audience.PersonName, hashed},
			"ct": {audience.PlaceName, hashed}, "st": {audience.PlaceName, hashed}, "country": {audience.PlaceName, hashed},
		},
		MinRows: 100, Leavers: ByFile,
	},
	{Name: "csv", Format: formatCSV, Extension: "csv", Leavers: ByColumn, Empty: true},
	{Name: "jsonl", Format: formatJSONL, Extension: "jsonl", Leavers: ByColumn, Empty: true},
	{Name: "parquet", Format: formatParquet, Extension: "parquet", Leavers: ByColumn},
}

// DestinationNames lists what DestinationOf knows.
func DestinationNames() []string {
	var all []string
	for _, d := range destinations {
		all = append(all, d.Name)
	}
	return all
}

// DestinationOf gives the destination of that name, false where there is none.
func DestinationOf(name string) (Destination, bool) {
	at := slices.IndexFunc(destinations, func(d Destination) bool { return d.Name == name })
	if at < 0 {
		return Destination{}, false
	}
	return destinations[at], true
}

// Identifies says whether a column tells who the user is.
func (d *Destination) Identifies(column string) bool {
	in := func(group []string) bool { return slices.Contains(group, column) }
	return in(d.Headers) || slices.ContainsFunc(d.Identifiers, in)
}

// Fault is what stands against the columns of a delivery; Column is "" where it is
// all of them together.
type Fault struct{ Column, Found, Expected string }

// Check says what stands against columns of these names.
func (d *Destination) Check(columns []string) []Fault {
	if d.Identifiers == nil {
		return nil
	}
	faults := d.checkIdentifiers(columns)
	attributes := 0
	for _, c := range columns {
		switch {
		case d.Headers != nil && !slices.Contains(d.Headers, c):
			faults = append(faults, Fault{c, fmt.Sprintf("found %s, which %s does not take", c, d.Name), strings.Join(d.Headers, ", ")})
		case !d.Identifies(c):
			attributes++
		}
	}
	switch {
	case d.Merged && attributes == 0:
		faults = append(faults, Fault{Found: "found no attribute: a file of identifiers alone deletes these users where the tool takes it for one of its kind Delete Users", Expected: "at least one column besides the identifier"})
	case d.Attributes > 0 && attributes > d.Attributes:
		faults = append(faults, Fault{Found: fmt.Sprintf("found %d attributes", attributes), Expected: fmt.Sprintf("at most %d", d.Attributes)})
	}
	return faults
}

func (d *Destination) checkIdentifiers(columns []string) []Fault {
	var there []string
	for _, group := range d.Identifiers {
		mapped := slices.DeleteFunc(slices.Clone(group), func(c string) bool { return !slices.Contains(columns, c) })
		if len(mapped) == len(group) || d.OneOnly && len(mapped) > 0 {
			there = append(there, mapped...)
			if len(mapped) < len(group) {
				return []Fault{{Column: mapped[0], Found: "found " + mapped[0] + " alone", Expected: strings.Join(group, " and ")}}
			}
			if d.OneOnly && len(there) > len(group) {
				return []Fault{{Column: mapped[0], Found: fmt.Sprintf("found both %s and %s", there[0], mapped[0]), Expected: d.wanted()}}
			}
		}
	}
	if len(there) == 0 {
		return []Fault{{Found: "found no column that tells who the user is", Expected: d.wanted()}}
	}
	return nil
}

// wanted names the groups of identifiers.
func (d *Destination) wanted() string {
	var all []string
	for _, group := range d.Identifiers {
		all = append(all, strings.Join(group, " with "))
	}
	last := len(all) - 1
	words := strings.Join(all[:last], ", ") + " or " + all[last]
	if d.OneOnly {
		return "exactly one of " + words
	}
	return words
}

// as gives a column as the destination wants its texts, unless the config says how.
func (d *Destination) as(c Column) Column {
	if w, known := d.Rewrites[c.Name]; known && c.Hash == "" && c.Normalise == "" {
		c.Hash, c.Normalise = string(w.Hash), string(w.Normalise)
	}
	return c
}
