package forest

// limits bound what a model file may ask for. They are far above what anyone
// trains, and low enough that reading takes no more than a few times the bytes of the largest
// file.
type limits struct {
	file       int // bytes
	trees      int
	nodes      int // of all trees, leaves included
	depth      int // of a tree: splits from the root to a leaf
	features   int
	categories int // names stored for all categorical features
	// bytes of the names of one feature's categories
	categoryBytes int
	setWords      int // 32-bit words of all category sets
}

func defaultLimits() limits {
	return limits{
		file:       256 << 20,
		trees:      100_000,
		nodes:      10_000_000,
		depth:      1_000,
		features:   10_000,
		categories: 1_000_000,

		categoryBytes: 16 << 20,
		setWords:      16 << 20,
	}
}

// numbersPerNode bounds the numbers kept of a document, by its nodes: six
// arrays with one number a node, and the categories.
const numbersPerNode = 8

// checkCount refuses a count above a limit.
func checkCount(n, limit int, what string) error {
	if n > limit {
		return unsupported("%d %s, more than the %d that are read: train a smaller model", n, what, limit)
	}
	return nil
}
