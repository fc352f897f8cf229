package interop_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/churntier/churntier/scripts/emulator"
)

// cloud is a stand-in for one, in a process of its own, with the buckets
// warehouse and crm. What is put and got goes through the cloud's own protocol
// or client, not through ours.
type cloud struct {
	scheme      string
	environment []string
	put         func(t *testing.T, bucket, key string, data []byte)
	get         func(t *testing.T, bucket, key string) []byte
}

// The same night on a cloud, snapshot and output both, gives the same bytes as on
// local files, and a second run finds it published. The client is the real one.
func TestSameBytesOnEveryCloud(t *testing.T) {
	dir := t.TempDir()
	writeSnapshot(t, "arrow15", filepath.Join(dir, "snapshots"))
	publish(t, dir, "zstd")
	local := manifestOf(t, dir)
	for name, start := range map[string]func(*testing.T) cloud{"Google": google, "S3": amazon, "Azure": azure} {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			for _, name := range glob(t, dir, "snapshots", "*", "*") {
				c.put(t, "warehouse", strings.TrimPrefix(name, dir+"/"), content(t, name))
			}
			c.churntier(t, dir, `"status":"published"`)
			m := parse(t, c.get(t, "crm", "churn/latest/_MANIFEST.json"))
			if len(m.sums()) < 6 {
				t.Errorf("only %d files: %v", len(m.sums()), m.sums())
			}
			equal(t, "bytes of the shards, local against cloud", local.sums(), c.sums(t, m))
			c.churntier(t, dir, `"status":"already-published"`)
		})
	}
}

// churntier runs the night on the cloud.
func (c cloud) churntier(t *testing.T, dir, want string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program("churntier"), "run", "-c", filepath.Join(dir, "config.yaml"), "--date", night, "--quiet", "--json",
		"--set", "snapshot.url="+c.scheme+"://warehouse/snapshots", "--set", "publish.url="+c.scheme+"://crm/churn")
	cmd.Env = append(os.Environ(), c.environment...)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte(want)) {
		t.Fatalf("%v: %s; expected %s", err, out, want)
	}
}

// sums gives the SHA-256 of the objects that a manifest names, as manifest.sums.
func (c cloud) sums(t *testing.T, m manifest) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for key := range m.sums() {
		sum := sha256.Sum256(c.get(t, "crm", "churn/"+strings.Replace(key, "RUN", m.Run, 1)))
		sums[key] = hex.EncodeToString(sum[:])
	}
	return sums
}

func google(t *testing.T) cloud {
	server := startFakeGCS(t, "warehouse", "crm")
	return cloud{
		scheme:      "gs",
		environment: []string{"STORAGE_EMULATOR_HOST=" + strings.TrimPrefix(server.url, "http://")},
		put: func(t *testing.T, bucket, key string, data []byte) {
			server.request(t, http.MethodPost, "/upload/storage/v1/b/"+bucket+"/o?uploadType=media&name="+url.QueryEscape(key), data)
		},
		get: func(t *testing.T, bucket, key string) []byte {
			return server.request(t, http.MethodGet, "/download/storage/v1/b/"+bucket+"/o/"+url.PathEscape(key)+"?alt=media", nil)
		},
	}
}

func amazon(t *testing.T) cloud {
	server := emulator.S3(t)
	for _, bucket := range []string{"warehouse", "crm"} {
		server.Bucket(t, bucket)
	}
	client := server.Client()
	return cloud{
		scheme:      "s3",
		environment: server.Strings(),
		put: func(t *testing.T, bucket, key string, data []byte) {
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(data)})
			if err != nil {
				t.Fatal(err)
			}
		},
		get: func(t *testing.T, bucket, key string) []byte {
			out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
			if err != nil {
				t.Fatal(err)
			}
			return drained(t, out.Body)
		},
	}
}

func azure(t *testing.T) cloud {
	server := emulator.Azure(t)
	containers := map[string]*container.Client{"warehouse": server.Container(t, "warehouse"), "crm": server.Container(t, "crm")}
	return cloud{
		scheme:      "azblob",
		environment: server.Strings(),
		put: func(t *testing.T, bucket, key string, data []byte) {
			if _, err := containers[bucket].NewBlockBlobClient(key).UploadBuffer(t.Context(), data, nil); err != nil {
				t.Fatal(err)
			}
		},
		get: func(t *testing.T, bucket, key string) []byte {
			out, err := containers[bucket].NewBlobClient(key).DownloadStream(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			return drained(t, out.Body)
		},
	}
}

func drained(t *testing.T, body io.ReadCloser) []byte {
	t.Helper()
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

type fakeGCS struct{ url string }

func startFakeGCS(t *testing.T, buckets ...string) fakeGCS {
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
	return fakeGCS{strings.TrimSpace(line)}
}

func (s fakeGCS) request(t *testing.T, method, path string, data []byte) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader(data))
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
