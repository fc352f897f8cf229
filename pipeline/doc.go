// Package pipeline publishes one night of a prediction: from the snapshot that
// the warehouse left to the audience files that campaign tools pick up.
//
// # The story
//
// Every night a warehouse leaves a snapshot of its users. The pipeline finds it,
// splits it, and for each split reads record batches, scores them, categorises
// and counts the scores and writes shards. Then it checks the counts and the
// gates, seals a manifest and commits. Nothing is visible before the commit, and
// the commit is one create-if-absent of one small object; until then last
// night's files stay. pipeline.go is that story in code, top to bottom.
//
// Publication is a pure function of snapshot, model, config and lists: the same
// inputs give the same bytes on any engine and any number of workers.
//
// # The words
//
//   - snapshot: one night's users; part: one file of it; row group and record
//     batch: as in Parquet and Arrow; feature: an input column of the score.
//   - split: row groups that follow one another; the unit of work on any engine.
//   - score: a risk of churn from 0 to 100, kept as hundredths (0 to 10000).
//   - rejected: a row that cannot be scored, with its reason; excluded: a row whose
//     id is on an exclude list; duplicate: a row that the duplicates policy removes.
//   - key: what names a user in a question about rows, an id or a contact; contact:
//     an e-mail address or phone number, compared trimmed and in lower case.
//   - distribution: the exact count of every score; category: the label of a score
//     (high, medium, low); gate: a check that can refuse a night.
//   - audience: a named set of users, by default one a category; member: one of
//     them; outsider: a user who is none, for one reason; shard: one written file;
//     manifest: what a run wrote; commit: the log entry that publishes a run.
//   - prediction: one configured model and its audiences; run: one attempt at one
//     date; publication: what a commit makes visible.
//
// A part is read, a split is worked on, a shard is written.
package pipeline
