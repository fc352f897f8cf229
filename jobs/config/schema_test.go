package config

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("churntier.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("churntier.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// value gives a YAML text as JSON values.
func value(t *testing.T, text string) any {
	t.Helper()
	s := source{report: newReport("", text), text: text, at: func(n int) place { return place{line: n} }}
	root := s.parse()
	if err := s.err(); err != nil {
		t.Fatal(err)
	}
	return root.plain()
}

func TestSchemaAcceptsGoodConfigs(t *testing.T) {
	schema := compiled(t)
	for _, text := range []string{complete(""), complete(everything), complete(shares), complete(modelled)} {
		if err := schema.Validate(value(t, text)); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

// The configs of these golden files are refused by the schema too, but for those
// that say "# schema accepts": they break rules that JSON schema cannot hold.
func TestSchemaRefusesBadStructure(t *testing.T) {
	schema := compiled(t)
	for _, topic := range []string{"audiences", "categories", "gates", "holdout", "keys", "publish", "schedule", "score", "selection", "snapshot", "suppress", "types"} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", "faults", topic+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if !strings.HasSuffix(f.Name, ".yaml") || f.Name == "columns-twice.yaml" {
				continue
			}
			_, words := directives(string(f.Data))
			want := slices.Contains(words, "schema accepts")
			if err := schema.Validate(value(t, complete(string(f.Data)))); (err == nil) != want {
				t.Errorf("%s/%s: the schema accepts: %v, want %v: %v", topic, f.Name, err == nil, want, err)
			}
		}
	}
}

func TestSchemaIsDeterministicAndDescribesEachKey(t *testing.T) {
	if !bytes.Equal(Schema(), Schema()) {
		t.Error("two calls give different bytes")
	}
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	if root["$schema"] != "http://json-schema.org/draft-07/schema#" {
		t.Errorf("$schema = %v", root["$schema"])
	}
	described(t, "", root)
}

func described(t *testing.T, path string, schema map[string]any) {
	if items, ok := schema["items"].(map[string]any); ok {
		described(t, path+"[]", items)
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, property := range properties {
		at := under(path, name)
		p := property.(map[string]any)
		if text, _ := p["description"].(string); !strings.HasSuffix(text, ".") {
			t.Errorf("%s: description %q is no sentence", at, text)
		}
		described(t, at, p)
	}
}
