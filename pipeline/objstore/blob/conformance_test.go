package blob_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/blob"
	"github.com/churntier/churntier/pipeline/objstore/objstoretest"
	"github.com/churntier/churntier/scripts/emulator"
)

// fakeS3 runs gofakes3 in this process with the bucket "nightly".
func fakeS3(t *testing.T) *httptest.Server {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("nightly"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return server
}

// clientOf reaches a server as one that has S3's protocol, through a network.
func clientOf(url string, network http.RoundTripper) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(url), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient:  &http.Client{Transport: network},
	})
}

func TestS3InThisProcess(t *testing.T) {
	fresh := func(t *testing.T) objstore.Driver {
		return blob.NewS3(clientOf(fakeS3(t).URL, http.DefaultTransport), "nightly")
	}
	objstoretest.Run(t, fresh, objstoretest.Options{RenamesLargeGenerations: true})
}

func TestS3Gateway(t *testing.T) {
	cloud := emulator.S3(t)
	cloud.Use(t)
	each := 0
	fresh := func(t *testing.T) objstore.Driver {
		each++
		name := fmt.Sprint("nightly-", each)
		cloud.Bucket(t, name)
		return opened(t, name, blob.OpenS3)
	}
	objstoretest.Run(t, fresh, objstoretest.Options{})
}

func TestAzure(t *testing.T) {
	cloud := emulator.Azure(t)
	cloud.Use(t)
	each := 0
	fresh := func(t *testing.T) objstore.Driver {
		each++
		name := fmt.Sprint("nightly-", each)
		cloud.Container(t, name)
		return opened(t, name, blob.OpenAzure)
	}
	objstoretest.Run(t, fresh, objstoretest.Options{})
}

func opened(t *testing.T, name string, open func(context.Context, string) (*blob.Driver, error)) *blob.Driver {
	t.Helper()
	d, err := open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
