package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// digest is the SHA-256 that a tool computes of a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Texts, their normal form and its digest as Meta documents them, in "Customer
// Information Parameters" of the Conversions API,
// developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/customer-information-parameters.
// "Always include the country code": the page gives the phone number without.
var metaVectors = []struct{ column, text, normal, digest string }{
	{"email", "John_Smith@gmail.com", "john_smith@gmail.com", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"},
	{"phone", "+1 (650)555-1212", "16505551212", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"},
	{"fn", "Mary", "mary", "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"},
	{"fn", "Valéry", "valéry", "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"},
	{"fn", "정", "정", "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"},
	{"country", "US", "us", "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"},
}

func TestMetaVectors(t *testing.T) {
	for _, v := range metaVectors {
		equal(t, "digest of "+v.normal, digest(v.normal), v.digest)
		k := newTool(t, "meta-custom-audience", []string{"a"}, "madid: id", v.column+": note")
		equal(t, v.text, k.csv(k.deliver(members{"a", []person{{"id": "u1", "note": v.text}}}), false)[1][1], v.digest)
	}
}

// The rules that Meta words for each column ("lowercase only with no punctuation",
// for places "no special characters, and no spaces"), and a +tag, which it keeps.
func TestMetaNormalForms(t *testing.T) {
	for _, test := range []struct{ column, text, normal string }{
		{"email", "  Jane.Doe+News@Gmail.com\n", "jane.doe+news@gmail.com"},
		{"phone", "0044 844 412 4653", "448444124653"},
		{"fn", " Jean-Émile ", "jeanémile"},
		{"ln", "O'Neill Smith", "oneill smith"},
		{"ct", "New York", "newyork"},
		{"ct", "Saint-Étienne", "saintétienne"},
		{"st", "C.A.", "ca"},
	} {
		k := newTool(t, "meta-custom-audience", []string{"a"}, "madid: id", test.column+": note")
		got := k.csv(k.deliver(members{"a", []person{{"id": "u1", "note": test.text}}}), false)[1]
		equal(t, test.text, got, []string{"u1", digest(test.normal)})
	}
}

// The users of the template that Google offers for plain text (g.co/wudy8r), as its
// help page has them hashed (support.google.com/google-ads/answer/7659867): lower
// case, no white space around, E.164 with the +; country and postal code stay. The
// digests were made with sha256sum.
func TestGoogleNormalForms(t *testing.T) {
	k := newTool(t, "google-customer-match", []string{"a"}, "Email: email", "Phone: phone", "First Name: first", "Last Name: last", "Country: country", "Zip: zip")
	i := k.deliver(members{"a", []person{
		{"id": "u1", "email": " Test@Gmail.com ", "phone": "+1-800-888-8888", "first": "john", "last": "Smith ", "country": "us", "zip": "94016"},
		{"id": "u2", "email": "test4@gmail.com", "first": "zoë", "last": "pérez", "country": "sg", "zip": "WC2H 8LG"},
		{"id": "u3", "phone": "+1 (234) 567-890"},
		{"id": "u4", "first": "a", "last": "b", "country": "fr", "zip": "75001"},
		{"id": "u5", "email": "Test.Name+News@gmail.com"},
	}})
	equal(t, "file", k.csv(i, false), [][]string{
		{"Email", "Phone", "First Name", "Last Name", "Country", "Zip"},
		{"87924606b4131a8aceeeae8868531fbb9712aaa07a5d3a756b26ce0f5d6ca674", digest("+18008888888"), "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a", digest("smith"), "us", "94016"},
		{digest("test4@gmail.com"), "", digest("zoë"), digest("pérez"), "sg", "WC2H 8LG"},
		{"", "422ce82c6fc1724ac878042f7d055653ab5e983d186e616826a72d4384b68af8", "", "", "", ""},
		{"", "", digest("a"), digest("b"), "fr", "75001"},
		{digest("test.name+news@gmail.com"), "", "", "", "", ""},
	})
}

// Hashes that are published are delivered as they are, and what the config says of a
// column wins.
func TestPublishedHashesAndOwnForms(t *testing.T) {
	hash := digest("one@example.com")
	k := newTool(t, "google-customer-match", []string{"a"}, "Email: email", "Phone: phone")
	k.job.Columns[1].Normalise = "e164"
	i := k.deliver(members{"a", []person{{"id": "u1", "email": strings.ToUpper(hash), "phone": "+1 234 567 890"}}})
	equal(t, "row", k.csv(i, false)[1], []string{hash, "+1234567890"})
	i = k.deliver(members{"a", nil})
	equal(t, "removed", k.csv(i, true)[1:], [][]string{{hash, "+1234567890"}})
}

// A list is added to and taken from by imports of their own.
func TestListsHaveFilesOfRemovals(t *testing.T) {
	for destination, columns := range map[string][]string{"google-customer-match": {"Email: email", "Phone: phone"}, "meta-custom-audience": {"email: email", "phone: phone"}} {
		t.Run(destination, func(t *testing.T) {
			k := newTool(t, destination, []string{"a"}, columns...)
			one, two := person{"id": "u1", "email": "One@example.com"}, person{"id": "u2", "email": "two@example.com"}
			i := k.deliver(members{"a", []person{one, two}})
			equal(t, "names", i.names(), []string{"a/a_2024-10-05_0_0.csv"})
			i = k.deliver(members{"a", []person{two, {"id": "u3", "email": "three@example.com"}}})
			equal(t, "names", i.names(), []string{"a/a_2024-10-06_1_0.csv", "a/a_2024-10-06_1_1_remove.csv"})
			equal(t, "added", k.csv(i, false)[1:], [][]string{{digest("three@example.com"), ""}})
			equal(t, "removed", k.csv(i, true)[1:], [][]string{{digest("one@example.com"), ""}})

			k.job.Changes = false
			i = k.deliver(members{"a", []person{two}})
			equal(t, "names of a full list", i.names(), []string{"a/a_2024-10-07_2_0.csv"})
		})
	}
}

// Removals are cut like additions, and each file speaks of its own users.
func TestRemovalsAreCut(t *testing.T) {
	var users []person
	for n := range 250 {
		users = append(users, person{"id": fmt.Sprint("u", n), "email": fmt.Sprint(n, "@example.com")})
	}
	k := newTool(t, "google-customer-match", []string{"a"}, "Email: email")
	k.job.Destination.MaxRows = 100
	k.deliver(members{"a", users})
	i := k.deliver(members{"a", nil})
	equal(t, "removed", len(k.csv(i, true)[1:]), 250)
	equal(t, "files", i.names(), []string{"a/a_2024-10-06_1_0_remove.csv", "a/a_2024-10-06_1_1_remove.csv", "a/a_2024-10-06_1_2_remove.csv"})
	end := int64(0)
	for _, f := range i.Files {
		if f.From != end || f.To <= f.From {
			t.Errorf("%s speaks of %d to %d after %d", f.Name, f.From, f.To, end)
		}
		end = f.To
	}
}

// Who has another address is known by the old one no more.
func TestNewAddressReplacesTheOld(t *testing.T) {
	k := newTool(t, "google-customer-match", []string{"a"}, "Email: email")
	k.deliver(members{"a", []person{{"id": "u1", "email": "old@example.com"}, {"id": "u2", "email": "two@example.com"}}})
	i := k.deliver(members{"a", []person{{"id": "u1", "email": "new@example.com"}, {"id": "u2", "email": "two@example.com"}}})
	equal(t, "added", k.csv(i, false)[1:], [][]string{{digest("new@example.com")}})
	equal(t, "removed", k.csv(i, true)[1:], [][]string{{digest("old@example.com")}})
	equal(t, "counts", i.Counts, Counts{Previous: 2, Stayed: 2, Now: 2})

	k = newTool(t, "braze-cdi", []string{"a", "b"}, "email: email", "risk: note")
	u := person{"id": "u1", "email": "old@example.com", "note": "x"}
	k.deliver(members{"a", []person{u}}, members{"b", []person{u}})
	u["email"] = "new@example.com"
	i = k.deliver(members{"a", []person{u}}, members{"b", []person{u}})
	equal(t, "payloads", k.payloads(i, "email"), map[string]map[string]any{"new@example.com": {"risk": "x"}, "old@example.com": {"risk": nil}})
	equal(t, "reasons", i.Reasons, map[Reason]int64{})
}

// An address that went over to another member is not taken from the list.
func TestAddressOfAnotherMemberStays(t *testing.T) {
	for destination, column := range map[string]string{"google-customer-match": "Email: email", "meta-custom-audience": "email: email"} {
		k := newTool(t, destination, []string{"a"}, column)
		k.deliver(members{"a", []person{{"id": "u1", "email": "shared@example.com"}}})
		i := k.deliver(members{"a", []person{{"id": "u2", "email": "Shared@example.com"}}})
		equal(t, "names", i.names(), []string{"a/a_2024-10-06_1_0.csv"})
		equal(t, "counts", i.Counts, Counts{Previous: 1, Entered: 1, Left: 1, Now: 1})
	}
}

// A row that the tool would not take is counted and listed, its user is no member,
// and the next delivery tries again.
func TestUnsendableRows(t *testing.T) {
	large := strings.Repeat("ä", 500_000)
	k := newTool(t, "braze-cdi", []string{"a", "b"}, "email: email", "note: note")
	i := k.deliver(members{"a", []person{
		{"id": "u1", "email": "one@example.com"}, {"id": "u2"}, {"id": "u3", "email": ""},
		{"id": "u4", "email": "four@example.com", "note": large}, {"id": "u5", "email": "one@example.com"},
	}}, members{"b", []person{{"id": "u2"}, {"id": "u6", "email": "six@example.com"}}})
	equal(t, "rules", i.Unsendable, map[Rule]int64{NoIdentifier: 3, PayloadTooLarge: 1, DuplicateIdentifier: 1})
	equal(t, "list", k.unsendable(i), []string{"u2 a no_identifier", "u2 b no_identifier", "u3 a no_identifier", "u4 a payload_too_large", "u5 a duplicate_identifier"})
	equal(t, "payloads", k.payloads(i, "email"), map[string]map[string]any{"one@example.com": {"note": nil}, "six@example.com": {"note": nil}})
	equal(t, "counts", i.Counts, Counts{Entered: 2, Now: 2})

	i = k.deliver(members{"a", []person{
		{"id": "u1"}, {"id": "u2", "email": "two@example.com"}, {"id": "u4", "email": "four@example.com", "note": large[:900_000]},
	}}, members{"b", []person{{"id": "u6", "email": "six@example.com"}}})
	equal(t, "counts", i.Counts, Counts{Previous: 2, Entered: 2, Left: 1, Stayed: 1, Now: 3})
	equal(t, "reasons", i.Reasons, map[Reason]int64{Rejected: 1})
	got := k.payloads(i, "email")
	equal(t, "the large one", got["four@example.com"]["note"], any(large[:900_000]))
	delete(got, "four@example.com")
	equal(t, "payloads", got, map[string]map[string]any{"one@example.com": {"note": nil}, "two@example.com": {"note": nil}})
}

func TestUnsendableListedUsers(t *testing.T) {
	k := newTool(t, "google-customer-match", []string{"a"}, "Phone: phone", "First Name: first", "Last Name: last", "Country: country", "Zip: zip")
	i := k.deliver(members{"a", []person{
		{"id": "u1", "phone": "+1 234 567 890"}, {"id": "u2", "phone": "0171 1234567"},
		{"id": "u3", "first": "a", "last": "b", "country": "fr"}, {"id": "u4", "first": "a", "last": "b", "country": "fr", "zip": "75001"},
	}})
	equal(t, "list", k.unsendable(i), []string{"u2 a no_identifier", "u3 a no_identifier"})
	equal(t, "rows", len(k.csv(i, false)), 3)
}

// The state keeps what the tool knows a user by: where it is a hash, the hash alone.
func TestStateKeepsHashes(t *testing.T) {
	k := newTool(t, "meta-custom-audience", []string{"a"}, "email: email", "phone: phone")
	i := k.deliver(members{"a", []person{{"id": "u1", "email": "one@example.com", "phone": "+1 650 555 1212"}}})
	equal(t, "identity", k.identities(i), map[string]string{"u1": fmt.Sprintf(`{"email":%q,"phone":"e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"}`, digest("one@example.com"))})
	i = k.deliver(members{"a", nil})
	equal(t, "identity of who left", k.identities(i), map[string]string{"u1": ""})

	k = newTool(t, "braze-csv", []string{"a"}, "external_id: id")
	equal(t, "identity of an id", k.identities(k.deliver(members{"a", []person{{"id": "u1"}}})), map[string]string{"u1": ""})
}

// identities are those of the state after a delivery, by id.
func (k *tool) identities(i *Intent) map[string]string {
	k.Helper()
	b := &builder{Job: &k.job, published: k.bucket()}
	r, err := b.openState(k.Context(), i, func(standing) bool { return false })
	if err != nil {
		k.Fatal(err)
	}
	defer func() { _ = r.close() }()
	all := map[string]string{}
	for {
		s, err := r.next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			k.Fatal(err)
		}
		all[s.ID] = s.Now.Identity
	}
}

// A tool that is told of users by other columns than before is not told of leavers
// whom it knew by those.
func TestLeaversOfOtherColumns(t *testing.T) {
	k := newTool(t, "google-customer-match", []string{"a"}, "Email: email")
	u := person{"id": "u1", "email": "one@example.com", "phone": "+1 234 567 890"}
	k.deliver(members{"a", []person{u, {"id": "u2", "email": "two@example.com"}}})
	k.job.Columns = []Column{{Name: "Phone", From: "phone"}}
	i := k.deliver(members{"a", []person{u}})
	equal(t, "added", k.csv(i, false)[1:], [][]string{{digest("+1234567890")}})
	equal(t, "removed", k.csv(i, true), [][]string(nil))
	equal(t, "left", i.Counts.Left, int64(1))
}

// Meta refuses lists of fewer than 100 people; what is added to a list may be less, and
// so may what is taken from the list of which nobody is left.
func TestListsOfFewUsersAreRefused(t *testing.T) {
	var users []person
	for n := range 100 {
		users = append(users, person{"id": fmt.Sprint("u", n), "email": fmt.Sprint(n, "@example.com")})
	}
	k := newTool(t, "meta-custom-audience", []string{"a"}, "email: email")
	k.job.Destination, _ = DestinationOf("meta-custom-audience")
	if _, err := k.build(Full, members{"a", users[1:]}); !errors.Is(err, ErrTooFew) || !strings.Contains(err.Error(), "99 users") {
		t.Errorf("99 users gave %v", err)
	}
	k.job.By = "another attempt"
	equal(t, "rows of 100 users", len(k.csv(k.deliver(members{"a", users}), false)), 101)
	equal(t, "rows of changes", len(k.csv(k.deliver(members{"a", users[1:]}), true)), 2)
	k.job.Changes = false
	i := k.deliver(members{"a", nil})
	equal(t, "files of nobody", i.names(), []string{"a/a_2024-10-08_2_0_remove.csv"})
	equal(t, "removed", i.Files[0].Rows, int64(99))
}

// Who was in an audience that is delivered no more is taken from its list.
func TestListOfAnAudienceThatIsGone(t *testing.T) {
	k := newTool(t, "google-customer-match", []string{"a", "b"}, "Email: email")
	one, two := person{"id": "u1", "email": "one@example.com"}, person{"id": "u2", "email": "two@example.com"}
	k.deliver(members{"a", []person{two}}, members{"b", []person{one}})
	k.job.Audiences = k.job.Audiences[:1]
	i := k.deliver(members{"a", []person{two}})
	equal(t, "names", i.names(), []string{"b/b_2024-10-06_1_0_remove.csv"})
	equal(t, "removed", k.csv(i, true)[1:], [][]string{{digest("one@example.com")}})
	equal(t, "reasons", i.Reasons, map[Reason]int64{AudienceRemoved: 1})
}

func TestDamagedIdentityIsRefused(t *testing.T) {
	k := newTool(t, "braze-csv", []string{"a"}, "email: email", "change: change")
	r, err := newRenderer(&k.job.Destination, "", k.job.Columns, "id", k.day, stateSchema)
	if err == nil {
		t.Fatalf("columns that the state does not have: %v", r)
	}
	some := leaving{Identity: `{"email":`}
	r = &renderer{to: &k.job.Destination}
	if _, err := r.leavers([]leaving{some}, nil); !errors.Is(err, ErrLog) {
		t.Errorf("half an identity gave %v", err)
	}
}

// Sent again, a file has the kind and the extension that it had.
func TestNamesOfFilesThatAreSentAgain(t *testing.T) {
	for destination, test := range map[string]struct{ columns, want []string }{
		"braze-cdi":             {[]string{"email: email", "x: note"}, []string{"tool/tool_2024-10-06_2_0.json"}},
		"google-customer-match": {[]string{"Email: email"}, []string{"a/a_2024-10-06_2_0.csv", "a/a_2024-10-06_2_1_remove.csv"}},
	} {
		k := newTool(t, destination, []string{"a"}, test.columns...)
		k.deliver(members{"a", []person{{"id": "u1", "email": "one@example.com"}}})
		i := k.deliver(members{"a", []person{{"id": "u2", "email": "two@example.com"}, {"id": "u3"}}})
		fates := make([]Fate, len(i.Files))
		again := i.again(fates, "lost")
		equal(t, "names", again.names(), test.want)
		for _, f := range append(again.UnsendableRows, again.State...) {
			if !again.staged(nil)[f.Key] {
				t.Errorf("%s is not kept", f.Key)
			}
		}
	}
}
