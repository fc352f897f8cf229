package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/churntier/churntier/pipeline/delivery"
)

// sent is one row of a delivered file, as the tool reads it.
type sent struct{ user, plan, points, day, of, change, night string }

// left says whether the row tells that the user left: in its own words, or by having
// no values.
func (s sent) left() bool { return s.change == string(delivery.Left) || s.night == "" }

// rowsOf reads a file of s that a tool received.
func (o *oracle) rowsOf(s *sending, f *sentFile) ([]sent, error) {
	switch {
	case o.lists():
		return o.listedIn(s, f)
	case o.config.format == "csv":
		return rowsOfCSV(f.data)
	}
	var all []sent
	for line := range strings.Lines(string(f.data)) {
		var fields map[string]any
		err := json.Unmarshal([]byte(line), &fields)
		if err == nil && o.merged() {
			fields, err = unpacked(fields)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, sentOf(func(name string) string {
			if fields[name] == nil {
				return ""
			}
			return fmt.Sprint(fields[name])
		}))
	}
	return all, nil
}

// unpacked gives the attributes of a user in their payload, with the id.
func unpacked(row map[string]any) (fields map[string]any, err error) {
	payload, packed := row["payload"].(string)
	if !packed || len(row) != 2 {
		return nil, fmt.Errorf("%v is not an identifier and a payload", row)
	}
	if err = json.Unmarshal([]byte(payload), &fields); err == nil && len(fields) == 0 {
		err = fmt.Errorf("%v has an empty payload", row)
	}
	if err == nil {
		fields["id"] = row["external_id"]
	}
	return fields, err
}

// listedIn reads hashes of ids, which the name of the file says are to be added or to
// be removed.
func (o *oracle) listedIn(s *sending, f *sentFile) ([]sent, error) {
	rows, err := csv.NewReader(bytes.NewReader(f.data)).ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, fmt.Errorf("a list of nobody: %w", err)
	}
	var all []sent
	for _, row := range rows[1:] {
		one := sent{user: o.digests[row[0]], night: s.Date.String()}
		if strings.HasSuffix(f.Name, "_remove.csv") {
			one.change = string(delivery.Left)
		}
		all = append(all, one)
	}
	return all, nil
}

func rowsOfCSV(data []byte) ([]sent, error) {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("no header: %w", err)
	}
	var all []sent
	for _, row := range rows[1:] {
		fields := map[string]string{}
		for i, name := range rows[0] {
			fields[name] = row[i]
		}
		all = append(all, sentOf(func(name string) string { return fields[name] }))
	}
	return all, nil
}

func sentOf(field func(string) string) sent {
	return sent{field("id"), field("plan"), field("points"), field("day"), field("of"), field("change"), field("night")}
}
