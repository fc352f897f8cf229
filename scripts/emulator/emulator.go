// Package emulator runs stand-ins for clouds in processes of their own, for
// tests: versitygw for S3 and Azurite for Azure Blob Storage, which
// scripts/peers/install installs. A test that needs one that is absent is
// skipped, with that reason.
package emulator

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Cloud is a running stand-in: what must be in the environment of its clients.
type Cloud struct{ Environment map[string]string }

// Use puts the environment into that of the test.
func (c Cloud) Use(t testing.TB) {
	t.Helper()
	for name, value := range c.Environment {
		t.Setenv(name, value)
	}
}

// Strings gives the environment as a process takes it.
func (c Cloud) Strings() []string {
	var all []string
	for name, value := range c.Environment {
		all = append(all, name+"="+value)
	}
	return all
}

// startTime bounds how long a stand-in may take to answer.
const startTime = time.Minute

// S3 runs versitygw on a folder of the test.
func S3(t testing.TB) Cloud {
	t.Helper()
	program := installed(t, "bin", "versitygw")
	address := freeAddress(t)
	const key, secret = "churntier", "churntier-secret"
	cmd := exec.Command(program, "--quiet", "--port", address, "posix", t.TempDir())
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+key, "ROOT_SECRET_KEY="+secret)
	start(t, cmd)
	waitFor(t, address)
	return Cloud{map[string]string{
		"AWS_ENDPOINT_URL": "http://" + address, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
	}}
}

// Client gives a client of a stand-in for S3.
func (c Cloud) Client() *s3.Client {
	e := c.Environment
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(e["AWS_ENDPOINT_URL"]), Region: e["AWS_REGION"], UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(e["AWS_ACCESS_KEY_ID"], e["AWS_SECRET_ACCESS_KEY"], ""),
	})
}

// Bucket makes a bucket in a stand-in for S3.
func (c Cloud) Bucket(t testing.TB, name string) {
	t.Helper()
	if _, err := c.Client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
}

// The account that every Azurite has.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// Azure runs Azurite in memory. Of gocloud.dev, a process can use one only: it
// reads the environment once.
func Azure(t testing.TB) Cloud {
	t.Helper()
	program := installed(t, "node_modules", ".bin", "azurite-blob")
	cmd := exec.Command(program, "--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent")
	cmd.Dir = t.TempDir()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	address := addressIn(t, bufio.NewScanner(stdout))
	return Cloud{map[string]string{
		"AZURE_STORAGE_ACCOUNT": azuriteAccount, "AZURE_STORAGE_KEY": azuriteKey,
		"AZURE_STORAGE_DOMAIN": address, "AZURE_STORAGE_PROTOCOL": "http", "AZURE_STORAGE_IS_LOCAL_EMULATOR": "true",
	}}
}

// Container makes a container in a stand-in for Azure, and gives a client of it.
func (c Cloud) Container(t testing.TB, name string) *container.Client {
	t.Helper()
	client := c.Missing(t, name)
	if _, err := client.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return client
}

// Missing gives a client of a container that nobody has made.
func (c Cloud) Missing(t testing.TB, name string) *container.Client {
	t.Helper()
	e := c.Environment
	client, err := container.NewClientFromConnectionString(fmt.Sprintf(
		"DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=http://%s/%s;",
		azuriteAccount, azuriteKey, e["AZURE_STORAGE_DOMAIN"], azuriteAccount), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// installed gives a program that scripts/peers/install has put somewhere below
// its folder.
func installed(t testing.TB, elements ...string) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for folder != filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			break
		}
		folder = filepath.Dir(folder)
	}
	program := filepath.Join(append([]string{folder, "scripts", "peers"}, elements...)...)
	if _, err := os.Stat(program); err != nil {
		t.Skipf("%s is absent; scripts/peers/install installs it", filepath.Base(program))
	}
	return program
}

// start runs a program until the test ends.
func start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// addressIn reads the address that a server says it listens at.
func addressIn(t testing.TB, lines *bufio.Scanner) string {
	t.Helper()
	for lines.Scan() {
		if _, address, found := strings.Cut(lines.Text(), "listens on http://"); found {
			return strings.TrimSpace(address)
		}
	}
	t.Fatalf("the stand-in ended before it listened: %v", lines.Err())
	return ""
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// waitFor dials until something answers.
func waitFor(t testing.TB, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	for again := time.NewTicker(20 * time.Millisecond); ; {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = connection.Close()
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("nothing listens at %s: %v", address, err)
		}
	}
}
