package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

var (
	plain     = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./-]*$`)
	yamlWords = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
)

// Quote writes a text so that Load reads it as that text, in quotes where it needs
// them and with escapes only where it holds control characters.
func Quote(text string) string {
	switch {
	case plain.MatchString(text) && !slices.Contains(yamlWords, strings.ToLower(text)):
		return text
	case strings.ContainsFunc(text, unicode.IsControl):
		return strconv.QuoteToASCII(text)
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
