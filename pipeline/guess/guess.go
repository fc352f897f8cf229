// Package guess finds which name a person meant who wrote another.
package guess

import (
	"strings"

	"github.com/agext/levenshtein"
)

const longest = 64 // bytes; longer names are not compared

// Nearest gives the name that differs least from word: in at most a third of its
// letters, capitals apart; the first of equals; "" when there is none.
func Nearest(word string, names []string) string {
	if len(word) > longest {
		return ""
	}
	best, limit := "", max(1, len(word)/3)
	for _, name := range names {
		if len(name) > longest {
			continue
		}
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(name), nil); d <= limit && d < len(name) {
			best, limit = name, d-1
		}
	}
	return best
}
