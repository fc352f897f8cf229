package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/objstore"
)

// List implements objstore.Driver. Symbolic links are followed as far as they
// stay below the root. Folders without objects are not there, and neither is
// what is not a file.
func (d *Driver) List(ctx context.Context, prefix string, folders bool, yield func(objstore.Attrs) error) error {
	root, err := d.openRoot()
	if errors.Is(err, objstore.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer closeRead(root)
	w := walk{ctx: ctx, root: root, prefix: prefix, yield: yield}
	start := prefix[:strings.LastIndexByte(prefix, '/')+1]
	if folders {
		return w.level(start)
	}
	return w.tree(start, nil)
}

// walk visits files whose key begins with prefix. Folders are named by their
// key, which is "" or ends in a slash.
type walk struct {
	ctx    context.Context
	root   *os.Root
	prefix string
	yield  func(objstore.Attrs) error
}

// level yields the files of one folder, and its folders that hold any.
func (w walk) level(folder string) error {
	return w.each(folder, func(e entry) error {
		if !e.info.IsDir() {
			return w.yield(attrsOf(e.key, e.info))
		}
		holds, err := w.holdsAny(e)
		if err != nil || !holds {
			return err
		}
		return w.yield(objstore.Attrs{Key: e.key})
	})
}

// tree yields all files below a folder; above are the folders it lies in.
func (w walk) tree(folder string, above []fs.FileInfo) error {
	return w.each(folder, func(e entry) error {
		if !e.info.IsDir() {
			return w.yield(attrsOf(e.key, e.info))
		}
		for _, a := range above {
			if os.SameFile(a, e.info) {
				return fmt.Errorf("%s: a symbolic link leads back to a folder above it", e.key)
			}
		}
		return w.tree(e.key, append(slices.Clip(above), e.info))
	})
}

var errFound = errors.New("found")

func (w walk) holdsAny(folder entry) (bool, error) {
	below := w
	below.yield = func(objstore.Attrs) error { return errFound }
	err := below.tree(folder.key, []fs.FileInfo{folder.info})
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}

// entry is a file, or a folder with a slash at the end of its key.
type entry struct {
	key  string
	info fs.FileInfo
}

// each visits what a folder holds, sorted so that a walk meets keys in their
// byte order: a folder has its place by its name with the slash, a-b before a/.
func (w walk) each(folder string, visit func(entry) error) error {
	entries, err := w.entries(folder)
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	for _, e := range entries {
		if err := visit(e); err != nil {
			return err
		}
	}
	return w.ctx.Err()
}

func (w walk) entries(folder string) ([]entry, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	names, err := w.names(folder)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, name := range names {
		e, err := w.entry(folder + name)
		if errors.Is(err, objstore.ErrNotExist) {
			continue // removed since the folder was read, or never an object
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// names gives what a folder holds of the prefix; a missing folder holds nothing.
func (w walk) names(folder string) ([]string, error) {
	names, err := namesIn(w.root, path.Clean(folder))
	if errors.Is(err, objstore.ErrNotExist) {
		return nil, nil
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return strings.HasPrefix(name, objstore.TemporaryPrefix) || !strings.HasPrefix(folder+name, w.prefix)
	}), err
}

func namesIn(root *os.Root, folder string) ([]string, error) {
	f, err := root.Open(folder)
	if err != nil {
		return nil, kindOfRead(err)
	}
	defer closeRead(f)
	names, err := f.Readdirnames(-1)
	return names, kindOfRead(err)
}

func (w walk) entry(name string) (entry, error) {
	info, err := lookUp(w.root, name)
	switch {
	case err != nil:
		return entry{}, err
	case info.IsDir():
		return entry{name + "/", info}, nil
	case info.Mode().IsRegular(), info.Mode()&fs.ModeSymlink != 0:
		return entry{name, info}, nil
	}
	return entry{}, objstore.ErrNotExist
}
