package gcs_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/api/option"

	"github.com/churntier/churntier/pipeline/objstore"
)

// transport is the network between client and store, on which things go wrong.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func openThrough(t *testing.T, network transport) *objstore.Bucket {
	t.Helper()
	return bucketOf(open(t, "nightly", option.WithHTTPClient(&http.Client{Transport: network})))
}

var errReset = errors.New("read tcp: connection reset by peer")

// isLast says whether a request ends an upload.
func isLast(r *http.Request) bool {
	chunk := r.Header.Get("Content-Range")
	return strings.Contains(r.URL.Path, "/upload/") && !strings.HasSuffix(chunk, "/*") &&
		(chunk != "" || r.URL.Query().Get("uploadType") == "multipart")
}

// losingReplies applies the end of an upload and drops the first answer to it.
func losingReplies(t *testing.T) transport {
	lost := false
	return func(r *http.Request) (*http.Response, error) {
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil || lost || !isLast(r) {
			return response, err
		}
		lost = true
		if response.StatusCode != http.StatusOK {
			t.Errorf("the store refused the upload: %s", response.Status)
		}
		return nil, errors.Join(errReset, response.Body.Close())
	}
}

func TestLostReply(t *testing.T) {
	for name, data := range map[string][]byte{
		"small": []byte("data"),
		"large": bytes.Repeat([]byte("some data "), 1_200_000),
	} {
		startServer(t)
		b := openThrough(t, losingReplies(t))
		w, err := b.Create(t.Context(), "part")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		written, err := w.Commit()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, a, err := b.Read(t.Context(), "part", 20<<20)
		if err != nil || !bytes.Equal(got, data) || a.Generation != written.Generation {
			t.Errorf("%s: there are %d bytes of generation %s, %v, expected %d of %s",
				name, len(got), a.Generation, err, len(data), written.Generation)
		}
	}
}

// CreateBytes leaves it to its caller to find out who was first.
func TestLostReplyOfCreateBytes(t *testing.T) {
	startServer(t)
	b := openThrough(t, losingReplies(t))
	_, err := b.CreateBytes(t.Context(), "commits/0", []byte("entry"))
	wantKind(t, "create", err, objstore.ErrPrecondition)
	if data, _, err := b.Read(t.Context(), "commits/0", 10); err != nil || string(data) != "entry" {
		t.Errorf("got %q, %v", data, err)
	}
}

// flipping changes what an upload carries on its way to the store.
func flipping(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.URL.Path, "/upload/") || r.Body == nil {
		return http.DefaultTransport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	changed := bytes.ReplaceAll(body, []byte("data"), []byte("dato"))
	altered := r.Clone(r.Context())
	altered.Body = io.NopCloser(bytes.NewReader(changed))
	return http.DefaultTransport.RoundTrip(altered)
}

func TestFlippedBits(t *testing.T) {
	server := startServer(t)
	b := openThrough(t, flipping)
	if _, err := b.CreateBytes(t.Context(), "small", []byte("data")); err == nil {
		t.Error("the store took a small object that differs from its checksum")
	}
	w, err := b.Create(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bytes.Repeat([]byte("some data "), 1_200_000)); err != nil {
		t.Fatal(err)
	}
	_, err = w.Commit()
	wantKind(t, "commit", err, objstore.ErrChecksum)
	for _, key := range []string{"small", "large"} {
		if _, err := server.GetObject("nightly", key); err == nil {
			t.Errorf("%s: the altered object is there", key)
		}
	}
}

// An altered object that cannot be removed either is told of.
func TestFlippedBitsThatStay(t *testing.T) {
	startServer(t)
	b := openThrough(t, func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodDelete {
			return flipping(r)
		}
		return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Request: r}, nil
	})
	w, err := b.Create(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bytes.Repeat([]byte("some data "), 1_200_000)); err != nil {
		t.Fatal(err)
	}
	_, err = w.Commit()
	wantKind(t, "commit", err, objstore.ErrChecksum)
	wantKind(t, "commit", err, objstore.ErrPermission)
}

// A stream that breaks off while it is sent fails at a write or at the end.
func TestBrokenStream(t *testing.T) {
	startServer(t)
	b := openThrough(t, func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.Header.Get("Content-Range"), "bytes 8388608-") {
			return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Request: r}, nil
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	wantKind(t, "stream", stream(t.Context(), b, 20<<20), objstore.ErrPermission)
	if listed, err := b.List(t.Context(), ""); err != nil || len(listed) != 0 {
		t.Errorf("listed %+v, %v, expected nothing", listed, err)
	}
}
