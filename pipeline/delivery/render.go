package delivery

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/audience"
	"github.com/churntier/churntier/pipeline/date"
)

// renderer encodes the rows of one source as a destination takes them.
type renderer struct {
	to      *Destination
	formula string
	columns []Column
	schema  *arrow.Schema   // of what is published, extended by the words
	words   []arrow.Field   // those that no published column takes the name of
	layout  audience.Layout // of all columns

	identifiers []audience.Layout // of each column that tells who the user is, alone
	attributes  audience.Layout   // the other columns, where they are a payload
	own         string            // the identifier column that holds the id and is the only one; "" where there is none
}

func newRenderer(to *Destination, formula string, columns []Column, id string, d date.Date, published *arrow.Schema) (*renderer, error) {
	r := &renderer{to: to, formula: formula, schema: extended(published), columns: slices.Clone(columns)}
	r.words = r.schema.Fields()[published.NumFields():]
	for i, c := range r.columns {
		r.columns[i] = to.as(c)
	}
	var err error
	if r.layout, err = layout(r.columns, id, d, r.schema); err != nil {
		return nil, err
	}
	part := func(columns ...audience.Column) audience.Layout {
		return audience.Layout{ID: id, Date: d, Columns: columns}
	}
	r.attributes = part()
	for _, c := range r.layout.Columns {
		if to.Identifies(c.Name) {
			r.identifiers = append(r.identifiers, part(c))
		} else {
			r.attributes.Columns = append(r.attributes.Columns, c)
		}
	}
	if len(r.identifiers) == 1 {
		c := r.identifiers[0].Columns[0]
		if c.Source == audience.FromColumn && c.Column == id && c.Hash == "" && c.Normalise == "" {
			r.own = c.Name
		}
	}
	return r, nil
}

// rendererOf gives the renderer of rows with some published columns.
func (b *builder) rendererOf(id string, published *arrow.Schema) (*renderer, error) {
	return newRenderer(&b.Destination, b.Formula, b.columnsOf(published), id, b.target.Date, published)
}

// header is what every file begins with.
func (r *renderer) header() ([]byte, error) {
	if r.to.Format != formatCSV {
		return nil, nil
	}
	var out bytes.Buffer
	e, err := audience.NewCSV(&out, r.layout, r.schema, audience.CSVOptions{Formula: r.formula})
	if err == nil {
		err = e.Close()
	}
	return out.Bytes(), err
}

// each encodes rows, which are valid until visit returns. It may be called by several
// workers at once.
func (r *renderer) each(batch arrow.RecordBatch, rows []int32, visit func(i int, text []byte) error) error {
	switch {
	case r.to.Merged:
		return r.eachMerged(batch, rows, visit)
	case r.to.Format == formatCSV:
		return r.eachCSV(r.layout, r.schema, batch, rows, visit)
	}
	return r.eachLine(r.layout, batch, rows, visit)
}

func (r *renderer) eachCSV(l audience.Layout, schema *arrow.Schema, batch arrow.RecordBatch, rows []int32, visit func(i int, text []byte) error) error {
	lines, err := audience.NewCSVLines(l, schema, audience.CSVOptions{Formula: r.formula})
	if err != nil {
		return err
	}
	return lines.Each(&audience.Block{Batch: batch}, rows, visit)
}

// eachLine encodes rows as JSON, an object each.
func (r *renderer) eachLine(l audience.Layout, batch arrow.RecordBatch, rows []int32, visit func(i int, line []byte) error) error {
	lines, err := audience.NewJSONLines(l, r.schema)
	if err != nil {
		return err
	}
	return lines.Each(&audience.Block{Batch: batch}, rows, visit)
}

// eachObject encodes rows as JSON objects without the end of the line.
func (r *renderer) eachObject(l audience.Layout, batch arrow.RecordBatch, rows []int32, visit func(i int, object []byte) error) error {
	return r.eachLine(l, batch, rows, func(i int, line []byte) error { return visit(i, bytes.TrimSuffix(line, []byte{'\n'})) })
}

// eachMerged encodes rows as an identifier and a payload.
func (r *renderer) eachMerged(batch arrow.RecordBatch, rows []int32, visit func(i int, text []byte) error) error {
	identities, _, err := r.identities(batch, rows)
	if err != nil {
		return err
	}
	var row []byte
	return r.eachObject(r.attributes, batch, rows, func(i int, payload []byte) error {
		row = appendMerged(row[:0], identities[i], string(payload))
		return visit(i, row)
	})
}

// appendMerged adds a line: the identity, a JSON object, with the payload as a text
// in it.
func appendMerged(dst []byte, identity, payload string) []byte {
	dst = append(append(dst, strings.TrimSuffix(identity, "}")...), `,"payload":`...)
	return append(append(dst, quoted(payload)...), "}\n"...)
}

// quoted gives a text as JSON.
func quoted(text string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text is always encoded
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'})
}

// identities gives what the tool knows each row's user by, as a JSON object of the
// identifier columns, and whether one of the groups of identifiers is complete.
func (r *renderer) identities(batch arrow.RecordBatch, rows []int32) (all []string, complete []bool, err error) {
	all, complete = make([]string, len(rows)), make([]bool, len(rows))
	there := make([]uint32, len(rows)) // identifiers as bits
	for at, l := range r.identifiers {
		err := r.eachObject(l, batch, rows, func(i int, line []byte) error {
			all[i] = joined(all[i], string(line))
			if !bytes.HasSuffix(line, []byte(`:null}`)) && !bytes.HasSuffix(line, []byte(`:""}`)) {
				there[i] |= 1 << at
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	groups := r.groups()
	for i := range rows {
		complete[i] = slices.ContainsFunc(groups, func(g uint32) bool { return there[i]&g == g })
	}
	return all, complete, nil
}

// groups gives the groups of identifiers that are mapped, as bits of r.identifiers.
func (r *renderer) groups() []uint32 {
	var all []uint32
	for _, group := range r.to.Identifiers {
		bits, n := uint32(0), 0
		for at, l := range r.identifiers {
			if slices.Contains(group, l.Columns[0].Name) {
				bits |= 1 << at
				n++
			}
		}
		if n == len(group) {
			all = append(all, bits)
		}
	}
	return all
}

// joined makes one JSON object of two, of which the first may be "".
func joined(a, b string) string {
	if a == "" {
		return b
	}
	return strings.TrimSuffix(a, "}") + "," + strings.TrimPrefix(b, "{")
}

// tells says whether a column says of a row what changed.
func (r *renderer) tells() bool {
	return r.word(WordChange) >= 0 && slices.ContainsFunc(r.layout.Columns, func(c audience.Column) bool {
		return c.Column == WordChange || c.Program != nil && slices.Contains(c.Program.Columns(), WordChange)
	})
}

// identityOf gives what the tool knows a leaver by, false when the columns have no
// place for it: they are other ones than those of the delivery before.
func (r *renderer) identityOf(l leaving) (string, bool) {
	identity := l.Identity
	if identity == "" && r.own != "" {
		return "{" + string(quoted(r.own)) + ":" + string(quoted(l.ID)) + "}", true
	}
	return identity, identity != "" && (r.to.Merged || slices.ContainsFunc(r.identifiers, func(l audience.Layout) bool {
		return strings.HasPrefix(identity, "{"+string(quoted(l.Columns[0].Name))+":")
	}))
}
