package spill

// Writer puts records into the partitions of a store. Each goroutine has its
// own.
type Writer struct {
	store  *Store
	chunks [][]byte // one for each partition, of full length; room for the header first
	used   []int    // bytes of each, its header's included
	closed bool
}

// Writer gives a new writer, to be closed when its last record is in.
func (s *Store) Writer() *Writer {
	s.writers.Add(1)
	return &Writer{store: s, chunks: make([][]byte, len(s.partitions)), used: make([]int, len(s.partitions))}
}

// Reserve gives room for one record of n bytes in a partition. The caller fills
// all of it before the next call of any method.
func (w *Writer) Reserve(partition, n int) ([]byte, error) {
	if w.used[partition]+n > len(w.chunks[partition]) {
		if err := w.turnOver(partition, n); err != nil {
			return nil, err
		}
	}
	start := w.used[partition]
	w.used[partition] += n
	return w.chunks[partition][start : start+n], nil
}

// turnOver hands over what was collected for a partition and makes room for n
// bytes.
func (w *Writer) turnOver(partition, n int) error {
	if err := w.handOver(partition); err != nil {
		return err
	}
	want := max(headerSize+n, w.store.options.Buffer)
	if len(w.chunks[partition]) != want {
		w.chunks[partition] = make([]byte, want)
	}
	return nil
}

// handOver empties the chunk of a partition.
func (w *Writer) handOver(partition int) error {
	records := w.chunks[partition][:w.used[partition]]
	w.used[partition] = headerSize
	if len(records) <= headerSize {
		return nil
	}
	return w.store.add(partition, records)
}

// Close hands over what is left and frees the buffers. Only the first call has
// an effect. After an error the store lacks records: readers get that error.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	defer w.store.writers.Add(-1)
	for partition := range w.chunks {
		if err := w.handOver(partition); err != nil {
			return err
		}
	}
	w.chunks = nil
	return nil
}
