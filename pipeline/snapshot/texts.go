package snapshot

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

const (
	// maxDistinct is how many texts a dictionary may have to be given out as one;
	// with more than a batch has rows it saves nothing.
	maxDistinct = BatchRows
	// maxBatchText bounds the text of one column in one batch, which dictionary
	// indices can make far larger than its pages.
	maxBatchText = 256 << 20
	// maxDeltaText bounds what arrow-go allocates in one call to undo DELTA_BYTE_ARRAY,
	// where each value may repeat all of the page.
	maxDeltaText = 256 << 20
)

var dictionaryType = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

// texts is a vector of text. As long as a batch has indices into a small dictionary
// only, it stays a dictionary; the first other page makes it plain.
type texts struct {
	pages   *pages
	indices []int32
	views   []parquet.ByteArray
	count   int
	plain   bool
	ends    []int32 // once plain: text i is bytes[ends[i]:ends[i+1]]
	bytes   []byte
}

func newTexts(p *pages) vector {
	return &texts{
		pages: p, indices: make([]int32, BatchRows), views: make([]parquet.ByteArray, BatchRows),
		ends: make([]int32, BatchRows+1),
	}
}

func (t *texts) reset() { t.count, t.plain, t.bytes = 0, false, t.bytes[:0] }

func (t *texts) decode(run file.ColumnChunkReader, n int, levels []int16) (int64, int, error) {
	if t.pages.indexed {
		return t.decodeIndices(run, n, levels)
	}
	if err := t.makePlain(); err != nil {
		return 0, 0, err
	}
	views := t.views[:t.step(n)]
	took, values, err := asStored(run, views, levels)
	if err != nil {
		return 0, 0, err
	}
	return took, values, t.appendViews(views[:values])
}

// step is how many rows to decode at once.
func (t *texts) step(n int) int {
	if h := &t.pages.header; h.encoding == parquet.Encodings.DeltaByteArray {
		return max(1, min(n, maxDeltaText/max(1, int(h.size))))
	}
	return n
}

func (t *texts) decodeIndices(run file.ColumnChunkReader, n int, levels []int16) (int64, int, error) {
	if d := t.pages.distinct; d != nil && d.len() > maxDistinct {
		t.plain = true
	}
	indices := t.indices[t.count : t.count+n]
	took, values, err := asStored(run, indices, levels)
	if err != nil {
		return 0, 0, err
	}
	if t.plain {
		return took, values, t.appendIndexed(indices[:values])
	}
	t.count += values
	return took, values, nil
}

// makePlain turns what was collected as indices into text.
func (t *texts) makePlain() error {
	if t.plain {
		return nil
	}
	indices := t.indices[:t.count]
	t.plain, t.count = true, 0
	return t.appendIndexed(indices)
}

func (t *texts) appendIndexed(indices []int32) error {
	d, total := t.pages.distinct, 0
	for _, i := range indices {
		total += len(d.text(i))
	}
	if err := t.grow(total); err != nil {
		return err
	}
	bytes, ends := t.bytes, t.ends[t.count+1:]
	for at, i := range indices {
		bytes = append(bytes, d.text(i)...)
		ends[at] = int32(len(bytes))
	}
	t.bytes, t.count = bytes, t.count+len(indices)
	return nil
}

func (t *texts) appendViews(views []parquet.ByteArray) error {
	longest, total := 0, 0
	for _, v := range views {
		longest = max(longest, len(v))
		total += len(v)
	}
	if int64(longest) > t.pages.limits.Value {
		return tooLong(int64(longest), t.pages.limits.Value)
	}
	if err := t.grow(total); err != nil {
		return err
	}
	bytes, ends := t.bytes, t.ends[t.count+1:]
	for at, v := range views {
		bytes = append(bytes, v...)
		ends[at] = int32(len(bytes))
	}
	t.bytes, t.count = bytes, t.count+len(views)
	return nil
}

// grow makes room for n bytes of text.
func (t *texts) grow(n int) error {
	if n > maxBatchText-len(t.bytes) {
		return tooMuchText()
	}
	t.bytes = slices.Grow(t.bytes, n)
	return nil
}

func tooMuchText() error {
	return fmt.Errorf("found more than %d bytes of text in %d rows", maxBatchText, BatchRows)
}

func (t *texts) array(n rows) arrow.Array {
	if !t.plain && t.pages.distinct != nil {
		return t.dictionary(n)
	}
	t.spreadEnds(n)
	return newArray(arrow.BinaryTypes.String, n,
		memory.NewBufferBytes(arrow.GetBytes(t.ends[:n.count+1])), memory.NewBufferBytes(t.bytes))
}

// spreadEnds moves the ends of the texts to the rows that have one; a null ends
// where the text before it does.
func (t *texts) spreadEnds(n rows) {
	count := t.count
	for i := n.count; n.nulls > 0 && i > 0; i-- {
		t.ends[i] = t.ends[count]
		count -= int(n.levels[i-1])
	}
}

func (t *texts) dictionary(n rows) arrow.Array {
	spread(t.indices, t.count, n)
	data := array.NewDataWithDictionary(dictionaryType, n.count,
		[]*memory.Buffer{n.validity, memory.NewBufferBytes(arrow.GetBytes(t.indices[:n.count]))},
		n.nulls, 0, t.pages.distinct.data())
	defer data.Release()
	return array.MakeFromData(data)
}
