package spill

// Writer puts records into the partitions of a store. Each goroutine has its
// own.
type Writer struct {
	store  *Store
	chunks [][]byte // one being filled for each partition; room for the header first
	closed bool
}

// Writer gives a new writer, to be closed when its last record is in.
func (s *Store) Writer() *Writer {
	s.writers.Add(1)
	return &Writer{store: s, chunks: make([][]byte, len(s.partitions))}
}

// Reserve gives room for one record of n bytes in a partition. The caller fills
// all of it before the next call of any method.
func (w *Writer) Reserve(partition, n int) ([]byte, error) {
	chunk := w.chunks[partition]
	if len(chunk)+n > cap(chunk) {
		if err := w.turnOver(partition, n); err != nil {
			return nil, err
		}
		chunk = w.chunks[partition]
	}
	start := len(chunk)
	w.chunks[partition] = chunk[:start+n]
	return w.chunks[partition][start:], nil
}

// turnOver hands over what was collected for a partition and makes room for n
// bytes.
func (w *Writer) turnOver(partition, n int) error {
	if err := w.handOver(partition); err != nil {
		return err
	}
	want := headerSize + max(n, w.store.options.Buffer)
	if cap(w.chunks[partition]) != want {
		w.chunks[partition] = make([]byte, headerSize, want)
	}
	return nil
}

func (w *Writer) handOver(partition int) error {
	chunk := w.chunks[partition]
	if len(chunk) <= headerSize {
		return nil
	}
	w.chunks[partition] = chunk[:headerSize]
	return w.store.add(partition, chunk)
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
