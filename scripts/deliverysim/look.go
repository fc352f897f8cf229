package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/delivery"
)

// sending is a delivery as its intent says, with the rows that are staged for it.
type sending struct {
	N       int
	Kind    string
	Date    date.Date
	Run     string
	Counts  delivery.Counts
	Reasons map[string]int64
	Files   []*sentFile
	done    bool
	fates   []fate
}

// Again says whether an operator sent it once more.
func (s *sending) Again() bool { return s.Kind == string(delivery.Again) }

type sentFile struct {
	Name, Audience, Key string
	data                []byte
	sent                []sent
}

// fate is what the log says of one file.
type fate struct{ claimed, abandoned, acked bool }

const limit = 16 << 20

// readLog reads the intents that were not there before.
func (o *oracle) readLog() ([]*sending, error) {
	var read []*sending
	for {
		n := len(o.deliveries) + len(read)
		data, _, err := o.published.Read(context.Background(), fmt.Sprintf("deliveries/%s/%08d.intent.json", o.name, n), limit)
		if err != nil {
			return read, nil //nolint:nilerr // the log ends here
		}
		s := &sending{}
		if err := json.Unmarshal(data, s); err != nil {
			return nil, err
		}
		for _, f := range s.Files {
			if f.data, _, err = o.published.Read(context.Background(), f.Key, limit); err == nil {
				f.sent, err = o.rowsOf(s, f)
			}
			if err != nil {
				return nil, err
			}
		}
		o.note("%s: intent %d, %s of %s, run %s, %d files", o.name, s.N, s.Kind, s.Date, s.Run, len(s.Files))
		if s.Again() {
			o.report.again++
		}
		read = append(read, s)
	}
}

// readFates reads what the log says of the files of the newest deliveries.
func (o *oracle) readFates() {
	found, err := o.published.Objects(context.Background(), "deliveries/"+o.name)
	if err != nil {
		o.violate(1, wrongLog, "%s: %v", o.name, err)
		return
	}
	there := map[string]bool{}
	for _, a := range found {
		there[strings.TrimPrefix(a.Key, "deliveries/"+o.name+"/")] = true
	}
	for at, s := range o.deliveries {
		if s.done {
			continue
		}
		s.done = there[fmt.Sprintf("%08d.done.json", s.N)]
		s.fates = nil
		for k, f := range s.Files {
			s.fates = append(s.fates, o.fateOf(s.N, k, there))
			o.believe(s, f, s.fates[k])
			now, there := s.fates[k], o.arrived(f.Name)
			if now.claimed && !now.abandoned {
				o.claimed[f.Key] = true
			}
			if !now.claimed && (s.done || at < len(o.deliveries)-1) || now.acked && !there || there && (!now.claimed || now.abandoned) {
				o.violate(1, wrongLog, "%s: file %d of delivery %d, ended %v, arrived %v: %+v", o.name, k, s.N, s.done, there, now)
			}
		}
	}
}

// arrived says whether a file with this name was ever put.
func (o *oracle) arrived(name string) bool {
	return slices.ContainsFunc(o.puts, func(p put) bool { return p.name == name })
}

func (o *oracle) fateOf(n, k int, there map[string]bool) fate {
	name := fmt.Sprintf("%08d.%05d.", n, k)
	f := fate{claimed: there[name+"claim.json"], acked: there[name+"ack.json"]}
	if f.claimed {
		data, _, err := o.published.Read(context.Background(), "deliveries/"+o.name+"/"+name+"claim.json", limit)
		f.abandoned = err == nil && strings.Contains(string(data), "abandoned")
	}
	return f
}

// checkUncertain counts the files whose fate nobody knows, which must be at most one
// a crash.
func (o *oracle) checkUncertain() {
	names := o.uncertain(len(o.deliveries))
	o.report.uncertain += len(names) - o.unsure
	o.unsure = len(names)
	o.violate(max(0, o.unsure-o.faults), tooUncertain, "%s: %v are uncertain after %d faults", o.name, names, o.faults)
}

// uncertain names the files of the newest n deliveries whose fate nobody knows.
func (o *oracle) uncertain(n int) []string {
	var names []string
	for _, s := range o.deliveries[max(0, len(o.deliveries)-n):] {
		for k, f := range s.fates {
			if f.claimed && !f.abandoned && !f.acked {
				names = append(names, s.Files[k].Name)
			}
		}
	}
	return names
}

// checkReported says that the uncertain files of the newest n deliveries are
// reported.
func (o *oracle) checkReported(n int) {
	names := o.uncertain(n)
	past, err := delivery.Open(o.published, o.name).History(context.Background(), n)
	var reported []string
	for _, p := range slices.Backward(past) {
		reported = append(reported, p.Uncertain...)
	}
	if err != nil || !slices.Equal(names, reported) {
		o.violate(1, notReported, "%s: uncertain are %v, reported %v, %v", o.name, names, reported, err)
	}
}

// checkPuts looks at every file that arrived since.
func (o *oracle) checkPuts() {
	for ; o.seen < len(o.puts); o.seen++ {
		p := o.puts[o.seen]
		s, f := o.find(p.name)
		if o.names[p.name]++; o.names[p.name] > 1 {
			o.violate(1, nameTwice, "%s: %s", o.name, p.name)
		}
		if s == nil || !bytes.Equal(p.data, f.data) {
			o.violate(1, wrongLog, "%s: %s is of no intent, or has other bytes", o.name, p.name)
			continue
		}
		o.report.files++
		o.report.rows += len(f.sent)
		o.checkRules(p, s, f)
		o.checkDouble(s, f)
	}
}

func (o *oracle) find(name string) (*sending, *sentFile) {
	for _, s := range slices.Backward(o.deliveries) {
		for _, f := range s.Files {
			if f.Name == name {
				return s, f
			}
		}
	}
	return nil, nil
}

// checkRules holds one file against what is allowed at its moment.
func (o *oracle) checkRules(p put, s *sending, f *sentFile) {
	newest, now := p.newest, p.effective
	superseded := newest != s.Date || (now == nil) != (s.Run == "") || now != nil && now.run != s.Run
	if superseded && o.flying { // one file, which was claimed before
		o.flying = false
		o.report.overtaken++
		return
	}
	users, suppressed := 0, 0
	for _, row := range f.sent {
		if row.left() {
			continue
		}
		users++
		if now != nil && now.suppressed[row.user] || o.runs[s.Run] != nil && o.runs[s.Run].suppressed[row.user] {
			suppressed++
		}
	}
	at := fmt.Sprintf("%s: %s at %s", o.name, p.name, p.at.In(o.zone).Format("01-02 15:04"))
	o.violate(suppressed, sentSuppressed, "%s", at)
	if age := p.at.Sub(o.ends(s.Date)); age > o.config.maxAge {
		o.violate(max(users, 1), sentTooOld, "%s, %s old", at, age)
	}
	if superseded {
		o.violate(max(users, 1), sentSuperseded, "%s, newest is %s %+v", at, newest, now)
	}
	if !o.open(p) && !s.Again() {
		o.violate(max(users, 1), sentOutside, "%s, window %s", at, o.config.window)
	}
}

// open says whether the tool's window is open at the moment of a put.
func (o *oracle) open(p put) bool {
	w := o.config.window
	if w == nil {
		return true
	}
	clock := p.at.In(o.zone).Format("15:04")
	from, to := fmt.Sprintf("%02d:%02d", w.From/60, w.From%60), fmt.Sprintf("%02d:%02d", w.To/60, w.To%60)
	if from <= to {
		return from <= clock && clock < to
	}
	return from <= clock || clock < to
}

// believe takes it that the tool knows of those who left in an uncertain file, which
// is reported: when they come back on the same date it has to be told.
func (o *oracle) believe(s *sending, f *sentFile, now fate) {
	for _, row := range f.sent {
		if now.claimed && !now.abandoned && !now.acked && row.left() {
			delete(o.passed, passing(s, f, row))
		}
	}
}

func passing(s *sending, f *sentFile, row sent) string {
	return f.Audience + " " + row.user + " " + s.Date.String()
}

// checkDouble counts users who have had their message of this date from this audience
// and were not told to have left since. What an operator sends once more is meant to
// be a second one. To be on a list is no message.
func (o *oracle) checkDouble(s *sending, f *sentFile) {
	if o.lists() {
		return
	}
	double := 0
	for _, row := range f.sent {
		key := passing(s, f, row)
		change := delivery.Change(row.change)
		switch {
		case row.left():
			delete(o.passed, key)
		case s.Again():
		case change == delivery.Updated || change == delivery.Stayed:
		case change == delivery.Moved && o.merged(): // the same message, from another audience
		default:
			if o.passed[key] {
				double++
			}
			o.passed[key] = true
		}
	}
	o.violate(double, doubleSent, "%s: %s", o.name, f.Name)
}

// checkDelivered says that a clean attempt did what was due.
func (o *oracle) checkDelivered() {
	d, found := o.newest()
	last := o.last()
	if !found || o.now.Sub(o.ends(d)) > o.config.maxAge || !o.open(put{at: o.now}) {
		return
	}
	p := o.effective[d]
	switch {
	case p == nil && (last == nil || last.Date != d):
	case p == nil && last.Run == "" && last.done:
	case p != nil && last != nil && last.Date == d && last.Run == p.run && last.done:
	default:
		o.violate(1, notDelivered, "%s: %s, %+v; last %+v", o.name, d, p, last)
	}
}
