package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/distribution"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/publish"
)

// ErrDamage says that what is published is not what was committed.
var ErrDamage = errors.New("damage was found")

// Damage is one thing that is not as it was committed.
type Damage struct {
	URL     string `json:"url"`
	Problem string `json:"problem"`
}

// Verified is what was read again, and what was wrong with it.
type Verified struct {
	Dates   int      `json:"dates"`
	Runs    int      `json:"runs"`    // published ones, rolled back or not
	Expired int      `json:"expired"` // of them, those of which only manifest and distribution are left
	Files   int      `json:"files"`
	Rows    int64    `json:"rows"`
	Bytes   int64    `json:"bytes"`
	Damages []Damage `json:"damages"`
}

// damageKinds are the errors that say what is wrong with what is there; any other
// error says that it could not be read.
var damageKinds = []error{
	publish.ErrLog, publish.ErrDamaged, publish.ErrNewer, publish.ErrForeign, publish.ErrLatest,
	objstore.ErrNotExist, objstore.ErrChecksum, objstore.ErrTooLarge,
}

// Verify reads again all that is committed for the given dates: the log, each
// manifest, each file with its size, both its checksums and its rows, and whether
// latest/ shows what the log says. It stops only at what cannot be read.
func Verify(ctx context.Context, ledger *publish.Ledger, dates []date.Date, progress Progress) (*Verified, error) {
	v := &verification{ledger: ledger, progress: progress, Verified: &Verified{Damages: []Damage{}}}
	if err := v.found(ledger.Bucket().URL(""), ledger.CheckOwner(ctx)); err != nil {
		return nil, err
	}
	for _, d := range dates {
		progress.Stage("verify "+d.String(), 0, 0)
		if err := v.date(ctx, d); err != nil {
			return nil, fmt.Errorf("verify %s: %w", d, err)
		}
	}
	if err := v.found(ledger.Bucket().URL("latest"), ledger.CheckLatest(ctx)); err != nil {
		return nil, err
	}
	return v.Verified, nil
}

// verification is one Verify on its way.
type verification struct {
	ledger *publish.Ledger
	*Verified
	progress Progress
}

// found notes a damage and gives back any other error.
func (v *verification) found(url string, err error) error {
	if err == nil {
		return nil
	}
	if !slices.ContainsFunc(damageKinds, func(kind error) bool { return errors.Is(err, kind) }) {
		return err
	}
	v.Damages = append(v.Damages, Damage{url, err.Error()})
	return nil
}

// wrong notes a damage of one object.
func (v *verification) wrong(key, problem string, args ...any) {
	v.Damages = append(v.Damages, Damage{v.ledger.Bucket().URL(key), fmt.Sprintf(problem, args...)})
}

func (v *verification) date(ctx context.Context, d date.Date) error {
	log, err := v.ledger.Log(ctx, d)
	if err != nil {
		return v.found(v.ledger.Bucket().URL("commits/"+d.String()), err)
	}
	v.Dates++
	for _, e := range log.Publications() {
		if err := v.run(ctx, d, e, log.Expired(e.Run)); err != nil {
			return err
		}
	}
	return nil
}

// run verifies what one entry of the log published.
func (v *verification) run(ctx context.Context, d date.Date, e publish.Entry, expired bool) error {
	v.Runs++
	if expired {
		v.Expired++
	}
	prefix := publish.RunPrefix(d, e.Run)
	m, err := v.ledger.Committed(ctx, d, e)
	if err != nil {
		return v.found(v.ledger.Bucket().URL(prefix), err)
	}
	if err := v.nothingElse(ctx, m); err != nil {
		return err
	}
	for _, f := range m.Files() {
		if expired && !publish.Stays(m, f.Key) {
			continue
		}
		if err := v.file(ctx, m, f); err != nil {
			return err
		}
	}
	return nil
}

// nothingElse notes objects in the folder of the run that its manifest does not
// list.
func (v *verification) nothingElse(ctx context.Context, m *publish.Manifest) error {
	there, err := v.ledger.Bucket().List(ctx, m.Prefix()+"/")
	if err != nil {
		return err
	}
	listed := map[string]bool{m.Prefix() + "/" + publish.ManifestName: true}
	for _, f := range m.Files() {
		listed[f.Key] = true
	}
	for _, a := range there {
		if !listed[a.Key] {
			v.wrong(a.Key, "the manifest of the run does not list it; nothing may be added to a run")
		}
	}
	return nil
}

// file verifies size, checksums and rows of one file, and what the distribution
// says where it is the one that was written.
func (v *verification) file(ctx context.Context, m *publish.Manifest, f publish.File) error {
	url := v.ledger.Bucket().URL(f.Key)
	a, err := v.ledger.Bucket().Stat(ctx, f.Key)
	if errors.Is(err, objstore.ErrNotExist) {
		v.wrong(f.Key, "the file is missing")
		return nil
	}
	if err != nil {
		return err
	}
	got, err := v.read(ctx, a)
	if err != nil {
		return v.found(url, err)
	}
	v.Files++
	v.Bytes += a.Size
	switch {
	case got.size != f.Bytes:
		v.wrong(f.Key, "has %d bytes, %d were written", got.size, f.Bytes)
		return nil
	case got.sha256 != f.SHA256 || got.crc32c != uint32(f.CRC32C):
		v.wrong(f.Key, "its bytes are not those that were written: sha256 %s, crc32c %08x; expected %s, %08x",
			got.sha256, got.crc32c, f.SHA256, uint32(f.CRC32C))
		return nil
	}
	rows, err := countRows(ctx, v.ledger.Bucket(), f)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		v.wrong(f.Key, "its rows cannot be counted: %v", err)
	case rows != f.Rows:
		v.wrong(f.Key, "has %d rows, the manifest says %d", rows, f.Rows)
	}
	v.Rows += rows
	v.progress.Add(rows)
	if f.Key == reportKey(m) {
		return v.distribution(ctx, m)
	}
	return nil
}

// sums are of the bytes of one object.
type sums struct {
	size   int64
	sha256 string
	crc32c uint32
}

func (v *verification) read(ctx context.Context, a objstore.Attrs) (s sums, err error) {
	r, err := v.ledger.Bucket().Open(ctx, a)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	sha, crc := sha256.New(), crc32.New(crc32.MakeTable(crc32.Castagnoli))
	s.size, err = io.Copy(io.MultiWriter(sha, crc), r)
	s.sha256, s.crc32c = hex.EncodeToString(sha.Sum(nil)), crc.Sum32()
	return s, err
}

// distribution holds the exact counts of the run against its manifest.
func (v *verification) distribution(ctx context.Context, m *publish.Manifest) error {
	rep, err := readReport(ctx, v.ledger.Bucket(), m)
	if err != nil {
		return v.found(v.ledger.Bucket().URL(reportKey(m)), err)
	}
	buckets := (*distribution.Counts)(rep.Counts).Buckets()
	if !slices.Equal(buckets[:], m.Distribution) {
		v.wrong(reportKey(m), "its counts are not those of the manifest")
	}
	return nil
}

// Err gives ErrDamage when there is any.
func (v *Verified) Err() error {
	if len(v.Damages) == 0 {
		return nil
	}
	return fmt.Errorf("%w in %d places, the first: %s: %s", ErrDamage, len(v.Damages), v.Damages[0].URL, v.Damages[0].Problem)
}
