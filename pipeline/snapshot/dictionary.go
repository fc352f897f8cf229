package snapshot

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// dictionary holds the distinct texts of one column chunk in the order of its
// dictionary page. Its memory is never reused, so arrays may keep it.
type dictionary struct {
	ends  []int32 // text i is bytes[ends[i]:ends[i+1]]
	bytes []byte
	array *array.Data
}

// newDictionary reads a page of n texts: each its length in four bytes, then itself.
func newDictionary(page []byte, n int, longest int64) (*dictionary, error) {
	if n > len(page)/4 {
		return nil, fmt.Errorf("found a dictionary of %d texts in %d bytes", n, len(page))
	}
	d := &dictionary{ends: make([]int32, 1, n+1), bytes: make([]byte, 0, len(page)-4*n)}
	for i := range n {
		if len(page) < 4 {
			return nil, fmt.Errorf("found a dictionary that ends at text %d of %d", i, n)
		}
		length, rest := binary.LittleEndian.Uint32(page), page[4:]
		if int64(length) > longest {
			return nil, tooLong(int64(length), longest)
		}
		if int64(length) > int64(len(rest)) {
			return nil, fmt.Errorf("found a dictionary that ends at text %d of %d", i, n)
		}
		d.bytes = append(d.bytes, rest[:length]...)
		d.ends = append(d.ends, int32(len(d.bytes)))
		page = rest[length:]
	}
	return d, nil
}

func tooLong(found, longest int64) error {
	return fmt.Errorf("found a value of %d bytes, more than the limit of %d", found, longest)
}

func (d *dictionary) len() int { return len(d.ends) - 1 }

func (d *dictionary) text(i int32) []byte { return d.bytes[d.ends[i]:d.ends[i+1]] }

// data gives the texts as a String, the same one at every call.
func (d *dictionary) data() *array.Data {
	if d.array == nil {
		d.array = array.NewData(arrow.BinaryTypes.String, d.len(), []*memory.Buffer{
			nil, memory.NewBufferBytes(arrow.GetBytes(d.ends)), memory.NewBufferBytes(d.bytes),
		}, nil, 0, 0)
	}
	return d.array
}
