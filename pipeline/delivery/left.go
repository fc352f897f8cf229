package delivery

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/churntier/churntier/pipeline/audience"
)

// leavers gives the rows that tell of leavers. Nothing is known of them but what the
// tool knows them by and what the words say.
func (r *renderer) leavers(some []leaving, of func(row int) said) (l lot, err error) {
	switch {
	case r.to.Identifiers == nil:
		l, err = r.idRows(some, of)
	case r.to.Merged:
		l = r.nullRows(some)
	default:
		l, err = r.identityRows(some, of)
	}
	l.place = func(row int32) int64 { return some[row].Place }
	return l, err
}

// idRows have the id, under its published column.
func (r *renderer) idRows(some []leaving, of func(row int) said) (lot, error) {
	ids := make([]string, len(some))
	for i, l := range some {
		ids[i] = l.ID
	}
	batch, err := leavers(r.schema, r.layout.ID, ids, r.layout.Date, of)
	return lot{batch: batch, each: func(rows []int32, visit func(int, []byte) error) error { return r.each(batch, rows, visit) }}, err
}

// nullRows have a payload in which every attribute is null.
func (r *renderer) nullRows(some []leaving) lot {
	payload := ""
	for _, c := range r.attributes.Columns {
		payload = joined(payload, "{"+string(quoted(c.Name))+":null}")
	}
	return lot{each: func(rows []int32, visit func(int, []byte) error) error {
		var text []byte
		for i, row := range rows {
			identity, _ := r.identityOf(some[row])
			text = appendMerged(text[:0], identity, payload)
			if err := visit(i, text); err != nil {
				return err
			}
		}
		return nil
	}}
}

// identityRows have the identifier columns, as CSV.
func (r *renderer) identityRows(some []leaving, of func(row int) said) (lot, error) {
	known := make([]map[string]any, len(some))
	for i, l := range some {
		identity, _ := r.identityOf(l)
		d := json.NewDecoder(strings.NewReader(identity))
		d.UseNumber()
		if err := d.Decode(&known[i]); err != nil {
			return lot{}, fmt.Errorf("%w: an identity is no JSON object: %w", ErrLog, err)
		}
	}
	layout := audience.Layout{Date: r.layout.Date}
	var fields []arrow.Field
	var columns []arrow.Array
	for _, c := range r.layout.Columns {
		column := texts(known, c.Name)
		if at := r.word(c.Column); at >= 0 && !r.to.Identifies(c.Name) {
			column = word(r.words[at], len(some), layout.Date, firstRows(len(some)), of)
		}
		columns = append(columns, column)
		fields = append(fields, arrow.Field{Name: c.Name, Type: column.DataType(), Nullable: true})
		layout.Columns = append(layout.Columns, audience.Column{Name: c.Name, Source: audience.FromColumn, Column: c.Name, Normalise: kept(c)})
	}
	schema := arrow.NewSchema(fields, nil)
	batch := array.NewRecordBatch(schema, columns, int64(len(some)))
	return lot{batch: batch, each: func(rows []int32, visit func(int, []byte) error) error {
		return r.eachCSV(layout, schema, batch, rows, visit)
	}}, nil
}

// kept is the form of a column whose texts are plain phone numbers: in it they are
// no formulas.
func kept(c audience.Column) audience.Normalise {
	if c.Hash == "" && c.Normalise == audience.E164 {
		return audience.E164
	}
	return ""
}

// texts gives the values under a name, null where there is none.
func texts(of []map[string]any, name string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for _, m := range of {
		if v := m[name]; v != nil {
			b.Append(fmt.Sprint(v))
		} else {
			b.AppendNull()
		}
	}
	return b.NewArray()
}

// word gives the place of a word among those that a column may stand for, -1 where it
// is none.
func (r *renderer) word(name string) int {
	return slices.IndexFunc(r.words, func(w arrow.Field) bool { return w.Name == name })
}
