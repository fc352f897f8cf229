package config

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/churntier/churntier/pipeline/delivery"
)

// Values of Delivery.Send.
const (
	SendFull    = "full"    // all members
	SendChanges = "changes" // what changed since the delivery before
)

// Values of Cadence.OnExit: what becomes of a member under way who is not selected.
const (
	OnExitStop  = "stop"
	OnExitPause = "pause"
)

// Delivery is what one campaign tool receives.
type Delivery struct {
	Name        string
	To          string // a gs:// URL or an absolute local path, without a slash at the end
	Destination string // a name that delivery.DestinationOf knows
	Audiences   []string
	Columns     []OutColumn // of the audience's published Parquet file; nil = all of it
	Send        string
	FullEvery   int64 // with SendChanges, every so many deliveries; 0 = the first alone
	Window      *Window
	MaxAge      time.Duration
	Cadence     *Cadence
	Formula     string
	KeepDays    int64
	SendAbsent  bool // whether users who left the snapshot are told of
}

// Window is a part of the day, in minutes since midnight in the config's timezone.
type Window struct{ From, To int }

// Cadence gives a member Days deliveries, then a rest of Cooldown days.
type Cadence struct {
	Days, Cooldown int64
	OnExit         string
}

var deliveryKind = mapKind{
	keys: []key{
		{name: "name", kind: shortName, required: true, doc: "Name of the delivery and of its log."},
		{name: "to", kind: folderURL, required: true, doc: "Store and folder from which the tool takes files."},
		{name: "destination", kind: oneOf(delivery.DestinationNames()...), required: true, doc: "What the files look like."},
		{name: "audiences", kind: listKind{of: shortName, min: 1, rules: []rule{eachOnce}}, required: true, doc: "Audiences that are delivered."},
		{name: "columns", kind: columnsKind{}, doc: "Columns to write, of the audience's Parquet file; by default all of it."},
		{name: "send", kind: oneOf(SendFull, SendChanges), def: SendFull, doc: "All members, or what changed since the delivery before."},
		{name: "full_every", kind: wholeKind{min: 2}, doc: "With send: changes, every so many deliveries send all members."},
		{name: "window", kind: windowText, doc: "Part of the day in which files are sent."},
		{name: "max_age", kind: duration, def: "36h", doc: "Age of a date, from its end, above which it is never sent."},
		{name: "cadence", kind: cadenceKind, doc: "Consecutive deliveries that a member gets, and the rest after them."},
		{name: "formula", kind: oneOf(FormulaRefuse, FormulaQuote), def: FormulaRefuse, doc: "What becomes of texts that a spreadsheet would run; CSV only."},
		{name: "keep_days", kind: wholeKind{min: 1}, def: "7", doc: "Days after which delivered files are deleted."},
		{name: "send_absent", kind: boolKind{}, def: "false", doc: "Whether users who left the snapshot are told of, whom that may create again; braze-cdi only."},
	},
	rules: []rule{fullEveryNeedsChanges, {check: takenByDestination}, {check: formulaOnlyInCSVFiles}, {check: absentOnlyInPayloads}},
}

var cadenceKind = mapKind{keys: []key{
	{name: "days", kind: wholeKind{min: 1}, required: true, doc: "Consecutive deliveries of a member."},
	{name: "cooldown", kind: wholeKind{}, required: true, doc: "Days after the last of them before a member begins again."},
	{name: "on_exit", kind: oneOf(OnExitStop, OnExitPause), def: OnExitStop, doc: "What becomes of a member under way who is not selected."},
}}

var windowText = textKind{name: "a part of the day such as 06:00-20:00", pattern: `^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$`, parse: windowOf}

func windowOf(s string) (any, error) {
	var h, m, h2, m2 int
	if _, err := fmt.Sscanf(s, "%d:%d-%d:%d", &h, &m, &h2, &m2); err != nil {
		return nil, err
	}
	w := Window{h*60 + m, h2*60 + m2}
	if w.From == w.To {
		return nil, errors.New("it is never open")
	}
	return w, nil
}

var fullEveryNeedsChanges = rule{check: func(r *reading, path string, n *node) {
	send, _ := valueOf[string](n, "send")
	if every := n.get("full_every"); every != nil && send != SendChanges {
		r.add(every.at, under(path, "full_every"), "found full_every with send: "+send, "full_every only with send: changes")
	}
}}

// deliversAudiences says that the audiences of deliveries are those of the config.
func deliversAudiences(r *reading, _ string, n *node) {
	known := namesUnder(n.get("audiences"))
	if known == nil {
		known = namesUnder(n.get("categories"))
	}
	deliveries := n.get("deliveries")
	if deliveries == nil || known == nil {
		return
	}
	for i, d := range deliveries.items {
		list := d.get("audiences")
		if list == nil {
			continue
		}
		for j, item := range list.items {
			name, ok := item.value.(string)
			if ok && !slices.Contains(known, name) {
				r.add(item.at, element(element("deliveries", i)+".audiences", j), fmt.Sprintf("found %s, which is no audience", name), alternatives(known))
			}
			if ok && d.get("cadence") != nil && hasLimit(n.get("audiences"), name) {
				r.add(item.at, element(element("deliveries", i)+".audiences", j), fmt.Sprintf("found %s, which has a limit: only those within it are published, so the cadence could not keep members who are under way", name), "audiences without a limit")
			}
		}
	}
}

func hasLimit(audiences *node, name string) bool {
	if audiences == nil {
		return false
	}
	return slices.ContainsFunc(audiences.items, func(a *node) bool {
		is, _ := valueOf[string](a, "name")
		return is == name && a.get("limit") != nil
	})
}

// namesUnder gives the names of the elements of a list.
func namesUnder(list *node) []string {
	if list == nil {
		return nil
	}
	var all []string
	for _, item := range list.items {
		if name, ok := valueOf[string](item, "name"); ok {
			all = append(all, name)
		}
	}
	return all
}

func deliveryOf(n *node) Delivery {
	d := Delivery{
		Name:        get[string](n, "name"),
		To:          get[string](n, "to"),
		Destination: get[string](n, "destination"),
		Audiences:   each(n.get("audiences"), textOf),
		Columns:     get[[]OutColumn](n, "columns"),
		Send:        get[string](n, "send"),
		FullEvery:   get[int64](n, "full_every"),
		Window:      optional[Window](n, "window"),
		MaxAge:      get[time.Duration](n, "max_age"),
		Formula:     get[string](n, "formula"),
		KeepDays:    get[int64](n, "keep_days"),
		SendAbsent:  get[bool](n, "send_absent"),
	}
	if c := n.get("cadence"); c != nil {
		d.Cadence = &Cadence{Days: get[int64](c, "days"), Cooldown: get[int64](c, "cooldown"), OnExit: get[string](c, "on_exit")}
	}
	return d
}
