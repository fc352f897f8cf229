package main

import (
	"fmt"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/pipeline"
	"github.com/churntier/churntier/pipeline/gate"
)

type verifyCommand struct {
	configFlags
	outputFlags
	Date string `default:"all" placeholder:"YYYY-MM-DD|all" help:"The date to verify."`
}

// Run reads again what is committed.
func (c *verifyCommand) Run(t *terminal) error {
	verified, err := c.verify(t)
	if err == nil {
		err = verified.Err()
	}
	if c.JSON {
		return t.answer(verifyResult(verified, err), err)
	}
	if verified != nil {
		printVerified(t, verified)
	}
	return err
}

func (c *verifyCommand) verify(t *terminal) (*pipeline.Verified, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	progress := newProgress(t, c.outputFlags)
	defer progress.Close()
	verified, err := jobs.Verify(t.ctx, cfg, c.Date, progress)
	return verified, t.interruption(err)
}

// verifyJSON is the object of verify --json.
type verifyJSON struct {
	Status string `json:"status"`
	*pipeline.Verified
	Error *errorJSON `json:"error,omitempty"`
}

func verifyResult(v *pipeline.Verified, err error) verifyJSON {
	r := verifyJSON{Status: "verified", Verified: v}
	if err != nil {
		r.Status, r.Error = errorOf(err)
	}
	return r
}

func printVerified(t *terminal, v *pipeline.Verified) {
	for _, d := range v.Damages {
		_, _ = fmt.Fprintf(t.stdout, "damaged  %s\n         %s\n", d.URL, d.Problem)
	}
	_, _ = fmt.Fprintf(t.stdout, "dates: %d; published runs: %d, expired of them: %d; files: %d with %s rows in %s bytes; damages: %d\n",
		v.Dates, v.Runs, v.Expired, v.Files, gate.Count(v.Rows), gate.Count(v.Bytes), len(v.Damages))
}
