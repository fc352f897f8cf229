package main

import (
	"fmt"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/pipeline/delivery"
)

type deliverCommand struct {
	configFlags
	outputFlags
	workFlags
}

// Run delivers what is due.
func (c *deliverCommand) Run(t *terminal) error {
	all, err := c.deliver(t)
	if c.JSON {
		return t.answer(deliverResult(all, err), err)
	}
	printDeliveries(t, all)
	return err
}

func (c *deliverCommand) deliver(t *terminal) ([]*delivery.Outcome, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	engine, temp, err := c.engine()
	if err != nil {
		return nil, err
	}
	all, err := jobs.Deliver(t.ctx, cfg, jobs.DeliverOptions{Now: time.Now(), NewRun: newRun, Temp: temp, Memory: engine.Memory})
	return all, t.interruption(err)
}

// deliverJSON is the object of deliver --json.
type deliverJSON struct {
	Status     string              `json:"status"`
	Deliveries []*delivery.Outcome `json:"deliveries"`
	Error      *errorJSON          `json:"error,omitempty"`
}

func deliverResult(all []*delivery.Outcome, err error) deliverJSON {
	r := deliverJSON{Status: "delivered", Deliveries: all}
	if err != nil {
		r.Status, r.Error = errorOf(err)
	}
	return r
}

func printDeliveries(t *terminal, all []*delivery.Outcome) {
	for _, o := range all {
		_, _ = fmt.Fprintf(t.stdout, "delivery %s: %s: %s\n", o.Delivery, o.Did, o.Why)
		if o.Intent == nil {
			continue
		}
		c := o.Intent.Counts
		_, _ = fmt.Fprintf(t.stdout, "  number %d, %s, %s: %s members = %s before + %s entered - %s left; %s moved\n", o.Intent.N, o.Intent.Kind, o.Intent.Date,
			count(c.Now), count(c.Previous), count(c.Entered), count(c.Left), count(c.Moved))
		for k, f := range o.Intent.Files {
			fate := ""
			if k < len(o.Fates) {
				fate = string(o.Fates[k])
			}
			_, _ = fmt.Fprintf(t.stdout, "  %-9s %s: %s rows, %s bytes\n", fate, f.Name, count(f.Rows), count(f.Bytes))
		}
	}
}
