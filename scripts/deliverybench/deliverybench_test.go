//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
)

// The short form of the measurement: what three tools receive of two nights is what SQL
// says, with the least memory.
func TestDeliveries(t *testing.T) {
	const peers = "../peers"
	if _, err := os.Stat(peers + "/node_modules"); err != nil {
		t.Skip("scripts/peers/install was not run: DuckDB is not here")
	}
	var out strings.Builder
	c := command{Users: 200_000, Memory: []string{"16MiB"}, Rounds: 1, Folder: t.TempDir(), Peers: peers}
	if err := c.run(&out); err != nil {
		t.Fatal(err)
	}
	if full, changes := strings.Count(out.String(), "| full |"), strings.Count(out.String(), "| changes |"); full != len(tools) || changes != len(tools) {
		t.Errorf("measured %d full deliveries and %d of changes:\n%s", full, changes, out.String())
	}
	t.Log("\n" + out.String())
}
