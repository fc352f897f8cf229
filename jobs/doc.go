// Package jobs is what starts a run: one night by hand or by cron, many nights of a
// backfill, a check before them, and the questions asked after them. A job turns a
// config into nights of the pipeline; it is given an engine and does not choose one.
// What is due (DueDates) is a function of the calendar and of what is published; Serve
// does it by the clock.
package jobs
