package objstore

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxKey = 1024

// TemporaryPrefix begins the names of files that a store is still writing.
// They are no objects: never listed, never opened.
const TemporaryPrefix = ".tmp-"

// CheckKey returns ErrKey unless every store of ours takes key: 1 to 1024
// bytes of UTF-8 without control characters, made of segments between slashes
// that are not empty, not "." or "..", and do not begin with TemporaryPrefix.
func CheckKey(key string) error {
	if fault := keyFault(key); fault != "" {
		return fmt.Errorf("%w: %q %s", ErrKey, key, fault)
	}
	return nil
}

// checkPrefix is CheckKey for the beginning of a key, which may be "" and may
// end in a slash.
func checkPrefix(prefix string) error {
	whole := strings.TrimSuffix(prefix, "/")
	if prefix == "" {
		return nil
	}
	return CheckKey(whole)
}

func keyFault(key string) string {
	switch {
	case key == "":
		return "is empty"
	case len(key) > maxKey:
		return fmt.Sprintf("is longer than %d bytes", maxKey)
	case !utf8.ValidString(key):
		return "is not UTF-8"
	case strings.ContainsFunc(key, unicode.IsControl):
		return "holds a control character"
	}
	for segment := range strings.SplitSeq(key, "/") {
		if fault := segmentFault(segment); fault != "" {
			return fault
		}
	}
	return ""
}

func segmentFault(segment string) string {
	switch {
	case segment == "":
		return "begins or ends with a slash, or has two in a row"
	case segment == "." || segment == "..":
		return fmt.Sprintf("has a segment %q", segment)
	case strings.HasPrefix(segment, TemporaryPrefix):
		return "has a segment that begins with " + TemporaryPrefix
	}
	return ""
}

// hidden says whether a store lists key although it is no object of ours: a
// temporary name, or the empty object that some tools put in place of a folder.
func hidden(key string) bool {
	return strings.HasSuffix(key, "/") ||
		strings.HasPrefix(key, TemporaryPrefix) || strings.Contains(key, "/"+TemporaryPrefix)
}
