// Command xitongsys writes snapshots and reads published files with
// github.com/xitongsys/parquet-go, a reader and writer that shares no code with
// Arrow. It is a foreign peer for tests, and wrote the snapshots in fixtures:
// nothing of the product uses it.
package main

import "github.com/churntier/churntier/scripts/interop/internal/program"

func main() {
	program.Main(program.Peer{
		Name:  "xitongsys",
		About: "Write snapshots and read published files with github.com/xitongsys/parquet-go.",
		Write: writeFile,
		Read:  readFile,
	})
}
