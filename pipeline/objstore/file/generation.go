package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/churntier/churntier/pipeline/objstore"
)

// generationOf names the content of a file: another content has another inode,
// size or time. The time of change is in it because a file can be rewritten in
// place with its old time of modification.
func generationOf(info fs.FileInfo) string {
	inode, changed := identity(info.Sys().(*syscall.Stat_t))
	return fmt.Sprintf("%x-%x-%x-%x", inode, info.Size(), info.ModTime().UnixNano(), changed)
}

// generationNow is the generation under key, "" where there is no object.
func generationNow(root *os.Root, key string) (string, error) {
	info, err := lookUp(root, key)
	switch {
	case errors.Is(err, objstore.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case info.IsDir():
		return "", nil
	}
	return generationOf(info), nil
}

// lookUp gives what is under a name, behind symbolic links too. A link that
// leads nowhere or out of the root stands for itself: it can be listed, and
// opening it fails.
func lookUp(root *os.Root, name string) (fs.FileInfo, error) {
	link, err := root.Lstat(name)
	if err != nil {
		return nil, kindOfRead(err)
	}
	if link.Mode()&fs.ModeSymlink == 0 {
		return link, nil
	}
	if target, err := root.Stat(name); err == nil {
		return target, nil
	}
	return link, nil
}

func attrsOf(key string, info fs.FileInfo) objstore.Attrs {
	return objstore.Attrs{
		Key:        key,
		Size:       info.Size(),
		Generation: generationOf(info),
		Modified:   info.ModTime(),
	}
}
