package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// eager is a bucket of which a tool takes every file the moment that it arrives. The
// answer to its create is lost.
type eager struct {
	forward http.Handler
	arrived atomic.Int64 // files
}

func newEager(t *testing.T) *eager {
	t.Helper()
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "crm"})
	to, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	e := &eager{forward: httputil.NewSingleHostReverseProxy(to)}
	proxy := httptest.NewServer(e)
	t.Cleanup(proxy.Close)
	t.Setenv("STORAGE_EMULATOR_HOST", proxy.URL)
	return e
}

func (e *eager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/upload/") {
		e.forward.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	e.forward.ServeHTTP(answer, r)
	if answer.Code == http.StatusOK {
		e.arrived.Add(1)
		take := httptest.NewRequest(http.MethodDelete, "/storage/v1/b/crm/o/"+url.PathEscape(r.URL.Query().Get("name")), nil)
		e.forward.ServeHTTP(httptest.NewRecorder(), take)
	}
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = connection.(*net.TCPConn).SetLinger(0) // a reset, which clients take for a reason to try again
	_ = connection.Close()
}

// A file that a tool has taken before its answer was heard is uncertain, and never
// put a second time: not by the client of the cloud, nor by anybody who delivers.
func TestTakenFileIsNotPutAgain(t *testing.T) {
	tool := newEager(t)
	p, ago := deliveryPlace(t)
	p.ordinary(ago(1), 300)
	to := []string{"--set", "deliveries.0.to=gs://crm/inbox"}
	p.night(to...).expect(t, exitFailed, "is uncertain and will not be sent again")
	for range 2 {
		p.operate("deliver", to...).expect(t, exitDone)
	}
	p.operate("show", to...).expect(t, exitDone, "uncertain")
	if n := tool.arrived.Load(); n != 1 {
		t.Errorf("%d files arrived, expected one", n)
	}
}
