package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
)

// ManifestName is the name of a run's last object, in the folder of the run.
const ManifestName = "MANIFEST.json"

const manifestLimit = 64 << 20 // bytes; some 300,000 files

// Seal checks m and writes it as the last object of its run, and gives its
// SHA-256 in hex. Sealing the same manifest again is no error.
func (l *Ledger) Seal(ctx context.Context, m *Manifest) (string, error) {
	if err := m.Check(); err != nil {
		return "", fmt.Errorf("seal %s: %w: %w", m.Prefix(), ErrDamaged, err)
	}
	data, err := m.encode()
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", m.Prefix(), err)
	}
	key := m.Prefix() + "/" + ManifestName
	if _, err := l.bucket.CreateBytes(ctx, key, data); err != nil {
		there, _, readErr := l.bucket.Read(ctx, key, manifestLimit)
		if readErr != nil || string(there) != string(data) {
			return "", err
		}
	}
	return digest(data), nil
}

// Manifest reads the manifest of a published run. ErrDamaged where it is missing,
// unreadable, of another run, or does not pass Check; ErrNewer where a newer
// version wrote it.
func (l *Ledger) Manifest(ctx context.Context, d date.Date, run string) (*Manifest, error) {
	m, _, err := l.manifest(ctx, d, run)
	return m, err
}

// manifest gives the SHA-256 of the bytes as well.
func (l *Ledger) manifest(ctx context.Context, d date.Date, run string) (*Manifest, string, error) {
	key := RunPrefix(d, run) + "/" + ManifestName
	data, _, err := l.bucket.Read(ctx, key, manifestLimit)
	switch {
	case errors.Is(err, objstore.ErrNotExist) || errors.Is(err, objstore.ErrTooLarge):
		return nil, "", fmt.Errorf("%w: %w", ErrDamaged, err)
	case err != nil:
		return nil, "", err
	}
	m, err := decodeManifest(data)
	if err == nil && (m.Prediction != l.prediction || m.Date != d || m.Run != run) {
		err = fmt.Errorf("%w: is of prediction %s, date %s, run %s", ErrDamaged, m.Prediction, m.Date, m.Run)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", l.bucket.URL(key), err)
	}
	return m, digest(data), nil
}

func decodeManifest(data []byte) (*Manifest, error) {
	var head struct{ Format int }
	if err := json.Unmarshal(data, &head); err == nil && head.Format > Format {
		return nil, fmt.Errorf("format %d, expected %d: %w", head.Format, Format, ErrNewer)
	}
	m := &Manifest{}
	if err := decode(data, m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return m, nil
}

func digest(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
