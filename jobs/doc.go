// Package jobs is what starts a run: one night by hand or by cron, a check before
// it, and the questions asked after it. A job turns a config into a night of the
// pipeline; it is given an engine and does not choose one.
package jobs
