package interop_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path/filepath"
	"testing"
)

// spillingUsers are so many that with 16 MiB every look-up of ids and contacts
// spills: it needs 16 bytes a user and may keep a quarter of the memory.
const spillingUsers = 300_000

// The files of a night depend on its inputs and config alone: neither on how many
// workers there are, nor on what spills, nor on what is published already.
func TestAudiencesHaveTheSameBytesWhoeverWorks(t *testing.T) {
	needsDuckDB(t)
	c := generatedTrial(t, spillingUsers, 2048)
	c.write(t)
	c.publish(t)
	want := c.sums(t)
	for _, flags := range [][]string{
		{"--force"},
		{"--force", "--workers", "1"},
		{"--force", "--workers", "2", "--memory", "16MiB"},
		{"--force", "--workers", "7", "--memory", "16MiB"},
	} {
		c.publish(t, flags...)
		equal(t, "SHA-256 of the files", want, c.sums(t))
	}
	// Three files of members and one of the control arm for each audience, the
	// tables of scores and of rejected rows, and two of the distribution.
	if files := 4*len(c.audiences) + 4; len(want) != files {
		t.Errorf("%d files are published, want %d: %v", len(want), files, want)
	}
}

// sums gives the SHA-256 of every file of the newest run, but for its manifest.
func (c *trial) sums(t *testing.T) map[string]string {
	t.Helper()
	folder := filepath.Join(filepath.Dir(c.path()), manifestOf(t, c.dir).Run)
	sums := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "MANIFEST.json" {
			return err
		}
		name, err := filepath.Rel(folder, path)
		sum := sha256.Sum256(content(t, path))
		sums[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}
