package delivery

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Long texts are delivered, though the rows of a batch would have more of them than a
// reader takes.
func TestLongTexts(t *testing.T) {
	k := newTool(t, "csv", []string{"a"}, "note: note")
	long := strings.Repeat("a long note ", 1600)
	users := make([]person, 14_500) // 278 MB
	for i := range users {
		users[i] = person{"id": fmt.Sprint("u", i), "note": fmt.Sprint(long, i)}
	}
	i := k.deliver(members{"a", users})
	if len(i.Files) != 1 || i.Files[0].Rows != int64(len(users)) {
		t.Fatalf("delivered %+v, want %d rows", i.Files, len(users))
	}
	if n := bytes.Count(k.read(i.Files[0].File), []byte(long)); n != len(users) {
		t.Errorf("%d of %d texts are there", n, len(users))
	}
}
