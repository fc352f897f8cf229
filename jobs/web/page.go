package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/date"
)

//go:embed page.html
var pageText string

//go:embed page.css
var style string

// styleHash is what the page's own style is known by; no other one, and no script, is let in.
var styleHash = func() string {
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}()

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(style) },
}).Parse(pageText))

// page is the page about all predictions. What the store says is asked once for all who look within
// keptFor.
type page struct {
	options Options

	mu      sync.Mutex
	text    []byte
	written time.Time
}

const (
	keptFor  = 10 * time.Second
	patience = 20 * time.Second // for the store
	atOnce   = 4                // predictions that the store is asked about
)

// ServeHTTP implements http.Handler.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := p.current(r.Context())
	if err != nil {
		say(w, http.StatusInternalServerError, "the page could not be made")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(text) // who asked may have gone
}

func (p *page) current(ctx context.Context) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.options.Now()
	if p.text != nil && now.Sub(p.written) < keptFor {
		return p.text, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	cfgs := p.options.Predictions()
	all := make([]prediction, len(cfgs))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, cfg := range cfgs {
		group.Go(func() error {
			all[i] = look(ctx, cfg, now)
			return nil
		})
	}
	_ = group.Wait() // each says itself what went wrong
	ready := ""
	if err := p.options.Ready(); err != nil {
		ready = err.Error()
	}
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, struct {
		Now         time.Time
		NotReady    string
		Predictions []prediction
	}{now.UTC(), ready, all})
	if err == nil {
		p.text, p.written = out.Bytes(), now
	}
	return p.text, err
}

// prediction is what the page says of one.
type prediction struct {
	Name, Mode string
	Next       *jobs.Due  // nil where there is none
	Due        []jobs.Due // and not published
	Zone       *time.Location
	Shown      *jobs.Shown // nil where nothing is published or it could not be read
	Trouble    string
}

func look(ctx context.Context, cfg *config.Config, now time.Time) prediction {
	p := prediction{Name: cfg.Prediction, Mode: cfg.Mode, Zone: cfg.Timezone}
	shown, err := jobs.Show(ctx, cfg, "latest")
	if err != nil {
		p.Trouble = err.Error()
	}
	p.Shown = shown
	for _, d := range jobs.DueDates(cfg, now, decided(shown)) {
		if d.State == jobs.NotYet {
			p.Next = &d
			continue
		}
		p.Due = append(p.Due, d)
	}
	return p
}

// decided gives the dates that nothing is to be done for any more.
func decided(s *jobs.Shown) []date.Date {
	if s == nil {
		return nil
	}
	var all []date.Date
	for _, n := range s.History {
		if n.Decided() {
			all = append(all, n.Date)
		}
	}
	return all
}

// Local gives a time in the zone of the prediction.
func (p prediction) Local(t time.Time) string { return t.In(p.Zone).Format("2006-01-02 15:04 MST") }
