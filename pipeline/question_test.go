package pipeline_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/identity"
	"github.com/churntier/churntier/pipeline/localrun"
)

// contactOf gives the normal form of a contact by the standard library, or "".
func contactOf(c cell) string {
	if number, ok := c.(int64); ok {
		return strconv.FormatInt(number, 10)
	}
	text, _ := c.(string)
	normal := strings.ToLower(strings.TrimSpace(text))
	if !utf8.ValidString(text) || len(normal) > 1024 || strings.ContainsFunc(normal, unicode.IsControl) {
		return ""
	}
	return normal
}

// suppressed gives the fates by the words of the contract, with maps.
func suppressed(contacts []cell, lists ...[]cell) []identity.Fate {
	listed, rows := map[string]bool{}, map[string]int{}
	for _, list := range lists {
		for _, c := range list {
			listed[contactOf(c)] = true
		}
	}
	for _, c := range contacts {
		rows[contactOf(c)]++
	}
	fates := make([]identity.Fate, len(contacts))
	for i, c := range contacts {
		switch key := contactOf(c); {
		case key == "":
		case listed[key]:
			fates[i] = identity.Listed
		case rows[key] > 20:
			fates[i] = identity.Crowded
		}
	}
	return fates
}

// drawContacts draws one kind of contact: what names somebody, and what does not.
func drawContacts(t *rapid.T) (named, nobody *rapid.Generator[cell]) {
	blank := rapid.SampledFrom([]cell{nil, "", " \u3000\t"})
	if rapid.Bool().Draw(t, "phones") {
		phones := rapid.Map(rapid.Int64Range(4_915_110, 4_915_140), func(n int64) cell { return n })
		return rapid.OneOf(phones, rapid.Just(cell(int64(-1)))), rapid.Just(cell(nil))
	}
	name := rapid.OneOf(rapid.StringMatching(`[a-e][a-e]@x`), rapid.SampledFrom([]string{"ann@x", "İ@ß", "ＢＯＢ@x", "straße@x", "K"}))
	return rapid.Custom(func(t *rapid.T) cell {
		text := name.Draw(t, "name")
		switch rapid.IntRange(0, 4).Draw(t, "form") {
		case 0:
			return strings.ToUpper(text)
		case 1:
			return "\u00a0 " + text + "\n"
		}
		return text
	}), blank
}

func TestContactsAgreeWithBruteForce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		named, nobody := drawContacts(rt)
		hot := rapid.Just(named.Draw(rt, "hot"))
		contacts := rapid.SliceOfN(rapid.OneOf(named, named, hot, hot, nobody), 30, 150).Draw(rt, "contacts")
		contacts[0], contacts[len(contacts)/2] = named.Draw(rt, "first"), named.Draw(rt, "middle") // tells the type of both parts
		if _, text := contacts[0].(string); text {
			contacts[1] = rapid.SampledFrom([]cell{"\xff", "a\x00b", strings.Repeat("x", 1025)}).Draw(rt, "bad")
		}
		w := townOf(t, contacts)
		var lists [][]cell
		q := pipeline.Question{Title: "contacts", Column: "contact", Contact: true, Policy: identity.Crowd}
		for range rapid.IntRange(0, 2).Draw(rt, "lists") {
			list := append(rapid.SliceOfN(rapid.OneOf(named, nobody), 0, 30).Draw(rt, "list"), named.Draw(rt, "last"))
			lists = append(lists, list)
			q.Lists = append(q.Lists, listOf(t, "address", list))
		}
		want := suppressed(contacts, lists...)
		got, err := w.answer(q, localrun.Engine{Workers: 1, Memory: 1}, localrun.Engine{Workers: 2}, localrun.Engine{Workers: 7, Memory: 1})
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestIDsOfSeveralLists(t *testing.T) {
	w := townOf(t, make([]cell, 50))
	q := pipeline.Question{Title: "suppress", Column: "user_id", Policy: identity.Crowd, Lists: []pipeline.KeyList{
		listOf(t, "who", []cell{"u3", "u3", "u99"}), listOf(t, "id", []cell{"U4", " u5", "u49"}),
	}}
	got, err := w.answer(q, localrun.Engine{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := make([]identity.Fate, 50)
	want[3], want[49] = identity.Listed, identity.Listed // ids are taken as they are
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The other policies compare rows, whatever column they are asked about.
func TestRowsThatShareAnotherColumnThanTheID(t *testing.T) {
	contacts := []cell{"a@x", "A@x", nil, nil, "b@x", "b@x", "c@x"}
	w := townOf(t, contacts)
	w.night.Rules.Passthrough = []string{"contact"}
	w.night.Rules.OrderBy = "churn_score"
	got, err := w.answer(pipeline.Question{Column: "contact", Contact: true, Policy: identity.KeepLatest}, localrun.Engine{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := make([]identity.Fate, len(contacts))
	want[0], want[4] = identity.DuplicateOlder, identity.DuplicateOlder
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestListsOfContactsThatCannotBeTrusted(t *testing.T) {
	blanks := make([]cell, 60) // of several splits
	blanks[40] = " "
	for name, c := range map[string]struct {
		cells []cell
		said  string
	}{
		"no row":                   {nil, "suppress list mem://lists/l.parquet: column \"address\": no row holds a contact"},
		"blanks alone":             {blanks, "no row holds a contact"},
		"a text that is not UTF-8": {append(blanks[:59:59], "ann@x", "\xff"), "suppress list: file l.parquet: row 60: column \"address\""},
		"a control character":      {[]cell{"ann@x", "bob@x\x00"}, "row 1: "},
		"a contact of great length": {
			[]cell{strings.Repeat("x", 1025)}, "row 0: "},
	} {
		w := townOf(t, []cell{"ann@x", "bob@x"})
		_, err := w.answer(pipeline.Question{
			Column: "contact", Contact: true, Policy: identity.Crowd, Lists: []pipeline.KeyList{listOf(t, "address", c.cells)},
		}, localrun.Engine{Workers: 2})
		if !errors.Is(err, pipeline.ErrList) || !errors.Is(err, pipeline.ErrRefused) || !strings.Contains(err.Error(), c.said) {
			t.Errorf("%s: got %v, want %q", name, err, c.said)
		}
	}
	last := append(blanks[:59:59], "BOB@x ")
	w := townOf(t, []cell{"ann@x", "bob@x"})
	got, err := w.answer(pipeline.Question{
		Column: "contact", Contact: true, Policy: identity.Crowd, Lists: []pipeline.KeyList{listOf(t, "address", last)},
	}, localrun.Engine{Workers: 2})
	if err != nil || got[0] != identity.Kept || got[1] != identity.Listed {
		t.Errorf("one contact after many blanks: got %v, %v", got, err)
	}
}
