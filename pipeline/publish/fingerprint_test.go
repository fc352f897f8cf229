package publish_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline/publish"
)

func inputs() publish.FingerprintInput {
	return publish.FingerprintInput{
		Parts:       []publish.Source{{Name: "b.parquet", Size: 7, CRC32C: 0xbeef}, {Name: "a.parquet", Size: 1200, CRC32C: 0xffffffff}},
		Lists:       []publish.Source{{Name: "erased.parquet", Size: 3, CRC32C: 1}},
		ModelSHA256: "abc", Mode: "live", Config: []byte(`{"id":"user_id"}`),
	}
}

// The bytes are written out by hand from the encoding that Fingerprint documents.
func TestFingerprintFromItsDocumentation(t *testing.T) {
	if publish.Revision != 5 {
		t.Fatal("write the bytes of the new revision below")
	}
	h := sha256.New()
	h.Write([]byte("9:churntier" + "1:5" + "4:live" + "3:abc" + `16:{"id":"user_id"}`))
	h.Write([]byte("1:2" + "9:a.parquet" + "4:1200" + "8:ffffffff" + "9:b.parquet" + "1:7" + "8:0000beef"))
	h.Write([]byte("1:1" + "14:erased.parquet" + "1:3" + "8:00000001"))
	if got, want := publish.Fingerprint(inputs()), hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("got %s, expected %s", got, want)
	}
	want := sha256.Sum256([]byte("9:churntier1:50:0:0:1:01:0"))
	if got := publish.Fingerprint(publish.FingerprintInput{}); got != hex.EncodeToString(want[:]) {
		t.Errorf("of nothing: got %s, expected %x", got, want)
	}
}

func TestFingerprintTellsInputsApart(t *testing.T) {
	seen := map[string]string{publish.Fingerprint(inputs()): "nothing"}
	for name, change := range map[string]func(*publish.FingerprintInput){
		"a name":               func(in *publish.FingerprintInput) { in.Parts[0].Name = "c.parquet" },
		"a size":               func(in *publish.FingerprintInput) { in.Parts[0].Size++ },
		"a checksum":           func(in *publish.FingerprintInput) { in.Parts[0].CRC32C++ },
		"a part less":          func(in *publish.FingerprintInput) { in.Parts = in.Parts[:1] },
		"a part twice":         func(in *publish.FingerprintInput) { in.Parts = append(in.Parts, in.Parts[0]) },
		"a list as a part":     func(in *publish.FingerprintInput) { in.Parts, in.Lists = append(in.Parts, in.Lists...), nil },
		"the model":            func(in *publish.FingerprintInput) { in.ModelSHA256 = "abd" },
		"the mode":             func(in *publish.FingerprintInput) { in.Mode = "preview" },
		"the config":           func(in *publish.FingerprintInput) { in.Config = []byte(`{"id":"user"}`) },
		"config put elsewhere": func(in *publish.FingerprintInput) { in.ModelSHA256, in.Config = "abc"+string(in.Config), nil },
	} {
		in := inputs()
		change(&in)
		f := publish.Fingerprint(in)
		if other, ok := seen[f]; ok {
			t.Errorf("changing %s gives the fingerprint of changing %s", name, other)
		}
		seen[f] = name
	}
}

func TestFingerprintDoesNotDependOnOrder(t *testing.T) {
	source := rapid.Custom(func(t *rapid.T) publish.Source {
		return publish.Source{
			Name: rapid.StringOf(rapid.RuneFrom([]rune("ab:1"))).Draw(t, "name"),
			Size: rapid.Int64Range(0, 3).Draw(t, "size"), CRC32C: rapid.Uint32Range(0, 3).Draw(t, "crc32c"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		in := publish.FingerprintInput{Parts: rapid.SliceOf(source).Draw(t, "parts")}
		given := slices.Clone(in.Parts)
		f := publish.Fingerprint(in)
		if !slices.Equal(given, in.Parts) {
			t.Fatal("the parts were changed")
		}
		in.Parts = rapid.Permutation(given).Draw(t, "order")
		if publish.Fingerprint(in) != f {
			t.Fatalf("%v and %v differ", given, in.Parts)
		}
	})
}
