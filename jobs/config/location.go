package config

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// A target is what a location leads to.
type target uint8

const (
	aFolder target = iota
	anObject
	someFiles // of one folder: the last element is a glob
)

// locationKind is where something is: the URL of a cloud, a file:// URL or a path.
// Its value is the URL of the cloud or the absolute path, without a slash at the end.
// Relative paths are relative to the folder of the config file.
type locationKind struct {
	to     target
	expand bool // whether ${NAME} is replaced by the environment variable
}

func (k locationKind) want() string {
	const forms = "a gs://, s3://, azblob:// or file:// URL or a path of "
	return forms + [...]string{"a folder", "a file", "files; only the last part may hold * ? ["}[k.to]
}

func (k locationKind) read(r *reading, at string, n *node) {
	if n.form != text || n.raw == "" {
		r.refuse(n, at, k)
		return
	}
	location, err := k.locate(r, n.raw)
	if err != nil {
		r.add(n.at, at, n.describe()+": "+err.Error(), k.want())
		return
	}
	n.value = location
}

// locate gives the value of a location as written. No error holds the value of a
// variable: it may be a secret.
func (k locationKind) locate(r *reading, raw string) (string, error) {
	if !k.expand && variable.MatchString(raw) {
		return "", errors.New("variables are only for keys named url")
	}
	location, err := expanded(r, raw)
	if err != nil {
		return "", err
	}
	if err := k.to.check(location); err != nil {
		return "", err
	}
	return resolve(r.folder, location)
}

func (locationKind) schema() map[string]any {
	return map[string]any{"type": "string", "minLength": 1}
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expanded replaces each ${NAME}.
func expanded(r *reading, raw string) (string, error) {
	if strings.Contains(variable.ReplaceAllString(raw, ""), "${") {
		return "", errors.New("a variable is written ${NAME}")
	}
	var err error
	location := variable.ReplaceAllStringFunc(raw, func(ref string) string {
		name := variable.FindStringSubmatch(ref)[1]
		v := r.getenv(name)
		if v == "" {
			err = fmt.Errorf("the environment variable %s is not set", name)
		}
		return v
	})
	return location, err
}

// check says whether a location as written can lead to the target.
func (t target) check(location string) error {
	if t == aFolder {
		return nil
	}
	folder, name := path.Split(location)
	if name == "" || strings.HasSuffix(folder, "://") {
		return errors.New("it names no file")
	}
	if _, err := path.Match(name, ""); t == someFiles && (err != nil || strings.ContainsAny(folder, "*?[")) {
		return errors.New("it is not a folder and a glob")
	}
	return nil
}

// resolve gives the URL of a cloud or the absolute path of a location.
func resolve(folder, location string) (string, error) {
	if strings.ContainsFunc(location, unicode.IsControl) {
		return "", errors.New("it holds a control character")
	}
	scheme, rest, isURL := strings.Cut(location, "://")
	if !isURL {
		return absolute(folder, location), nil
	}
	switch scheme {
	case "gs", "s3", "azblob":
		return bucketURL(location, rest)
	case "file":
		file, err := url.PathUnescape(rest)
		if err != nil || file == "" {
			return "", errors.New("the file URL has no path, or a % that is not %25")
		}
		return absolute(folder, file), nil
	}
	return "", errors.New("no store of that scheme is known")
}

func bucketURL(location, rest string) (string, error) {
	if bucket, _, _ := strings.Cut(rest, "/"); bucket == "" {
		return "", errors.New("the bucket is missing")
	}
	return strings.TrimRight(location, "/"), nil
}

func absolute(folder, file string) string {
	if filepath.IsAbs(file) {
		return filepath.Clean(file)
	}
	return filepath.Join(folder, file)
}
