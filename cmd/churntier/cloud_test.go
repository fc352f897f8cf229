package main

import (
	"os"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"github.com/churntier/churntier/pipeline/objstore/dial"
	"github.com/churntier/churntier/scripts/emulator"
)

// Every command does on a cloud what it does on local files, at the root of a bucket
// and below a prefix, and whatever the parts of the snapshot are called.
func TestEveryCommandOnEveryCloud(t *testing.T) {
	for scheme, start := range map[string]func(*testing.T){"gs": google, "s3": amazon, "azblob": azure} {
		t.Run(scheme, func(t *testing.T) {
			start(t)
			p := newPlace(t)
			p.upload(scheme+"://nightly/a warehouse", "part+1 %20 'é' #?&=.parquet")
			for _, url := range []string{scheme + "://nightly", scheme + "://nightly/ré sumé/50%+"} {
				p.everyCommand(t, "--set", "snapshot.url="+scheme+"://nightly/a warehouse", "--set", "publish.url="+url)
			}
		})
	}
}

// upload puts a night into the snapshots of a cloud.
func (p *place) upload(url, name string) {
	p.t.Helper()
	p.ordinary(night22, 1000)
	data, err := os.ReadFile(p.path("snapshots/dt="+night22, "part-00000.parquet"))
	if err != nil {
		p.t.Fatal(err)
	}
	b, err := dial.Open(p.t.Context(), url, dial.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	for key, content := range map[string][]byte{name: data, "_SUCCESS": nil} {
		if _, err := b.CreateBytes(p.t.Context(), "dt="+night22+"/"+key, content); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *place) everyCommand(t *testing.T, flags ...string) {
	t.Helper()
	do := func(command string, more ...string) result {
		return p.operate(command, append(flags, more...)...)
	}
	do("show").expect(t, exitUsage, "nothing is published")
	do("check", "--probe").expect(t, exitDone, "1,000 rows", "refuses to create an object twice, and to replace one that has changed")
	do("run", "--quiet", "--dry-run").expect(t, exitDone, "nothing was written")
	do("run", "--quiet").expect(t, exitDone, "published in")
	do("run", "--quiet").expect(t, exitDone, "already published")
	do("run", "--quiet", "--force").expect(t, exitDone, "entry 1 of its date")
	do("rollback", "--date", night22, "--to", "0", "--reason", "x").expect(t, exitDone, "latest/ shows "+night22+", entry 2")
	do("verify", "--quiet").expect(t, exitDone, "published runs: 2", "damages: 0")
	do("prune", "--older-than", "0s", "--set", "publish.keep_days=1").expect(t, exitDone, "deleted 0 orphan runs")
	do("files", "--audience", "high").expect(t, exitDone, "audiences/high/part-00000.parquet")
	do("withdraw", "--date", night22, "--reason", "y").expect(t, exitDone, "withdrawn (y)")
	do("repair").expect(t, exitDone, "withdrawn (y)")
	do("show").expect(t, exitDone, "withdrawn, nothing is published")
	do("verify", "--quiet").expect(t, exitDone, "damages: 0")
}

func google(t *testing.T) {
	t.Helper()
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "nightly"})
	t.Setenv("STORAGE_EMULATOR_HOST", server.URL())
}

func amazon(t *testing.T) {
	t.Helper()
	cloud := emulator.S3(t)
	cloud.Use(t)
	cloud.Bucket(t, "nightly")
}

func azure(t *testing.T) {
	t.Helper()
	cloud := emulator.Azure(t)
	cloud.Use(t)
	cloud.Container(t, "nightly")
}
