package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/filter"
)

// destinationOf gives the destination of a delivery, false when it is at fault.
func destinationOf(n *node) (delivery.Destination, bool) {
	name, ok := valueOf[string](n, "destination")
	if !ok {
		return delivery.Destination{}, false
	}
	return delivery.DestinationOf(name)
}

// takenByDestination says that the tool takes the columns.
func takenByDestination(r *reading, path string, n *node) {
	to, ok := destinationOf(n)
	if !ok || to.Identifiers == nil {
		return
	}
	columns := n.get("columns")
	if columns == nil {
		r.add(n.get("destination").at, under(path, "columns"), "missing", "columns under the names of "+to.Name)
		return
	}
	if _, ok := columns.value.([]OutColumn); !ok {
		return
	}
	for _, f := range to.Check(keysOf(columns)) {
		at, key := columns.at, under(path, "columns")
		for _, e := range columns.entries {
			if e.key == f.Column {
				at, key = e.at, under(key, e.key)
			}
		}
		r.add(at, key, f.Found, f.Expected)
	}
	audiences := n.get("audiences")
	if to.Merged && audiences != nil && len(audiences.items) > delivery.MaxMerged {
		r.add(audiences.at, under(path, "audiences"), fmt.Sprintf("found %d", len(audiences.items)), fmt.Sprintf("at most %d in one payload", delivery.MaxMerged))
	}
	if location, ok := valueOf[string](n, "to"); ok && to.Merged && !strings.HasPrefix(location, "s3://") {
		r.warn(n.get("to").at, under(path, "to"), "is not on S3, from where alone "+to.Name+" takes files by event notifications")
	}
}

func keysOf(n *node) []string {
	var all []string
	for _, e := range n.entries {
		all = append(all, e.key)
	}
	return all
}

func formulaOnlyInCSVFiles(r *reading, path string, n *node) {
	to, ok := destinationOf(n)
	if formula := n.get("formula"); ok && to.Format != FormatCSV && formula.at != (place{}) {
		r.add(formula.at, under(path, "formula"), "found formula for "+to.Name+", whose files are no CSV", "formula only for CSV")
	}
}

func absentOnlyInPayloads(r *reading, path string, n *node) {
	to, ok := destinationOf(n)
	if absent := n.get("send_absent"); ok && to.Leavers != delivery.ByNulls && absent.at != (place{}) {
		r.add(absent.at, under(path, "send_absent"), "found send_absent for "+to.Name, "send_absent only for braze-cdi")
	}
}

// writer is where an attribute of a tool is written.
type writer struct {
	at   place
	path string
}

// oneWriter says that no two deliveries write one attribute of users. Files of a tool
// have no order, so which of the two values stays would be chance.
func oneWriter(r *reading, _ string, n *node) {
	first := map[string]writer{}
	eachDelivery(n, func(path string, d *node) {
		to, ok := destinationOf(d)
		columns := d.get("columns")
		if !ok || !to.Merged || columns == nil {
			return
		}
		for _, e := range columns.entries {
			w := writer{e.at, under(under(path, "columns"), e.key)}
			other, written := first[e.key]
			switch {
			case to.Identifies(e.key):
			case written:
				r.add(w.at, w.path, fmt.Sprintf("found the attribute %s a second time, first %s", e.key, other), "one delivery for each attribute")
			default:
				first[e.key] = w
			}
		}
	})
}

func (w writer) String() string {
	if w.at.line == 0 {
		return "as " + w.path
	}
	return fmt.Sprintf("in line %d as %s", w.at.line, w.path)
}

func eachDelivery(n *node, visit func(path string, d *node)) {
	deliveries := n.get("deliveries")
	if deliveries == nil {
		return
	}
	for i, d := range deliveries.items {
		visit(element("deliveries", i), d)
	}
}

// deliversPublished says that deliveries take columns which their audiences publish,
// as far as names alone tell.
func deliversPublished(r *reading, _ string, n *node) {
	eachDelivery(n, func(path string, d *node) {
		columns, audiences := d.get("columns"), d.get("audiences")
		mapped, ok := valueOf[[]OutColumn](d, "columns")
		if !ok || audiences == nil {
			return
		}
		for _, item := range audiences.items {
			name, _ := item.value.(string)
			known, ok := publishedBy(n, name)
			if !ok {
				continue
			}
			for i, c := range mapped {
				e := columns.entries[i]
				at := under(under(path, "columns"), e.key)
				switch missing, computed := missingOf(c.From, known); {
				case computed:
					r.add(e.at, at, "found "+c.From+": scores and categories are columns of what is published", `col("score") and col("category") in expressions`)
				case missing != "":
					r.add(e.at, at, fmt.Sprintf("found %s, which the Parquet file of audience %s does not hold", missing, name), alternatives(known))
				}
			}
		}
	})
}

// missingOf gives the first column that a text reads and that is not known, and
// whether it is an expression that reads the score or the category as such.
func missingOf(from string, known []string) (missing string, computed bool) {
	if slices.Contains(known, from) {
		return "", false
	}
	column, x := filter.Resolve(from, nil)
	reads := []string{column}
	if x != nil {
		reads = x.Columns()
		computed = x.UsesScore() || x.UsesCategory()
	}
	for _, column := range reads {
		if !slices.Contains(known, column) {
			return column, computed
		}
	}
	return "", computed
}

// publishedBy names what a delivery may take of an audience: the columns of its
// Parquet file and the words, false when that is at fault.
func publishedBy(n *node, audience string) ([]string, bool) {
	id, ok := valueOf[string](n.get("snapshot"), "id")
	known := []string{id, FromScore, FromCategory}
	audiences := n.get("audiences")
	if audiences == nil {
		return append(known, delivery.Words()...), ok
	}
	for _, a := range audiences.items {
		files := a.get("files")
		if name, _ := valueOf[string](a, "name"); name != audience || files == nil {
			continue
		}
		for _, f := range files.items {
			columns := f.get("columns")
			if format, _ := valueOf[string](f, "format"); format != FormatParquet || columns == nil {
				continue
			}
			known = keysOf(columns)
		}
	}
	return append(known, delivery.Words()...), ok
}
