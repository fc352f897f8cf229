package config

import (
	"fmt"
	"slices"
)

// distinctExtensions says that no two files of an audience have the same name.
func distinctExtensions(r *reading, path string, n *node) {
	seen := map[string]bool{}
	for i, item := range n.items {
		extension, ok := valueOf[string](item, "format")
		if compressed, _ := valueOf[bool](item, "gzip"); compressed {
			extension += ".gz"
		}
		if ok && seen[extension] {
			r.add(item.get("format").at, under(element(path, i), "format"), "found "+extension+" a second time", "each extension once")
		}
		seen[extension] = true
	}
}

func formulaOnlyInCSV(r *reading, path string, n *node) {
	format, ok := valueOf[string](n, "format")
	if formula := n.get("formula"); ok && format != FormatCSV && formula.at != (place{}) {
		r.add(formula.at, path, fmt.Sprintf("found formula in a %s file", format), "formula only with format: csv")
	}
}

func gzipNotInParquet(r *reading, path string, n *node) {
	format, _ := valueOf[string](n, "format")
	if compressed, _ := valueOf[bool](n, "gzip"); compressed && format == FormatParquet {
		r.add(n.get("gzip").at, path, "found gzip in a parquet file, whose pages publish.compression compresses", "gzip only with format: csv or jsonl")
	}
}

// parquetMapsID says that the members file of an audience holds the user id.
func parquetMapsID(r *reading, _ string, n *node) {
	id, ok := valueOf[string](n.get("snapshot"), "id")
	audiences := n.get("audiences")
	if !ok || audiences == nil {
		return
	}
	for i, audience := range audiences.items {
		files := audience.get("files")
		if files == nil {
			continue
		}
		for j, file := range files.items {
			fileMapsID(r, fmt.Sprintf("audiences[%d].files[%d].columns", i, j), file, id)
		}
	}
}

func fileMapsID(r *reading, path string, file *node, id string) {
	format, _ := valueOf[string](file, "format")
	columns, ok := valueOf[[]OutColumn](file, "columns")
	isID := func(c OutColumn) bool { return c.From == id && c.Hash == "" && c.Normalise == "" }
	if ok && format == FormatParquet && !slices.ContainsFunc(columns, isID) {
		r.add(file.get("columns").at, path, "found no column from "+id, id+": "+id+", as a parquet file holds the user id")
	}
}
