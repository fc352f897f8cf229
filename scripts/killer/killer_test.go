//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// shared is the lab of all tests.
var shared *lab

func TestMain(m *testing.M) { os.Exit(withLab(m.Run)) }

func withLab(tests func() int) int {
	folder, err := os.MkdirTemp("", "killer-")
	if err == nil {
		defer os.RemoveAll(folder)
		shared, err = newLab(folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return tests()
}

func TestNothingIsTornLostOrPublishedTwiceOnLocalFiles(t *testing.T) { kill(t, "local", 60) }

func TestNothingIsTornLostOrPublishedTwiceOnTheEmulator(t *testing.T) { kill(t, "gcs", 15) }

func kill(t *testing.T, store string, kills int) {
	c := newCampaign(shared, homes(t, store), 1)
	err := c.run(kills)
	skipWithoutHold(t, err)
	var report strings.Builder
	c.print(&report)
	t.Log(report.String())
	if err != nil || len(c.violations) > 0 || len(c.scarce()) > 0 {
		t.Errorf("%v; %d violations; too few kills in %v", err, len(c.violations), c.scarce())
	}
}

func homes(t *testing.T, store string) func() place {
	t.Helper()
	next, stop, err := shared.homes(store)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return next
}

func skipWithoutHold(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, errNoHold) {
		t.Skip(err)
	}
}
