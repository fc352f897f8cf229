package config

import (
	"bytes"
	"encoding/json"
)

// Schema gives the JSON schema (draft-07) of the config. It knows the keys that
// are supported, their values and defaults; rules between far keys and what
// depends on the machine are left to Load.
func Schema() []byte {
	s := table.schema()
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "churntier prediction"
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	_ = out.Encode(s) // the table holds nothing that JSON cannot hold
	return b.Bytes()
}

// plain gives n as JSON would hold it.
func (n *node) plain() any {
	switch n.form {
	case nothing:
		return nil
	case boolean:
		return n.raw == "true"
	case number:
		return json.Number(n.raw)
	case list:
		items := make([]any, len(n.items))
		for i, item := range n.items {
			items[i] = item.plain()
		}
		return items
	case mapping:
		fields := map[string]any{}
		for _, e := range n.entries {
			fields[e.key] = e.value.plain()
		}
		return fields
	}
	return n.raw
}
