package publish

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"
)

// Check returns an error unless the manifest is whole and its counts are
// conserved: every row read has one fate, every scored user is in one category
// and one bucket of the distribution, the Parquet files of an audience hold its
// members, and every file lies in the folder of the run, once.
func (m *Manifest) Check() error {
	return cmp.Or(m.checkHead(), m.checkRows(), m.checkScores(), m.checkAudiences(), m.checkFiles())
}

func (m *Manifest) checkHead() error {
	switch {
	case m.Format != Format:
		return fmt.Errorf("format %d, expected %d", m.Format, Format)
	case m.Prediction == "":
		return errors.New("no prediction")
	case m.Date.IsZero():
		return errors.New("no date")
	case !runName.MatchString(m.Run):
		return fmt.Errorf("run %q, expected a ULID", m.Run)
	case m.Mode != modeLive && m.Mode != modePreview:
		return fmt.Errorf("mode %q, expected %s or %s", m.Mode, modeLive, modePreview)
	case !sha256Hex.MatchString(m.Fingerprint):
		return fmt.Errorf("fingerprint %q, expected 64 hex digits", m.Fingerprint)
	}
	return nil
}

func (m *Manifest) checkRows() error {
	r := m.Rows
	for _, n := range []int64{r.Rejected, r.Excluded, r.Duplicates, r.Ineligible, r.Scored, r.Suppressed} {
		if n < 0 {
			return fmt.Errorf("rows: a count is negative: %+v", r)
		}
	}
	inputs := int64(0)
	for _, in := range m.Inputs {
		inputs += in.Rows
	}
	fates := r.Rejected + r.Excluded + r.Duplicates + r.Ineligible + r.Scored
	return cmp.Or(
		equal("rows of the inputs", inputs, "rows read", r.Read),
		equal("rows with a fate", fates, "rows read", r.Read),
	)
}

func (m *Manifest) checkScores() error {
	if len(m.Distribution) != 20 {
		return fmt.Errorf("distribution: %d buckets, expected 20", len(m.Distribution))
	}
	categories, buckets, least := int64(0), int64(0), int64(0)
	for _, c := range m.Categories {
		categories += c.Count
		least = min(least, c.Count)
	}
	for _, n := range m.Distribution {
		buckets += n
		least = min(least, n)
	}
	if least < 0 {
		return fmt.Errorf("categories and distribution: a count is negative: %d", least)
	}
	return cmp.Or(
		equal("users in categories", categories, "scored", m.Rows.Scored),
		equal("users in the distribution", buckets, "scored", m.Rows.Scored),
	)
}

func (m *Manifest) checkAudiences() error {
	if m.Mode == modePreview && len(m.Audiences) > 0 {
		return fmt.Errorf("audience %s: a preview has no audiences", m.Audiences[0].Name)
	}
	for _, a := range m.Audiences {
		err := cmp.Or(a.checkParts("part-", "members", a.Members), a.checkParts("control-", "control", a.Control))
		if err != nil {
			return fmt.Errorf("audience %s: %w", a.Name, err)
		}
	}
	return nil
}

// checkParts compares n with the rows of the Parquet files whose names begin with
// prefix, if there are any.
func (a Audience) checkParts(prefix, what string, n int64) error {
	rows, found := int64(0), false
	for _, f := range a.Files {
		if f.Format == "parquet" && strings.HasPrefix(path.Base(f.Key), prefix) {
			rows, found = rows+f.Rows, true
		}
	}
	if n < 0 {
		return fmt.Errorf("%s: %d", what, n)
	}
	if !found {
		return nil
	}
	return equal("rows of "+prefix+"*.parquet", rows, what, n)
}

func (m *Manifest) checkFiles() error {
	seen := map[string]bool{}
	prefix := m.Prefix() + "/"
	for _, f := range m.Files() {
		switch {
		case !strings.HasPrefix(f.Key, prefix) || path.Clean(f.Key) != f.Key:
			return fmt.Errorf("file %q is not below %s", f.Key, prefix)
		case seen[f.Key]:
			return fmt.Errorf("file %s is listed twice", f.Key)
		case f.Rows < 0 || f.Bytes < 0:
			return fmt.Errorf("file %s: %d rows in %d bytes", f.Key, f.Rows, f.Bytes)
		case !sha256Hex.MatchString(f.SHA256):
			return fmt.Errorf("file %s: sha256 %q, expected 64 hex digits", f.Key, f.SHA256)
		}
		seen[f.Key] = true
	}
	return nil
}

func equal(what string, n int64, other string, want int64) error {
	if n != want {
		return fmt.Errorf("%s: %d, %s: %d; expected to be equal", what, n, other, want)
	}
	return nil
}
