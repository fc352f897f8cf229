package dial_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/dial"
	"github.com/churntier/churntier/pipeline/objstore/dry"
	"github.com/churntier/churntier/scripts/emulator"
)

func open(t *testing.T, location string, opts dial.Options) *objstore.Bucket {
	t.Helper()
	b, err := dial.Open(t.Context(), location, opts)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The same folder, by path and by URL.
func TestFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a folder")
	written := open(t, folder, dial.Options{})
	if _, err := written.CreateBytes(t.Context(), "runs/part", []byte("data")); err != nil {
		t.Fatal(err)
	}
	url := "file://" + strings.ReplaceAll(folder, " ", "%20")
	for _, location := range []string{folder + "/", url, strings.Replace(url, "///", "//localhost/", 1)} {
		b := open(t, location, dial.Options{})
		data, _, err := b.Read(t.Context(), "runs/part", 10)
		if err != nil || string(data) != "data" {
			t.Errorf("%s: got %q, %v", location, data, err)
		}
	}
	if got, want := written.URL("runs/part"), folder+"/runs/part"; got != want {
		t.Errorf("got URL %s, expected %s", got, want)
	}
}

// A store in memory is the same under one name, and another under another name.
func TestMemory(t *testing.T) {
	if _, err := open(t, "mem://"+t.Name(), dial.Options{Output: true}).CreateBytes(t.Context(), "part", []byte("data")); err != nil {
		t.Fatal(err)
	}
	if data, _, err := open(t, "mem://"+t.Name(), dial.Options{}).Read(t.Context(), "part", 10); err != nil || string(data) != "data" {
		t.Errorf("got %q, %v", data, err)
	}
	if listed, err := open(t, "mem://"+t.Name()+"/other", dial.Options{}).List(t.Context(), ""); err != nil || len(listed) > 0 {
		t.Errorf("another name: got %v, %v", listed, err)
	}
}

func TestMissingFolder(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := open(t, missing, dial.Options{}).List(t.Context(), ""); !errors.Is(err, objstore.ErrNoBucket) {
		t.Errorf("input: got %v, expected %v", err, objstore.ErrNoBucket)
	}
	if listed, err := open(t, missing, dial.Options{Output: true}).List(t.Context(), ""); err != nil {
		t.Errorf("output: got %v, %v, expected an empty listing", listed, err)
	}
}

func TestWrap(t *testing.T) {
	var run *dry.Driver
	b := open(t, t.TempDir(), dial.Options{Wrap: func(d objstore.Driver) objstore.Driver {
		run = dry.New(d)
		return run
	}})
	if _, err := b.CreateBytes(t.Context(), "a", []byte("data")); err != nil {
		t.Fatal(err)
	}
	if listed, err := b.List(t.Context(), ""); err != nil || len(listed) != 0 || run.Dropped().Bytes != 4 {
		t.Errorf("listed %v, %v, dropped %+v", listed, err, run.Dropped())
	}
}

func TestGCS(t *testing.T) {
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "nightly"})
	t.Setenv("STORAGE_EMULATOR_HOST", server.URL())

	b := open(t, "gs://nightly/churn/14d/", dial.Options{})
	if _, err := b.CreateBytes(t.Context(), "latest", []byte("data")); err != nil {
		t.Fatal(err)
	}
	object, err := server.GetObject("nightly", "churn/14d/latest")
	if err != nil || string(object.Content) != "data" {
		t.Errorf("the bucket holds %q, %v", object.Content, err)
	}
	if got, want := b.URL("latest"), "gs://nightly/churn/14d/latest"; got != want {
		t.Errorf("got URL %s, expected %s", got, want)
	}
	if data, _, err := open(t, "gs://nightly", dial.Options{}).Read(t.Context(), "churn/14d/latest", 10); err != nil {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestRefusedLocations(t *testing.T) {
	for location, want := range map[string]struct {
		kind error
		says string
	}{
		"http://example.com/x":   {objstore.ErrScheme, "azblob://container/prefix, file:///folder or a path"},
		"gs://":                  {objstore.ErrScheme, "bucket is missing"},
		"s3:///prefix":           {objstore.ErrScheme, "bucket is missing"},
		"azblob://":              {objstore.ErrScheme, "bucket is missing"},
		"s3://bucket?region=x/a": {objstore.ErrScheme, "come from the environment"},
		"azblob://user@name/a":   {objstore.ErrScheme, "come from the environment"},
		"s3://bucket/.tmp-a":     {objstore.ErrKey, ".tmp-"},
		"gs:///prefix":           {objstore.ErrScheme, "bucket is missing"},
		"gs://bucket/a/../b":     {objstore.ErrKey, `".."`},
		"file://relative/path":   {objstore.ErrScheme, "absolute path"},
		"file:///a?b":            {objstore.ErrScheme, "absolute path"},
		"file://":                {objstore.ErrScheme, "absolute path"},
		"file:///%zz":            {objstore.ErrScheme, "escape"},
		"":                       {objstore.ErrScheme, "empty"},
	} {
		_, err := dial.Open(t.Context(), location, dial.Options{})
		if !errors.Is(err, want.kind) || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%q: got %v, expected %v with %q", location, err, want.kind, want.says)
		}
	}
}

// The clouds are reached as the environment says.
func TestS3AndAzure(t *testing.T) {
	s3 := emulator.S3(t)
	azure := emulator.Azure(t)
	s3.Use(t)
	azure.Use(t)
	s3.Bucket(t, "nightly")
	azure.Container(t, "nightly")
	for _, scheme := range []string{"s3", "azblob"} {
		b := open(t, scheme+"://nightly/churn/14d/", dial.Options{})
		if _, err := b.CreateBytes(t.Context(), "latest", []byte("data")); err != nil {
			t.Fatal(err)
		}
		if got, want := b.URL("latest"), scheme+"://nightly/churn/14d/latest"; got != want {
			t.Errorf("got URL %s, expected %s", got, want)
		}
		data, _, err := open(t, scheme+"://nightly", dial.Options{}).Read(t.Context(), "churn/14d/latest", 10)
		if err != nil || string(data) != "data" {
			t.Errorf("%s: got %q, %v", scheme, data, err)
		}
		missing := open(t, scheme+"://nowhere", dial.Options{})
		if _, err := missing.List(t.Context(), ""); !errors.Is(err, objstore.ErrNoBucket) {
			t.Errorf("%s: got %v, expected %v", scheme, err, objstore.ErrNoBucket)
		}
	}
}

func TestNoRegion(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/does/not/exist")
	_, err := dial.Open(t.Context(), "s3://nightly", dial.Options{})
	if !errors.Is(err, objstore.ErrPermission) || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("got %v, expected %v that names AWS_REGION", err, objstore.ErrPermission)
	}
}

func TestNoCredentials(t *testing.T) {
	for name, value := range map[string]string{
		"STORAGE_EMULATOR_HOST": "", "GOOGLE_APPLICATION_CREDENTIALS": "/does/not/exist.json",
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/does/not/exist", "AWS_SHARED_CREDENTIALS_FILE": "/does/not/exist", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	for location, says := range map[string]string{"gs://nightly": "GOOGLE_APPLICATION_CREDENTIALS", "s3://nightly": "AWS_ACCESS_KEY_ID"} {
		assertNoCredentials(t, location, says)
	}
}

// A process reads the environment for Azure once, so this one has a process of its
// own.
func TestNoAzureCredentials(t *testing.T) {
	const alone = "CHURNTIER_ALONE"
	if os.Getenv(alone) != "" {
		assertNoCredentials(t, "azblob://nightly", "AZURE_STORAGE_ACCOUNT")
		return
	}
	process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoAzureCredentials$")
	process.Env = append(os.Environ(), alone+"=1", "AZURE_STORAGE_ACCOUNT=", "AZURE_STORAGE_CONNECTION_STRING=")
	if out, err := process.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func assertNoCredentials(t *testing.T, location, says string) {
	t.Helper()
	_, err := dial.Open(t.Context(), location, dial.Options{})
	if !errors.Is(err, objstore.ErrPermission) || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: got %v, expected %v that names %s", location, err, objstore.ErrPermission, says)
	}
}

// Who shares connections reaches a bucket by the one that was made first; others by
// one of their own, as the environment says.
func TestSharing(t *testing.T) {
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "nightly"})
	t.Setenv("STORAGE_EMULATOR_HOST", server.URL())
	once, end := context.WithCancel(dial.Sharing(t.Context()))
	if _, err := dial.Open(once, "gs://nightly/one", dial.Options{}); err != nil {
		t.Fatal(err)
	}
	end()

	t.Setenv("STORAGE_EMULATOR_HOST", "")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/does/not/exist.json")
	shared, err := dial.Open(once, "gs://nightly/two", dial.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shared.CreateBytes(t.Context(), "part", []byte("data")); err != nil {
		t.Error(err)
	}
	if _, err := dial.Open(t.Context(), "gs://nightly/two", dial.Options{}); !errors.Is(err, objstore.ErrPermission) {
		t.Errorf("without sharing: got %v, expected %v", err, objstore.ErrPermission)
	}
}
