package filter_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/churntier/churntier/pipeline/filter"
)

// Whatever the text is, it is refused with an error of the right kind or gives a
// result for every row; nothing panics.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/syntax.txtar", "testdata/types.txtar"} {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i := 0; i < len(archive.Files); i += 2 {
			f.Add(string(archive.Files[i].Data))
		}
	}
	for _, text := range benchExpressions {
		f.Add(text)
	}
	rows := filter.Rows{Record: smallBatch(f), Hundredths: []uint16{0, 10000, 0xFFFF}, Category: []uint8{0, 2, 0xFF}}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := filter.Parse(text)
		if err != nil {
			if !errors.Is(err, filter.ErrSyntax) || !utf8.ValidString(err.Error()) && utf8.ValidString(text) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		p, err := x.Bind(rows.Record.Schema(), testOptions(filter.WantAny))
		if err != nil {
			var faults *filter.Error
			if !errors.Is(err, filter.ErrType) || !errors.As(err, &faults) || len(faults.Faults) == 0 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		a, err := p.NewEvaluator().Array(rows, memory.DefaultAllocator)
		if err != nil || a.Len() != 3 {
			t.Fatalf("%q: %v %v", text, a, err)
		}
	})
}
