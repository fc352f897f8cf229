// Package config reads the YAML file that configures one prediction, checks it
// and describes it.
//
// The file is described once, in the table of keys.go: names, kinds of values,
// defaults and a sentence for people. The reader, the defaults, the suggestions for
// a mistyped key and the JSON schema all come from that table.
//
// A file goes through four steps: parse turns text into a tree of nodes that
// remember their line, override applies the --set flags to the tree, the
// table's kinds read the tree (check it, fill in defaults, leave a Go value in
// each node), and decode copies the values into a [Config]. Faults are gathered,
// not returned one by one, so that a person sees all of them at once.
package config
