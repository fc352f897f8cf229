package retry_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/fsouza/fake-gcs-server/fakestorage"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/blob"
	"github.com/churntier/churntier/pipeline/objstore/gcs"
	"github.com/churntier/churntier/pipeline/objstore/retry"
	"github.com/churntier/churntier/scripts/emulator"
)

// proxy stands between a client and a stand-in for a cloud. The next request
// meets the fault, once, or for ever.
type proxy struct {
	url   string
	fault atomic.Pointer[fault]
}

type fault struct {
	meet    func(w http.ResponseWriter, r *http.Request, forward http.Handler)
	forEver bool
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(r *http.Response) error { // the session of an upload leads through the proxy too
			if session, found := strings.CutPrefix(r.Header.Get("Location"), target); found {
				r.Header.Set("Location", p.url+session)
			}
			return nil
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := p.fault.Load()
		switch {
		case f == nil:
			forward.ServeHTTP(w, r)
		case f.forEver || p.fault.CompareAndSwap(f, nil):
			f.meet(w, r, forward)
		default:
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func status(code int) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(code)
	}
}

// stall reads the request and says nothing.
func stall(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// reset breaks the connection instead of an answer.
func reset(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = connection.(*net.TCPConn).SetLinger(0)
	_ = connection.Close()
}

// lose lets the request take effect, and breaks the connection then.
func lose(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	forward.ServeHTTP(httptest.NewRecorder(), r)
	reset(w, r, forward)
}

// cut sends half of the answer.
func cut(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	whole := httptest.NewRecorder()
	forward.ServeHTTP(whole, r)
	for name, values := range whole.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(whole.Code)
	_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// clouds opens the bucket "nightly" of each cloud behind a proxy. Their clients
// wait only briefly between their own tries.
var clouds = map[string]func(*testing.T) (*proxy, objstore.Driver){
	"gs": func(t *testing.T) (*proxy, objstore.Driver) {
		server, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Stop)
		server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "nightly"})
		p := startProxy(t, server.URL())
		t.Setenv("STORAGE_EMULATOR_HOST", p.url)
		d, err := gcs.Open(t.Context(), "nightly")
		if err != nil {
			t.Fatal(err)
		}
		return p, d
	},
	"s3": func(t *testing.T) (*proxy, objstore.Driver) {
		backend := s3mem.New()
		if err := backend.CreateBucket("nightly"); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(gofakes3.New(backend).Server())
		t.Cleanup(server.Close)
		p := startProxy(t, server.URL)
		return p, blob.NewS3(s3.New(s3.Options{
			BaseEndpoint: aws.String(p.url), Region: "us-east-1",
			Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
			Retryer:     awsretry.NewStandard(func(o *awsretry.StandardOptions) { o.MaxBackoff = time.Millisecond }),
		}), "nightly")
	},
	"azblob": func(t *testing.T) (*proxy, objstore.Driver) {
		server := emulator.Azure(t)
		server.Container(t, "nightly")
		e := server.Environment
		p := startProxy(t, "http://"+e["AZURE_STORAGE_DOMAIN"])
		account := e["AZURE_STORAGE_ACCOUNT"]
		options := &container.ClientOptions{}
		options.Retry = policy.RetryOptions{RetryDelay: time.Millisecond}
		client, err := container.NewClientFromConnectionString("DefaultEndpointsProtocol=http;AccountName="+account+
			";AccountKey="+e["AZURE_STORAGE_KEY"]+";BlobEndpoint="+p.url+"/"+account+";", "nightly", options)
		if err != nil {
			t.Fatal(err)
		}
		return p, blob.NewAzure(client)
	},
}

var faults = map[string]func(http.ResponseWriter, *http.Request, http.Handler){
	"503": status(http.StatusServiceUnavailable), "429": status(http.StatusTooManyRequests),
	"stall": stall, "reset": reset, "cut": cut,
}

// brief gives up a silent request soon, and tries for as long as usual.
var brief = retry.Patience{Silence: 2 * time.Second, Tries: 5, Pause: time.Millisecond, Total: time.Minute}

var content = bytes.Repeat([]byte("0123456789"), 50_000)

// Reads survive what goes wrong once, on every cloud.
func TestReadsOnEveryCloud(t *testing.T) {
	for cloud, start := range clouds {
		t.Run(cloud, func(t *testing.T) {
			p, d := start(t)
			b := objstore.New(retry.With(d, brief), cloud+"://nightly")
			if _, err := b.CreateBytes(t.Context(), "part", content); err != nil {
				t.Fatal(err)
			}
			a, err := b.Stat(t.Context(), "part")
			if err != nil {
				t.Fatal(err)
			}
			for name, meet := range faults {
				p.fault.Store(&fault{meet: meet})
				if listed, err := b.List(t.Context(), ""); err != nil || len(listed) != 1 {
					t.Errorf("%s: listed %v, %v", name, listed, err)
				}
				p.fault.Store(&fault{meet: meet})
				if got, err := whole(t, b, a); err != nil || !bytes.Equal(got, content) {
					t.Errorf("%s: read %d bytes, %v", name, len(got), err)
				}
			}
		})
	}
}

func whole(t *testing.T, b *objstore.Bucket, a objstore.Attrs) ([]byte, error) {
	t.Helper()
	r, err := b.Open(t.Context(), a)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

// Small conditional writes survive it too: the client repeats them, or the
// bucket finds its object there.
func TestWritesOnEveryCloud(t *testing.T) {
	for cloud, start := range clouds {
		t.Run(cloud, func(t *testing.T) {
			p, d := start(t)
			b := objstore.New(retry.With(d, brief), cloud+"://nightly")
			for name, meet := range map[string]func(http.ResponseWriter, *http.Request, http.Handler){
				"503": faults["503"], "429": faults["429"], "reset": reset, "lost": lose,
			} {
				w, err := b.Create(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				p.fault.Store(&fault{meet: meet})
				if _, err := io.WriteString(w, "data"); err != nil {
					t.Fatal(err)
				}
				written, err := w.Commit()
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				data, a, err := b.Read(t.Context(), name, 10)
				if string(data) != "data" || a.Generation != written.Generation || err != nil {
					t.Errorf("%s: got %q of %s, %v, written %s", name, data, a.Generation, err, written.Generation)
				}
			}
		})
	}
}

// A create whose answer is lost is not sent again to a place from which others take
// what is there: they would find it twice. Where it may be, they do.
func TestOnceOnEveryCloud(t *testing.T) {
	small, large := content[:100], bytes.Repeat(content, 20) // in one request, and in pieces
	for cloud, start := range clouds {
		for _, test := range []struct {
			name    string
			data    []byte
			once    bool
			visible int
		}{{"small", small, true, 0}, {"large", large, true, 0}, {"small, repeated", small, false, 1}} {
			t.Run(cloud+" "+test.name, func(t *testing.T) {
				p, d := start(t)
				if test.once {
					d = d.(interface{ Once() objstore.Driver }).Once()
				}
				b := objstore.New(retry.With(d, brief), cloud+"://nightly")
				w, err := b.Create(t.Context(), "part")
				if err != nil {
					t.Fatal(err)
				}
				p.fault.Store(&fault{meet: taking(b), forEver: true})
				_, err = w.Write(test.data)
				if err == nil {
					_, err = w.Commit()
				}
				if (err != nil) != test.once || objstore.Kind(err) != nil {
					t.Errorf("the create gave %v", err)
				}
				if there, err := b.List(t.Context(), ""); err != nil || len(there) != test.visible {
					t.Errorf("there are %v, %v", there, err)
				}
			})
		}
	}
}

// taking takes away the first object that becomes visible, before the answer to its
// create, which is lost.
func taking(b *objstore.Bucket) func(http.ResponseWriter, *http.Request, http.Handler) {
	var taken atomic.Bool
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if taken.Load() || r.Method != http.MethodPut && r.Method != http.MethodPost {
			forward.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		forward.ServeHTTP(answer, r)
		if b.Delete(r.Context(), "part", objstore.Any) == nil {
			taken.Store(true)
			reset(w, r, forward)
			return
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	}
}

// A cloud that is down for good ends in an error that says how often it was
// asked; a write that heard nothing may have happened.
func TestCloudThatStaysAway(t *testing.T) {
	for _, cloud := range []string{"s3", "azblob"} { // that of Google waits a minute of its own
		t.Run(cloud, func(t *testing.T) {
			p, d := clouds[cloud](t)
			b := objstore.New(retry.With(d, quick), cloud+"://nightly")
			p.fault.Store(&fault{meet: faults["503"], forEver: true})
			_, err := b.List(t.Context(), "")
			if err == nil || objstore.Kind(err) != nil || !bytes.Contains([]byte(err.Error()), []byte("tried 3 times")) {
				t.Errorf("list: got %v", err)
			}
			if _, err := b.CreateBytes(t.Context(), "entry", []byte("data")); err == nil || objstore.Kind(err) != nil {
				t.Errorf("create: got %v, expected a failure of no kind", err)
			}
		})
	}
}
