// Package filter evaluates expressions over the columns of record batches: the
// conditions that select users, the features that a model computes, and the
// computed columns of a file.
//
// Expressions are written in CEL (https://cel.dev), of which cel-go parses and
// checks the part below. [Parse] needs the text alone; [Expression.Bind] checks it
// against a schema and compiles it to loops over slices of Arrow's memory; an
// [Evaluator] runs these on one batch after the other. What a row gives is what
// cel-go's interpreter gives, which the tests hold the loops to.
//
// # What can be written
//
//	days                     a column; col("Call  Failure") for any other name
//	score                    0 to 100 with two decimals      (where it is known)
//	category                 the name of the row's category  (where it is known)
//	now                      the instant that the caller gives
//	true 7 -2.5 "text"       values; null only in x == null and x != null
//	timestamp("2026-11-22T00:00:00Z")   duration("36h")      with a text in quotes
//	== != < <= > >=          of two of a kind, and of int with double
//	&& || !                  of bools
//	+ - * / %                of two ints, or two doubles (but %); double(x) for both
//	-x                       of an int or a double
//	+                        of texts: the one and then the other
//	+ -                      timestamp - timestamp, timestamp and duration, durations
//	x in ["FR", "BE"]        a list of texts, of numbers, or of bools
//	x.startsWith(y)  x.endsWith(y)  x.contains(y)            of texts
//	x.matches("^a.*z$")      an RE2 pattern in quotes, found anywhere in x
//	size(x)  x.size()        the number of code points of a text
//
// Nothing else can: no other function, no choice, index, field, map or macro.
//
// # What columns are
//
//	int8 to int64, uint8 to uint64    int; a uint64 above 2^63-1 is unknown
//	float16, float32, float64         double; NaN is a number, not a null
//	decimal128, decimal256            double, the nearest one
//	bool                              bool
//	utf8, large_utf8                  string
//	date32, date64                    timestamp, of 00:00 UTC
//	timestamp of any unit and zone    timestamp; one without a zone is UTC
//	a dictionary of these             what its values are
//
// A column of another type can stand in no expression.
//
// # What is unknown
//
// Logic is three-valued, as in SQL. A null is unknown, and so is what is computed
// from it, also by ! and by every comparison. So is what cannot be computed:
//
//	an int result beyond 64 bits; an int divided by 0; the remainder by 0
//	a timestamp result outside the years 1 to 9999
//	a difference of timestamps beyond 292 years
//
// Whatever its other side is, false && x is false and true || x is true. Only
// x == null and x != null are never unknown: they ask whether x is, whatever x is.
// Only [True] selects.
//
// # What else holds
//
//	int with double     compared as doubles: beyond 2^53 neighbouring ints are alike
//	double / 0.0        an infinity or NaN, as IEEE 754 has it
//	NaN                 x != NaN is true, every other comparison with it false
//	int / and %         rounded towards zero; the remainder has the sign of x
//	bool                false < true
//	text                compared byte by byte, whether it is UTF-8 or not; of what is
//	                    no UTF-8 each byte is one code point, U+FFFD to a pattern
//	timestamp           to the nanosecond; a column may hold one of any year
//
// # Limits
//
// A text has at most 16 KiB, 1,000 parts (a list is one) and 100 levels, a pattern
// 1,000 bytes. An evaluation reads nothing but its batch, and takes time linear in
// its rows.
package filter
