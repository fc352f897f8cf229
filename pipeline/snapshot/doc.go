// Package snapshot finds one night's users in an object store and reads them.
//
// A snapshot is a folder a date, such as dt=2026-11-22, that holds part files in
// Parquet and, when the upstream team is done, a marker object. Source finds it;
// Pin fixes which version of every part is meant; Cut divides the parts into
// splits from their footers alone; Open and Split read the wanted columns as
// record batches. Bytes from outside are hostile here: every size is bounded
// before it is allocated, and what is decoded must be what the footer promised.
package snapshot
