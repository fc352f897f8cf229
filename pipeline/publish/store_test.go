package publish_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/faulty"
	"github.com/churntier/churntier/pipeline/objstore/mem"
	"github.com/churntier/churntier/pipeline/publish"
)

const prediction = "churn-14d"

// forbidden is a store that does not let this user do it.
var forbidden = faulty.Answer(objstore.ErrPermission)

var (
	ctx = context.Background()
	day = on("2026-11-22")
)

func on(s string) date.Date {
	d, err := date.Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

// runNamed gives a name of the shape of a ULID.
func runNamed(n int) string { return fmt.Sprintf("01J%023d", n) }

// hexOf gives 64 hex digits that stand for s.
func hexOf(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

// failing gives a bucket on d where the operation kind on keys that begin with
// prefix meets the fault, the first time.
func failing(d objstore.Driver, kind, prefix string, what faulty.Fault) *objstore.Bucket {
	return bucket(faulty.Once(what, func(o faulty.Operation) bool {
		return o.Kind == kind && strings.HasPrefix(o.Key, prefix)
	}).Store("out", d))
}

// deciding gives a bucket on d whose operations meet what decide says.
func deciding(d objstore.Driver, decide func(faulty.Operation) faulty.Fault) *objstore.Bucket {
	return bucket(faulty.NewProcess(decide).Store("out", d))
}

func bucket(d objstore.Driver) *objstore.Bucket { return objstore.New(d, "mem://out") }

func open(t testing.TB, b *objstore.Bucket) *publish.Ledger {
	t.Helper()
	l, err := publish.Open(ctx, b, prediction)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// put writes an object as another program would.
func put(t testing.TB, b *objstore.Bucket, key, text string) {
	t.Helper()
	if _, err := b.CreateBytes(ctx, key, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, b *objstore.Bucket, key string) string {
	t.Helper()
	data, _, err := b.Read(ctx, key, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// nightOf gives a small manifest whose counts are conserved.
func nightOf(d date.Date, run, fingerprint string) *publish.Manifest {
	m := &publish.Manifest{
		Format: 1, Prediction: prediction, Date: d, Run: run, Mode: "live", Engine: "local", Version: "v1",
		Fingerprint: fingerprint,
		Inputs:      []publish.Input{{Name: "a.parquet", Size: 10, Generation: "7", Rows: 10}},
		Rows:        publish.Rows{Read: 10, Rejected: 1, Scored: 9},
		Categories: []publish.Category{
			{Name: "high", From: 7500, To: 10000, Count: 4},
			{Name: "low", From: 0, To: 7500, Count: 5},
		},
		Distribution:    make([]int64, 20),
		RejectedReasons: map[string]int64{"id_null": 1},
	}
	m.Distribution[0], m.Distribution[19] = 5, 4
	m.Audiences = []publish.Audience{{Name: "high", Members: 4, Files: []publish.File{{
		Key: m.Prefix() + "/audiences/high/part-00000.parquet", Format: "parquet", Rows: 4, Bytes: 99, SHA256: hexOf("high"),
	}}}}
	return m
}

// publishNight takes one run through admit, seal, commit and project.
func publishNight(l *publish.Ledger, d date.Date, run, fingerprint string, force bool) (publish.Outcome, error) {
	log, err := l.Log(ctx, d)
	if err != nil {
		return publish.Outcome{}, err
	}
	if a := publish.Admit(log, fingerprint, force); !a.Fresh() {
		_, err := l.Project(ctx)
		return publish.Outcome{Entry: a.Entry}, err
	}
	if err := l.Claim(ctx); err != nil {
		return publish.Outcome{}, err
	}
	sum, err := l.Seal(ctx, nightOf(d, run, fingerprint))
	if err != nil {
		return publish.Outcome{}, err
	}
	out, err := l.Commit(ctx, log, publish.Entry{Run: run, Fingerprint: fingerprint, ManifestSHA256: sum})
	if err != nil {
		return out, err
	}
	_, err = l.Project(ctx)
	return out, err
}

func mustPublish(t testing.TB, l *publish.Ledger, d date.Date, n int, force bool) {
	t.Helper()
	out, err := publishNight(l, d, runNamed(n), hexOf(fmt.Sprint("inputs of run ", n)), force)
	if err != nil || !out.Ours {
		t.Fatalf("run %d on %s: %+v, %v; expected it to be published", n, d, out, err)
	}
}

func newStore(t testing.TB) (*objstore.Bucket, *publish.Ledger) {
	b := bucket(mem.New())
	return b, open(t, b)
}
