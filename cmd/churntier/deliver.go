package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/churntier/churntier/jobs"
	"github.com/churntier/churntier/jobs/config"
	"github.com/churntier/churntier/pipeline/delivery"
	"github.com/churntier/churntier/pipeline/gate"
)

type deliverCommand struct {
	configFlags
	outputFlags
	workFlags
	metricsFlags
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
	start := time.Now()
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	all, err := deliver(t, cfg, c.workFlags)
	newTelling(t, c.logger(t), c.metricsFlags).observe(cfg, jobs.Attempt{
		Prediction: cfg.Prediction, Started: start, Seconds: time.Since(start).Seconds(), Deliveries: all, Err: err,
	})
	return all, err
}

// deliver sends what is due.
func deliver(t *terminal, cfg *config.Config, f workFlags) (all []*delivery.Outcome, err error) {
	err = f.delivering(func(o jobs.DeliverOptions) error {
		all, err = jobs.Deliver(t.ctx, cfg, o)
		return err
	})
	return all, t.interruption(err)
}

// delivering gives what an attempt to deliver needs, for as long as it lasts.
func (f workFlags) delivering(do func(jobs.DeliverOptions) error) error {
	engine, err := f.engine()
	if err != nil {
		return err
	}
	temp, err := f.sharedTemp()
	if err != nil {
		return err
	}
	return do(jobs.DeliverOptions{Now: time.Now(), NewRun: newRun, Temp: temp, Memory: engine.Memory, Workers: engine.Workers, Engine: engine})
}

type redeliverCommand struct {
	configFlags
	outputFlags
	workFlags
	Name   string `arg:"" placeholder:"NAME" help:"The delivery."`
	Date   string `required:"" placeholder:"YYYY-MM-DD" help:"The date that was delivered last."`
	Reason string `required:"" placeholder:"TEXT" help:"Why; kept in the log."`
}

// Run sends on purpose what was sent, or may have been sent, before.
func (c *redeliverCommand) Run(t *terminal) error {
	var out *delivery.Outcome
	cfg, err := c.load()
	if err == nil {
		err = c.delivering(func(o jobs.DeliverOptions) error {
			out, err = jobs.Redeliver(t.ctx, cfg, c.Name, c.Date, c.Reason, o)
			return err
		})
	}
	all := []*delivery.Outcome{}
	if out != nil {
		all = append(all, out)
	}
	err = t.interruption(err)
	if c.JSON {
		return t.answer(deliverResult(all, err), err)
	}
	printDeliveries(t, all)
	return err
}

// deliverJSON is the object of deliver --json.
type deliverJSON struct {
	Status     string              `json:"status"`
	Deliveries []*delivery.Outcome `json:"deliveries"`
	Error      *errorJSON          `json:"error,omitempty"`
}

func deliverResult(all []*delivery.Outcome, err error) deliverJSON {
	r := deliverJSON{Status: "delivered", Deliveries: append([]*delivery.Outcome{}, all...)}
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
			gate.Count(c.Now), gate.Count(c.Previous), gate.Count(c.Entered), gate.Count(c.Left), gate.Count(c.Moved))
		for _, rule := range slices.Sorted(maps.Keys(o.Intent.Unsendable)) {
			_, _ = fmt.Fprintf(t.stdout, "  not sent  %s users: %s, listed in %s\n", gate.Count(o.Intent.Unsendable[rule]), rule, o.Intent.UnsendableRows[0].Key)
		}
		for k, f := range o.Intent.Files {
			fate := ""
			if k < len(o.Fates) {
				fate = string(o.Fates[k])
			}
			_, _ = fmt.Fprintf(t.stdout, "  %-9s %s: %s rows, %s bytes\n", fate, f.Name, gate.Count(f.Rows), gate.Count(f.Bytes))
		}
	}
}
