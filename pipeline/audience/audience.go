package audience

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/churntier/churntier/pipeline/date"
	"github.com/churntier/churntier/pipeline/filter"
)

// maxHundredths is the highest score, 100.00; anything above is no score.
const maxHundredths = 10_000

// Block is one record batch and what was computed for its rows. Every slice has
// one entry a row; a slice that no column of the layout asks for may be nil.
// An encoder keeps nothing of a block after Write has returned.
type Block struct {
	Batch       arrow.RecordBatch // the wanted snapshot columns, found by name
	Probability []float64         // in [0, 1]; NaN where there is none
	Hundredths  []uint16          // the score, 0 to 10,000; 0xFFFF where there is none
	Category    []uint8           // index into Layout.Categories
}

// Column is one column of a written table.
type Column struct {
	Name      string // in the written file
	Source    Source
	Column    string          // the snapshot column, for FromColumn alone
	Program   *filter.Program // the expression, for FromExpression alone
	Normalise Normalise       // of a text, before it is written or hashed; "" leaves it as it is
	Hash      Hash            // written in place of a text; "" writes the text itself
	Required  bool            // whether null in a snapshot column is an error, as it is in the id
}

// Layout says what a table is made of.
type Layout struct {
	ID         string   // the snapshot's id column, wherever it is written: never null, never a dictionary
	Columns    []Column // in the order written
	Categories []string // names, by the index in Block.Category
	Date       date.Date
	HeldOut    bool // whether the rows are those of a control arm
}

// Encoder writes one shard. It is not safe for concurrent use, and it does not
// close what it writes to.
type Encoder interface {
	// Write adds rows, indices into the block, in the order given. After an
	// error, which every later call returns again, the shard is worthless.
	// A *RowError names the row at fault by its index into the block.
	Write(b *Block, rows []int32) error
	// Close writes what is buffered and what ends the file.
	Close() error
	// Rows counts the rows written so far.
	Rows() int64
}

// DefaultColumns are the columns of an audience for which none are listed: the
// id under its own name, the score and the category.
func DefaultColumns(id string) []Column {
	return []Column{
		{Name: id, Source: FromColumn, Column: id},
		{Name: "score", Source: FromScore},
		{Name: "category", Source: FromCategory},
	}
}

// ScoreColumn names the scores in the table of all scored users.
const ScoreColumn = "churn_score"

// ScoresColumns are the columns of the table of all scored users: the id, what
// was computed, and the snapshot columns that are passed through.
func ScoresColumns(id string, passthrough []string) []Column {
	columns := []Column{
		{Name: id, Source: FromColumn, Column: id},
		{Name: "churn_probability", Source: FromProbability},
		{Name: ScoreColumn, Source: FromScore},
		{Name: "churn_category", Source: FromCategory},
		{Name: "snapshot_date", Source: FromSnapshotDate},
	}
	for _, name := range passthrough {
		columns = append(columns, Column{Name: name, Source: FromColumn, Column: name})
	}
	return columns
}
