package delivery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// script reads the files it is given as Python's csv and json do, and prints each
// one's header and rows.
const script = `
import csv, json, sys
csv.field_size_limit(10_000_000)
for name in sys.argv[1:]:
    with open(name, encoding="utf-8", newline="") as f:
        if name.endswith(".csv"):
            header, *rows = list(csv.reader(f, strict=True))
        else:
            rows = [json.loads(line) for line in f]
            header = list(rows[0])
            rows = [[json.loads(v) if k == "payload" else v for k, v in row.items()] for row in rows]
    print(json.dumps({"header": header, "rows": rows}))
`

// python reads the files of an intent.
func (k *tool) python(i *Intent) (headers []string, rows [][]any) {
	k.Helper()
	interpreter, err := exec.LookPath("python3")
	if err != nil {
		k.Skip("python3 is not here")
	}
	dir := k.TempDir()
	arguments := []string{"-c", script}
	for _, f := range i.Files {
		name := filepath.Join(dir, filepath.Base(f.Name))
		if err := os.WriteFile(name, k.read(f.File), 0o600); err != nil {
			k.Fatal(err)
		}
		arguments = append(arguments, name)
	}
	var failure bytes.Buffer
	command := exec.Command(interpreter, arguments...)
	command.Stderr = &failure
	out, err := command.Output()
	if err != nil {
		k.Fatalf("%v: %s", err, failure.String())
	}
	for line := range strings.Lines(string(out)) {
		var file struct {
			Header []string
			Rows   [][]any
		}
		if err := json.Unmarshal([]byte(line), &file); err != nil {
			k.Fatal(err)
		}
		headers = append(headers, strings.Join(file.Header, ","))
		rows = append(rows, file.Rows...)
	}
	return headers, rows
}

// hostile are texts that are hard to quote, and one of 900,000 bytes.
var hostile = []string{"'=1+1", "a,\"b\";c", "two\r\nlines\nthree", "tab\tback\\slash", "é😀\u2028\u0085\x7f", `{"json":"\n"}`, "null", strings.Repeat("long ", 180_000)}

// Every file of a delivery that is cut is whole for a reader of another language:
// the tool's header on each, and every user and value once.
func TestPythonReadsEveryFile(t *testing.T) {
	var users []person
	for n := range 400 {
		users = append(users, person{"id": fmt.Sprint("u", n), "email": fmt.Sprint("User", n, "@Example.com "), "phone": fmt.Sprint("+33 6", 10_000_000+n), "note": hostile[n%7]})
	}
	users[17]["note"] = hostile[7]
	tests := []struct {
		destination, header string
		columns             []string
		row                 func(u person) []any
	}{
		{"braze-csv", "external_id,note,audience", []string{"external_id: id", "note: note", "audience: audience"}, func(u person) []any {
			return []any{u["id"], u["note"], "a"}
		}},
		{"braze-cdi", "email,payload", []string{"email: email", "note: note", "audience: audience"}, func(u person) []any {
			return []any{u["email"], map[string]any{"note": u["note"], "audience": "a"}}
		}},
		{"google-customer-match", "Email,Phone", []string{"Email: email", "Phone: phone"}, func(u person) []any {
			return []any{digest(strings.ToLower(strings.TrimSpace(u["email"]))), digest(strings.ReplaceAll(u["phone"], " ", ""))}
		}},
		{"meta-custom-audience", "phone,email,fn", []string{"phone: phone", "email: email", "fn: first"}, func(u person) []any {
			return []any{digest(strings.NewReplacer(" ", "", "+", "").Replace(u["phone"])), digest(strings.ToLower(strings.TrimSpace(u["email"]))), ""}
		}},
		{"csv", "id,note", []string{"id: id", "note: note"}, func(u person) []any { return []any{u["id"], u["note"]} }},
		{"jsonl", "id,note", []string{"id: id", "note: note"}, func(u person) []any { return []any{u["id"], u["note"]} }},
	}
	for _, test := range tests {
		t.Run(test.destination, func(t *testing.T) {
			k := newTool(t, test.destination, []string{"a"}, test.columns...)
			k.job.Destination.MaxBytes = 1_000_000
			k.job.Destination.MaxRows = 150
			headers, rows := k.python(k.deliver(members{"a", users}))
			if len(headers) < 3 {
				t.Errorf("%d files", len(headers))
			}
			equal(t, "headers", slices.Compact(headers), []string{test.header})
			var want [][]any
			for _, u := range users {
				want = append(want, test.row(u))
			}
			equal(t, "rows", rows, want)
		})
	}
}

// Payloads of leavers and lists of removals too.
func TestPythonReadsLeavers(t *testing.T) {
	k := newTool(t, "braze-cdi", []string{"a"}, "email: email", "a\"b\n: note")
	odd := "o'dd\"\n😀@example.com"
	k.deliver(members{"a", []person{{"id": "u1", "email": odd}}})
	_, rows := k.python(k.deliver(members{"a", nil}))
	equal(t, "payloads", rows, [][]any{{odd, map[string]any{"a\"b\n": nil}}})

	k = newTool(t, "braze-csv", []string{"a"}, "email: email", "change: change", "note: note")
	k.deliver(members{"a", []person{{"id": "u1", "email": odd}, {"id": "u2", "email": "=2@example.com"}}})
	_, rows = k.python(k.deliver(members{"a", nil}))
	got := map[any]any{}
	for _, row := range rows {
		got[row[0]] = row[1]
	}
	if want := (map[any]any{odd: "left", "'=2@example.com": "left"}); !maps.Equal(got, want) {
		t.Errorf("leavers %v, want %v", got, want)
	}
}
