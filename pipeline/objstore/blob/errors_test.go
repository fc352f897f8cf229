package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/blob"
	"github.com/churntier/churntier/scripts/emulator"
)

// transport is the network between client and store, on which things go wrong.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Do makes a transport a client of Azure's.
func (f transport) Do(r *http.Request) (*http.Response, error) { return f(r) }

func s3Through(url string, network transport) *objstore.Bucket {
	return objstore.New(blob.NewS3(clientOf(url, network), "nightly"), "s3://nightly")
}

func azureThrough(t *testing.T, network transport) *objstore.Bucket {
	t.Helper()
	options := &container.ClientOptions{}
	options.Transport = network
	options.Retry = policy.RetryOptions{MaxRetries: -1}
	client, err := container.NewClientWithNoCredential("http://127.0.0.1/account/nightly", options)
	if err != nil {
		t.Fatal(err)
	}
	return objstore.New(blob.NewAzure(client), "azblob://nightly")
}

// answering is a store that says the same to everything.
func answering(status int, code, body string) transport {
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		header := http.Header{"Content-Type": {"application/xml"}, "X-Ms-Error-Code": {code}}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

func wantKind(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, expected %v", what, got, want)
	}
}

// failures tries every operation and gives how each fails.
func failures(ctx context.Context, b *objstore.Bucket) map[string]error {
	_, list := b.List(ctx, "")
	_, folders := b.Folders(ctx, "")
	_, stat := b.Stat(ctx, "a")
	_, read := b.Open(ctx, objstore.Attrs{Key: "a", Generation: "1"})
	_, create := b.CreateBytes(ctx, "a", []byte("data"))
	_, replace := b.Replace(ctx, "a", []byte("data"), "1")
	return map[string]error{
		"list": list, "folders": folders, "stat": stat, "open": read, "create": create, "replace": replace,
		"delete": b.Delete(ctx, "a", objstore.Any), "stream": stream(ctx, b),
	}
}

// stream writes an object that is sent in pieces.
func stream(ctx context.Context, b *objstore.Bucket) error {
	w, err := b.Create(ctx, "a")
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(make([]byte, 6<<20)); err != nil {
		return err
	}
	_, err = w.Commit()
	return err
}

func TestAnswersHaveKinds(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   error
	}{
		{http.StatusForbidden, "AccessDenied", objstore.ErrPermission},
		{http.StatusUnauthorized, "Unauthorized", objstore.ErrPermission},
		{http.StatusInsufficientStorage, "InsufficientStorage", objstore.ErrNoSpace},
	} {
		answer := answering(c.status, c.code, "<Error><Code>"+c.code+"</Code></Error>")
		for cloud, b := range map[string]*objstore.Bucket{"s3": s3Through("http://127.0.0.1", answer), "azure": azureThrough(t, answer)} {
			for what, err := range failures(t.Context(), b) {
				wantKind(t, cloud+" "+what, err, c.want)
			}
		}
	}
	for _, code := range []string{"BadDigest", "XAmzContentChecksumMismatch"} {
		b := s3Through("http://127.0.0.1", answering(http.StatusBadRequest, code, "<Error><Code>"+code+"</Code></Error>"))
		_, err := b.CreateBytes(t.Context(), "a", []byte("data"))
		wantKind(t, code, err, objstore.ErrChecksum)
	}
	_, err := azureThrough(t, answering(http.StatusBadRequest, "Md5Mismatch", "")).CreateBytes(t.Context(), "a", nil)
	wantKind(t, "Md5Mismatch", err, objstore.ErrChecksum)
}

func TestMissingBucket(t *testing.T) {
	server := fakeS3(t)
	missing := objstore.New(blob.NewS3(clientOf(server.URL, http.DefaultTransport), "nowhere"), "s3://nowhere")
	for what, err := range failures(t.Context(), missing) {
		wantKind(t, "s3 "+what, err, objstore.ErrNoBucket)
	}
	nowhere := objstore.New(blob.NewAzure(emulator.Azure(t).Missing(t, "nowhere")), "azblob://nowhere")
	for what, err := range failures(t.Context(), nowhere) {
		wantKind(t, "azure "+what, err, objstore.ErrNoBucket)
	}
}

// When two conditional writes meet, S3 may say that it does not know who was
// first. The answer is asked for again; without one, nothing is known.
func TestConflictIsNoAnswer(t *testing.T) {
	server := fakeS3(t)
	met := 0
	conflict := answering(http.StatusConflict, "", "<Error><Code>ConditionalRequestConflict</Code></Error>")
	b := s3Through(server.URL, func(r *http.Request) (*http.Response, error) {
		if met++; met == 1 {
			return conflict(r)
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	if _, err := b.CreateBytes(t.Context(), "a", []byte("data")); err != nil {
		t.Error(err)
	}
	_, err := s3Through(server.URL, conflict).CreateBytes(t.Context(), "b", []byte("data"))
	if err == nil || objstore.Kind(err) != nil {
		t.Errorf("got %v, expected a failure of no kind", err)
	}
}

// A store that has kept something else than was sent: it is removed.
func TestSizeIsCompared(t *testing.T) {
	b := s3Through(fakeS3(t).URL, func(r *http.Request) (*http.Response, error) {
		response, err := http.DefaultTransport.RoundTrip(r)
		if err == nil && r.Method == http.MethodHead && response.StatusCode == http.StatusOK {
			response.Header.Set("Content-Length", "3")
			response.ContentLength = 3
		}
		return response, err
	})
	_, err := b.CreateBytes(t.Context(), "a", []byte("data"))
	wantKind(t, "create", err, objstore.ErrChecksum)
	if listed, err := b.List(t.Context(), ""); err != nil || len(listed) != 0 {
		t.Errorf("the store holds %v, %v", listed, err)
	}
}

// An object that was written but cannot be looked up may be there: that is no
// refusal.
func TestUnreadableAfterCommit(t *testing.T) {
	forbidden := answering(http.StatusForbidden, "", "")
	b := s3Through(fakeS3(t).URL, func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodHead {
			return forbidden(r)
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	_, err := b.CreateBytes(t.Context(), "a", []byte("data"))
	if err == nil || objstore.Kind(err) != nil {
		t.Errorf("create: got %v, expected a failure of no kind", err)
	}
	w, err := b.Create(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(); err != nil {
		t.Errorf("the writer did not find its object: %v", err)
	}
}

// Of an aborted object the pieces that were sent are given up.
func TestAbortedPieces(t *testing.T) {
	var asked []string
	b := s3Through(fakeS3(t).URL, func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.Method)
		return http.DefaultTransport.RoundTrip(r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	w, err := b.Create(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, bytes.NewReader(make([]byte, 6<<20))); err != nil {
		t.Fatal(err)
	}
	cancel()
	w.Abort()
	if got := strings.Join(asked, " "); got != "POST PUT DELETE" {
		t.Errorf("asked %s, expected that the pieces are deleted", got)
	}
}

// A listing that is not in the order of bytes would hide objects from a merge.
func TestListingOutOfOrder(t *testing.T) {
	page := `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>` +
		`<Contents><Key>a</Key><Size>1</Size><ETag>"e"</ETag></Contents></ListBucketResult>`
	_, err := s3Through("http://127.0.0.1", answering(http.StatusOK, "", page)).List(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "byte order") {
		t.Errorf("got %v", err)
	}
}
