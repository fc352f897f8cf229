// Package audience writes the files that are published: the tables of scores,
// of audiences, of rejected rows and of the distribution, as Parquet, CSV or JSON
// lines.
//
// A [Layout] says what a table is made of, an [Encoder] writes the chosen rows
// of one [Block] after the other. What an encoder writes depends on the rows
// and the layout alone: not on how the rows were cut into blocks, not on
// whether a text came plain or from a dictionary, and not on a clock.
//
// # Parquet
//
// Row groups hold 122,880 rows, fewer where texts are long; data pages are
// version 1 and hold about 64 KiB. Categories and other values that repeat are
// written as dictionary indices, in the order of first appearance within the row
// group, one page of them; ids are written plain, their lengths first. Every page
// has a CRC. Under zstd every page is a frame with a checksum of all that it holds.
// Under snappy a column whose first page hardly shrinks, such as random ids, is not
// compressed in that row group. A column with a text beyond 1 KiB is written plain from
// there on. Snapshot columns are optional, the id, score,
// probability, category and date are required. Types of the snapshot become the
// plain types that every reader knows:
//
//	int8 int16 int32 uint8 uint16    int32
//	int64 uint32                     int64
//	uint64                           decimal(20,0)
//	float16 float32                  float
//	float64                          double
//	bool                             bool
//	date32 date64                    date
//	timestamp of any unit and zone   timestamp[us, UTC], cut to the microsecond before it
//	decimal up to 38 digits          the same decimal
//	string, plain or dictionary      string
//
// A decimal is stored as INT32 up to 9 digits (the score, decimal(5,2), holds
// its hundredths), as INT64 up to 18 and as FIXED_LEN_BYTE_ARRAY beyond.
//
// # CSV
//
// RFC 4180: a header, lines that end in CR LF, UTF-8 without a byte order mark.
// A field is quoted only where it must be. Null is the empty field and empty
// text is "", except in a table of one column, where null is "" too, because
// readers skip an empty line. Scores have two decimals, other numbers the
// shortest form that reads back as the same number, dates are 2006-01-02 and
// timestamps RFC 3339 in UTC. A float that is no number is NaN, Inf or -Inf.
//
// # JSON lines
//
// RFC 8259: one object a line without white space, lines that end in LF, UTF-8,
// keys in the order of the columns. Null is null; texts are escaped where they
// must be, and so are U+0085, U+2028 and U+2029, which some readers take for the
// end of a line. Numbers have the digits that CSV has, decimals all of theirs: a
// reader that keeps every number as a float64 loses those beyond the sixteenth.
// Dates, timestamps and the id are texts, and so are the words for a float that
// is no number, "NaN", "Inf" and "-Inf", as JSON has no other way to hold the
// same value as the other formats. A file without rows is empty.
//
// # gzip
//
// CSV and JSON lines can be compressed, as one gzip member with neither name nor
// time.
package audience
