package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/churntier/churntier/jobs"
)

type healthCommand struct {
	URL string `name:"url" default:"http://127.0.0.1:8080/healthz" placeholder:"URL" help:"What to ask; /readyz in place of /healthz also says whether it looks after nights."`
}

// healthPatience is what a server that lives needs at most to say so.
const healthPatience = 3 * time.Second

var errUnhealthy = errors.New("no healthy server")

// Run asks a server whether it lives.
func (c *healthCommand) Run(t *terminal) error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%w: --url: want an http:// or https:// URL", jobs.ErrUsage)
	}
	request, err := http.NewRequestWithContext(t.ctx, http.MethodGet, c.URL, http.NoBody)
	if err != nil {
		return fmt.Errorf("%w: --url: %w", jobs.ErrUsage, err)
	}
	client := &http.Client{Timeout: healthPatience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnhealthy, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s answered %s", errUnhealthy, c.URL, answer.Status)
	}
	return nil
}
