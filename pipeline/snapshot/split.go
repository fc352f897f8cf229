package snapshot

// SplitRows is about how many rows a split takes by default.
const SplitRows = 1 << 20

// Range is row groups of one part that follow one another.
type Range struct {
	Part   int   // index into the snapshot's parts
	Group  int   // first row group
	Groups int   // how many
	Row    int64 // rows of the part that lie before the first group
	Rows   int64
}

// Split is the unit of work on any engine: row groups that follow one another,
// about as many rows as Cut is told, reaching over several parts where these are small. Each
// split gives at most one shard of every output table.
type Split struct {
	Index  int
	First  int64 // number of its first row in the snapshot
	Rows   int64
	Ranges []Range
}

// Cut divides the parts into splits of about so many rows. It depends on the footers alone, so every
// engine and every number of workers gets the same splits. A row group belongs
// to the split into which its first row falls when the rows are divided evenly.
func Cut(parts []Part, rows int64) []Split {
	total := int64(0)
	for _, p := range parts {
		total += p.Rows
	}
	n := max(1, (total+rows/2)/rows)
	var splits []Split
	last, row := int64(-1), int64(0)
	for p, part := range parts {
		inPart := int64(0)
		for g, groupRows := range part.GroupRows {
			if groupRows == 0 {
				continue
			}
			if at := row * n / total; at != last {
				splits = append(splits, Split{Index: len(splits), First: row})
				last = at
			}
			splits[len(splits)-1].add(Range{Part: p, Group: g, Groups: 1, Row: inPart, Rows: groupRows})
			row += groupRows
			inPart += groupRows
		}
	}
	return splits
}

func (s *Split) add(r Range) {
	s.Rows += r.Rows
	if k := len(s.Ranges) - 1; k >= 0 {
		last := &s.Ranges[k]
		if last.Part == r.Part && last.Group+last.Groups == r.Group {
			last.Groups++
			last.Rows += r.Rows
			return
		}
	}
	s.Ranges = append(s.Ranges, r)
}
