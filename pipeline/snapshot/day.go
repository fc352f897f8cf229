package snapshot

import (
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/churntier/churntier/pipeline/date"
)

// CheckDay says whether a column holds days: a date or a timestamp.
func CheckDay(t arrow.DataType) error {
	switch t.ID() {
	case arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP:
		return nil
	}
	return fmt.Errorf("is %s; snapshot.as_of needs a date or a timestamp", t)
}

// NewestDay gives the newest day of a column that passes CheckDay, or no date
// when every value is null. An instant (a timestamp adjusted to UTC) falls on its
// day in zone; a timestamp without a zone is taken as written.
func NewestDay(column arrow.Array, zone *time.Location) date.Date {
	newest, any := int64(0), false
	for i := range column.Len() {
		if column.IsNull(i) {
			continue
		}
		if v := instant(column, i); !any || v > newest {
			newest, any = v, true
		}
	}
	if !any {
		return date.Date{}
	}
	switch t := column.DataType().(type) {
	case *arrow.Date32Type:
		return date.FromDays(int32(newest))
	case *arrow.TimestampType:
		at := arrow.Timestamp(newest).ToTime(t.Unit)
		if t.TimeZone != "" {
			at = at.In(zone)
		}
		return date.Of(at)
	}
	return date.Of(arrow.Date64(newest).ToTime())
}

func instant(column arrow.Array, i int) int64 {
	switch c := column.(type) {
	case *array.Date32:
		return int64(c.Value(i))
	case *array.Date64:
		return int64(c.Value(i))
	case *array.Timestamp:
		return int64(c.Value(i))
	}
	return 0
}
