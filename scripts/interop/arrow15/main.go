// Command arrow15 writes snapshots and reads published files with
// github.com/apache/arrow/go/v15, the library of teams that have not moved to
// arrow-go yet. It is a foreign peer for tests: nothing of the product uses it.
package main

import "github.com/churntier/churntier/scripts/interop/internal/program"

func main() {
	program.Main(program.Peer{
		Name:  "arrow15",
		About: "Write snapshots and read published files with github.com/apache/arrow/go/v15.",
		Write: writeFile,
		Read:  readFile,
	})
}
