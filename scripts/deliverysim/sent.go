package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
)

// sent is one row of a delivered file, as the tool reads it.
type sent struct{ user, plan, points, day, change, night string }

// rowsOf reads a file that a tool received.
func rowsOf(format string, data []byte) ([]sent, error) {
	if format == "csv" {
		return rowsOfCSV(data)
	}
	var all []sent
	for line := range strings.Lines(string(data)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
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
	return sent{field("id"), field("plan"), field("points"), field("day"), field("change"), field("night")}
}
