package score

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

const maxComparedName = 64 // bytes; longer names are not compared

// nearest gives the column whose name differs least from name: at most a third
// of its bytes, capitals apart; the first of equals; empty when there is none.
func nearest(name string, schema *arrow.Schema) string {
	if len(name) > maxComparedName {
		return ""
	}
	best, limit := "", max(1, len(name)/3)
	for _, field := range schema.Fields() {
		if len(field.Name) > maxComparedName {
			continue
		}
		if d := edits(strings.ToLower(name), strings.ToLower(field.Name)); d <= limit {
			best, limit = field.Name, d-1
		}
	}
	return best
}

// edits is the Levenshtein distance of two strings in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
