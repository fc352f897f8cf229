package main

import (
	"errors"

	"github.com/xitongsys/parquet-go-source/local"
	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/writer"

	"github.com/churntier/churntier/scripts/interop/internal/upstream"
)

// groupRows is the length of a row group: small, so that a part of a few thousand
// users has several.
const groupRows = 600

// types are the library's tags for a column, without its name.
var types = map[upstream.Kind]string{
	upstream.Text:    "type=BYTE_ARRAY, convertedtype=UTF8, encoding=PLAIN_DICTIONARY",
	upstream.Integer: "type=INT32, encoding=PLAIN_DICTIONARY",
	upstream.Real:    "type=DOUBLE",
	upstream.Flag:    "type=BOOLEAN",
	upstream.Instant: "type=INT64, convertedtype=TIMESTAMP_MICROS",
}

// writeFile writes data pages v1 in snappy; every column is optional.
func writeFile(path string, users []upstream.User) error {
	file, err := local.NewLocalFileWriter(path)
	if err != nil {
		return err
	}
	columns := upstream.Columns()
	tags := make([]string, len(columns))
	for i, c := range columns {
		tags[i] = "name=" + c.Name + ", " + types[c.Kind] + ", repetitiontype=OPTIONAL"
	}
	w, err := writer.NewCSVWriter(tags, file, 1) // one goroutine: the same bytes each time
	if err != nil {
		return err
	}
	w.CompressionType = parquet.CompressionCodec_SNAPPY
	err = writeRows(w, columns, users)
	return errors.Join(err, file.Close())
}

func writeRows(w *writer.CSVWriter, columns []upstream.Column, users []upstream.User) error {
	for u := range users {
		row := make([]any, len(columns))
		for i, c := range columns {
			row[i] = c.Value(&users[u])
		}
		if err := w.Write(row); err != nil {
			return err
		}
		if (u+1)%groupRows == 0 {
			if err := w.Flush(true); err != nil {
				return err
			}
		}
	}
	if err := w.Flush(true); err != nil {
		return err
	}
	forgetNullCounts(w.Footer)
	return w.WriteStop()
}

// forgetNullCounts removes the null counts from the footer: the library writes 0
// for columns with a dictionary, and DuckDB believes it.
func forgetNullCounts(footer *parquet.FileMetaData) {
	for _, group := range footer.RowGroups {
		for _, chunk := range group.Columns {
			if s := chunk.MetaData.Statistics; s != nil {
				s.NullCount = nil
			}
		}
	}
}
