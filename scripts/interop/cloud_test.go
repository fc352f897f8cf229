package interop_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The same night on Google Cloud Storage, snapshot and output both, gives the same
// bytes as on local files. The store is a stand-in in a process of its own, the
// client the real one.
func TestSameBytesOnGoogleCloudStorage(t *testing.T) {
	dir := t.TempDir()
	writeSnapshot(t, "arrow15", filepath.Join(dir, "snapshots"))
	publish(t, dir, "zstd")
	local := manifestOf(t, dir)

	server := startCloud(t, "warehouse", "crm")
	for _, name := range glob(t, dir, "snapshots", "*", "*") {
		server.upload(t, "warehouse", strings.TrimPrefix(name, dir+"/"), content(t, name))
	}
	gs := exec.CommandContext(t.Context(), program("churntier"), "run", "-c", filepath.Join(dir, "config.yaml"), "--date", night, "--quiet",
		"--set", "snapshot.url=gs://warehouse/snapshots", "--set", "publish.url=gs://crm/churn")
	gs.Env = append(os.Environ(), "STORAGE_EMULATOR_HOST="+strings.TrimPrefix(server.url, "http://"))
	if out, err := gs.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cloud := parse(t, server.download(t, "crm", "churn/latest/_MANIFEST.json"))
	if len(cloud.sums()) < 6 {
		t.Errorf("only %d files: %v", len(cloud.sums()), cloud.sums())
	}
	equal(t, "bytes of the shards, local against cloud", local.sums(), cloud.sums())
}

type cloud struct{ url string }

func startCloud(t *testing.T, buckets ...string) cloud {
	t.Helper()
	cmd := exec.Command(program("fakegcs"), "--bucket", strings.Join(buckets, ","))
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cloud{strings.TrimSpace(line)}
}

func (c cloud) upload(t *testing.T, bucket, key string, data []byte) {
	t.Helper()
	c.request(t, http.MethodPost, "/upload/storage/v1/b/"+bucket+"/o?uploadType=media&name="+url.QueryEscape(key), data)
}

func (c cloud) download(t *testing.T, bucket, key string) []byte {
	t.Helper()
	return c.request(t, http.MethodGet, "/download/storage/v1/b/"+bucket+"/o/"+url.PathEscape(key)+"?alt=media", nil)
}

func (c cloud) request(t *testing.T, method, path string, data []byte) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.url+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s, %v: %s", method, path, response.Status, err, body)
	}
	return body
}
