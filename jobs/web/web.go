// Package web answers over HTTP what a process that serves knows: whether it lives and is
// ready, its metrics, and a plain page about its predictions. It only reads.
package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/churntier/churntier/jobs/config"
)

// Options are what the answers are made of.
type Options struct {
	Predictions func() []*config.Config // as they are served now
	Ready       func() error            // nil when nights are looked after, or why they are not
	Metrics     http.Handler
	Now         func() time.Time
}

// Handler answers /healthz, /readyz, /metrics and /, the page. Anything else is not
// found, and nothing but reading is allowed.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := o.Ready(); err != nil {
			say(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
			return
		}
		say(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", o.Metrics)
	mux.Handle("GET /{$}", &page{options: o})
	return guarded(mux)
}

func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text + "\n")) // who asked may have gone
}

// guarded lets no page of another site use an answer, and nothing keep it.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, v := range map[string]string{
			"Cache-Control":                "no-store",
			"Content-Security-Policy":      "default-src 'none'; style-src '" + styleHash + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Referrer-Policy":              "no-referrer",
			"X-Content-Type-Options":       "nosniff",
		} {
			w.Header().Set(name, v)
		}
		h.ServeHTTP(w, r)
	})
}

// Limits of a connection.
const (
	headerPatience = 5 * time.Second
	readPatience   = 10 * time.Second
	writePatience  = time.Minute // more than a page takes
	idlePatience   = 2 * time.Minute
	headerLimit    = 16 << 10
	lastAnswers    = 5 * time.Second
)

// Serve answers on l until ctx ends; then what is under way has a few seconds left. On
// an address of this machine alone, only requests for a name of it are answered: a
// site whose name was made to lead here, to read the answers in a browser of this
// machine, asks for its own name.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	if at, ok := l.Addr().(*net.TCPAddr); ok && at.IP.IsLoopback() {
		h = forThisMachine(h)
	}
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headerPatience, ReadTimeout: readPatience, WriteTimeout: writePatience,
		IdleTimeout: idlePatience, MaxHeaderBytes: headerLimit,
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
		defer cancel()
		stopped <- s.Shutdown(last)
	})
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	return <-stopped
}

func forThisMachine(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			say(w, http.StatusMisdirectedRequest, "this is not that host")
			return
		}
		h.ServeHTTP(w, r)
	})
}
