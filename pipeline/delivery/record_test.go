package delivery

import (
	"errors"
	"testing"
)

func TestNamesOfLogObjects(t *testing.T) {
	for name, want := range map[string]struct {
		n, k int
		kind string
	}{
		"00000000.intent.json":       {0, 0, "intent"},
		"00000012.00003.claim.json":  {12, 3, "claim"},
		"00000012.123456.ack.json":   {12, 123456, "ack"},
		"123456789.done.json":        {123456789, 0, "done"},
		"123456789.99999.claim.json": {123456789, 99999, "claim"},
	} {
		n, k, kind, ok := parseName(name)
		if !ok || n != want.n || k != want.k || kind != want.kind {
			t.Errorf("%s: got %d, %d, %s, %v, expected %+v", name, n, k, kind, ok, want)
		}
	}
	for _, name := range []string{
		"", ".json", "intent.json", "1.intent.json", "+0000001.intent.json", "-0000001.intent.json", "00000001.intent", "00000001.00001.intent.json",
		"00000001.claim.json", "00000001.1.claim.json", "00000001.00001.claim.json.tmp", "000000001.done.json", "00000001.other.json", "00000001.done.json\n",
	} {
		if n, k, kind, ok := parseName(name); ok {
			t.Errorf("%q is taken as %d, %d, %s", name, n, k, kind)
		}
	}
}

// A name that is read is the one that is written.
func FuzzParseName(f *testing.F) {
	for _, name := range []string{"00000000.intent.json", "00000012.00003.claim.json", "00000012.00003.ack.json", "00000012.done.json", "1.2.ack.json"} {
		f.Add(name)
	}
	l := Open(nil, "x")
	f.Fuzz(func(t *testing.T, name string) {
		n, k, kind, ok := parseName(name)
		if !ok {
			return
		}
		key := map[string]string{"intent": l.intentKey(n), "claim": l.claimKey(n, k), "ack": l.ackKey(n, k), "done": l.doneKey(n)}[kind]
		if key != "deliveries/x/"+name {
			t.Errorf("%q was read, %q is written", name, key)
		}
	})
}

func TestRecords(t *testing.T) {
	all, err := records([]string{"00000001.done.json", "README", "00000001.intent.json", "00000000.00001.ack.json", "00000000.00001.claim.json", "00000000.intent.json", "00000000.00000.claim.json"})
	if err != nil || len(all) != 2 || all[0].Done || !all[1].Done || len(all[0].claimed) != 2 || len(all[0].acked) != 1 || all[0].acked[0] != 1 {
		t.Errorf("got %+v, %v", all, err)
	}
	for _, names := range [][]string{
		{"00000001.intent.json"},
		{"00000000.done.json"},
		{"00000000.intent.json", "00000001.00000.claim.json"},
		{"00000000.intent.json", "00000002.intent.json"},
	} {
		if _, err := records(names); !errors.Is(err, ErrLog) {
			t.Errorf("%q: got %v, expected %v", names, err, ErrLog)
		}
	}
}
