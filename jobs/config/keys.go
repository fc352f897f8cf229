package config

import "math"

// Kinds that stand at several keys.
var (
	folderURL = locationKind{to: aFolder, expand: true}
	score     = numberKind{min: 0, max: 100, hundredths: true}
)

// table describes the whole file.
var table = mapKind{
	keys: []key{
		{name: "prediction", kind: predictionName, required: true, doc: "Name of the prediction: one model and its audiences."},
		{name: "mode", kind: oneOf(ModeLive, ModePreview, ModeArchived), def: ModeLive, doc: "live publishes, preview scores without audiences, archived does nothing."},
		{name: "timezone", kind: zone, def: "UTC", doc: "Zone of the logical date, of schedule and of deadline."},
		{name: "schedule", kind: schedule, doc: "When a night is due: minute, hour, day of month, month and day of week, as of cron; without it, nothing is ever due."},
		{name: "lag_days", kind: wholeKind{max: 366}, def: "1", doc: "Days from the logical date to the day on which the schedule runs it."},
		{name: "deadline", kind: clock, doc: "Time of day, the next one after schedule, from which a snapshot that is not ready is late."},
		{name: "catch_up", kind: wholeKind{max: 366}, def: "7", doc: "Nights before the newest one due that are healed when they were missed."},
		{name: "snapshot", kind: snapshotKind, required: true, doc: "Where a night's users are and which columns describe them."},
		{name: "score", kind: scoreKind, required: true, doc: "Where a user's score comes from: a column or a model."},
		{name: "categories", kind: categoriesKind, doc: "Labels of scores, the highest first, covering 0 to 100.", def: "[{name: high, from: 75}, {name: medium, from: 50}, {name: low, from: 0}]"},
		{name: "exclude", kind: listKind{of: excludeKind}, doc: "Lists of users that are never scored."},
		{name: "eligible", kind: eligibility, doc: "Condition for the users of the prediction, of columns alone; by default all users."},
		{name: "suppress", kind: listKind{of: suppressKind}, doc: "Users that are scored and never in an audience."},
		{name: "holdout", kind: holdoutKind, doc: "Share of users kept out of audiences to measure their effect."},
		{name: "exclusive", kind: exclusiveKind, doc: "Audiences of which a user is in the first only."},
		{name: "audiences", kind: listKind{of: audienceKind, min: 1, rules: []rule{distinct("name")}}, doc: "Named sets of users; by default one a category."},
		{name: "gates", kind: gatesKind, def: "{}", doc: "Limits beyond which a night is refused, unless so few users may be beyond them by chance."},
		{name: "publish", kind: publishKind, required: true, doc: "Where and how the results are written."},
		{name: "deliveries", kind: listKind{of: deliveryKind, rules: []rule{distinct("name")}}, doc: "Campaign tools that receive audiences."},
		{name: "notify", kind: notifyKind, doc: "Who is told about nights."},
	},
	rules: []rule{{check: idHasOwnName}, {check: parquetMapsID}, {check: passthroughIsFree}, {check: exclusiveNamesAudiences}, {check: contactIsKnown}, {check: publicationOfOthers}, {check: deliversAudiences}, {check: deliversPublished}, {check: oneWriter}, deadlineRule},
}

var snapshotKind = mapKind{
	keys: []key{
		{name: "url", kind: folderURL, required: true, doc: "Store and folder of the snapshots."},
		{name: "partition", kind: partition, def: `"dt={date}"`, doc: "Folder of one date below url."},
		{name: "files", kind: fileGlob, def: `"*.parquet"`, doc: "Glob for the parts in that folder."},
		{name: "ready", kind: markerName, def: "_SUCCESS", doc: "Marker object that says the snapshot is complete; empty for none."},
		{name: "id", kind: columnName, required: true, doc: "Column of user ids, string or integer."},
		{name: "contact", kind: columnName, doc: "Column of addresses, by which users are suppressed and held out."},
		{name: "as_of", kind: columnName, doc: "Column whose maximum must be the run's date."},
		{name: "duplicates", kind: oneOf(DuplicatesReject, DuplicatesKeepIdentical, DuplicatesKeepLatest), def: DuplicatesReject, doc: "What becomes of rows that share an id."},
		{name: "order_by", kind: columnName, doc: "Column that tells the latest row, for keep_latest."},
		{name: "verify", kind: oneOf(VerifyWhole, VerifyRead), def: VerifyWhole, doc: "Whether every byte is compared with its checksum, or only what is read."},
	},
	rules: []rule{orderByRule},
}

var scoreKind = mapKind{
	keys: []key{
		{name: "column", kind: scoreColumnKind, doc: "A column of the snapshot that holds the score."},
		{name: "model", kind: locationKind{to: anObject}, doc: "A model file; its format is told by its content."},
		{name: "missing", kind: numbersKind{}, doc: "Numbers that stand for a missing value of a feature."},
		{name: "iterations", kind: iterationsKind{}, doc: "Boosting rounds that count; by default best, those up to the best iteration that the model names, or else all."},
		{name: "one_hot", kind: oneHotKind, doc: "Columns that the model sees as one feature a value."},
		{name: "features", kind: featuresKind{}, doc: "Features of the model by column or expression; by default a feature is the column of its name."},
	},
	rules: []rule{exactlyOne("column", "model"), {check: modelOnly("missing", "iterations", "one_hot", "features")}},
}

var oneHotKind = mapKind{keys: []key{
	{name: "columns", kind: listKind{of: columnName, min: 1}, required: true, doc: "The columns."},
	{name: "separator", kind: textKind{name: "a text", pattern: `^[^` + noControl + `]*$`}, def: `"_"`, doc: "What stands between the column and the value in the name of a feature."},
}}

var scoreColumnKind = mapKind{keys: []key{
	{name: "name", kind: columnName, required: true, doc: "The column."},
	{name: "range", kind: pairKind{each: numberKind{min: math.Inf(-1), max: math.Inf(1)}, distinct: true}, required: true, doc: "Its values for the probabilities 0 and 1."},
}}

var categoriesKind = listKind{
	of: mapKind{
		keys: []key{
			{name: "name", kind: shortName, required: true, doc: "The label."},
			{name: "from", kind: score, doc: "Lowest score of the category."},
			{name: "top_share", kind: numberKind{min: 0, max: 1, open: true}, doc: "Share of users at or above the cut, counted from the top."},
		},
		rules: []rule{exactlyOne("from", "top_share")},
	},
	min: 1, max: 255,
	rules: []rule{distinct("name"), {check: coversScores}},
}

var excludeKind = mapKind{keys: []key{
	{name: "url", kind: locationKind{to: someFiles, expand: true}, required: true, doc: "Parquet files of the list; may hold a glob."},
	{name: "id", kind: columnName, required: true, doc: "The list's column of user ids."},
}}

var suppressKind = mapKind{
	keys: []key{
		{name: "url", kind: locationKind{to: someFiles, expand: true}, doc: "Parquet files of a list; may hold a glob."},
		{name: "id", kind: columnName, doc: "The column of user ids of a list or, by default named as in the snapshot, of a publication's members."},
		{name: "contact", kind: columnName, doc: "The list's column of addresses, compared trimmed and in lower case."},
		{name: "max_age", kind: duration, doc: "Age above which the list is too old to rely on."},
		{name: "min_ratio", kind: share(), doc: "Lowest ratio of the list's rows to those it had for the publication before."},
		{name: "where", kind: condition, doc: "Condition that suppresses, as does what it cannot tell."},
		{name: "publication", kind: folderURL, doc: "Store and folder of another prediction's publications."},
		{name: "audience", kind: shortName, doc: "The audience of that prediction, on the same date."},
	},
	rules: []rule{exactlyOne(suppressedBy...), suppressRule},
}

var holdoutKind = mapKind{keys: []key{
	{name: "share", kind: numberKind{min: 0, max: 1, open: true}, required: true, doc: "Share of users that is held out."},
	{name: "salt", kind: saltText, required: true, doc: "Text that tells this choice of users from others; another one chooses anew."},
	{name: "key", kind: oneOf(HoldoutByContact, HoldoutByID), doc: "What users are held out by; by default contact where snapshot.contact is set, or else id."},
}}

var exclusiveKind = listKind{of: shortName, min: 2, rules: []rule{eachOnce}}

var audienceKind = mapKind{keys: []key{
	{name: "name", kind: shortName, required: true, doc: "Name of the audience and of its folder."},
	{name: "where", kind: condition, doc: "Condition for the members; score and category may stand in it."},
	{name: "score", kind: pairKind{each: score}, doc: "Lowest and highest score of the members, both included."},
	{name: "limit", kind: wholeKind{min: 1}, doc: "Greatest number of members, those of the highest scores."},
	{name: "expect", kind: expectKind, doc: "Bounds for the number of members."},
	{name: "empty", kind: oneOf(EmptyHeader, EmptySkip), def: EmptyHeader, doc: "Whether an empty audience has a file."},
	{name: "files", kind: listKind{of: fileKind, min: 1, rules: []rule{{check: distinctExtensions}}}, def: "[{format: parquet}]", doc: "Forms in which the audience is written."},
}}

var expectKind = mapKind{
	keys: []key{
		{name: "min", kind: wholeKind{}, doc: "Fewest members."},
		{name: "max", kind: wholeKind{}, doc: "Most members."},
	},
	rules: []rule{{check: ascending[int64]("min", "max")}},
}

var fileKind = mapKind{
	keys: []key{
		{name: "format", kind: oneOf(FormatParquet, FormatCSV, FormatJSONL), required: true, doc: "Format of the file."},
		{name: "columns", kind: columnsKind{}, doc: "Columns to write; by default id, score and category."},
		{name: "formula", kind: oneOf(FormulaRefuse, FormulaQuote), def: FormulaRefuse, doc: "What becomes of texts that a spreadsheet would run; CSV only."},
		{name: "gzip", kind: boolKind{}, def: "false", doc: "Whether the file is compressed with gzip; CSV and JSON lines only."},
	},
	rules: []rule{{check: formulaOnlyInCSV}, {check: gzipNotInParquet}},
}

var gatesKind = mapKind{keys: []key{
	{name: "rows", kind: ratioGate, def: "{}", doc: "Rows against the median of earlier publications."},
	{name: "rejected", kind: shareGate("0.001"), def: "{}", doc: "Share of rejected rows."},
	{name: "duplicates", kind: shareGate("0.001"), def: "{}", doc: "Share of duplicate rows."},
	{name: "category_shift", kind: levelGate("0.20", "0.50"), def: "{}", doc: "Relative change of a category's share since the publication before, whose scores are counted under tonight's cuts."},
	{name: "psi", kind: levelGate("0.10", "0.25", key{name: "baseline", kind: day, def: `""`, doc: "A published date to compare with beside the previous one, such as the first night of the model; empty for none."}), def: "{}", doc: "Population stability index over the 20 buckets."},
	{name: "constant", kind: shareGate("0.99"), def: "{}", doc: "Share of one identical score."},
	{name: "features", kind: featuresGate, def: "{}", doc: "Inputs of the model."},
}}

var ratioGate = mapKind{
	keys: []key{
		{name: "min_ratio", kind: notNegative(), def: "0.5", doc: "Lowest ratio that passes."},
		{name: "max_ratio", kind: notNegative(), def: "2.0", doc: "Highest ratio that passes."},
	},
	rules: []rule{{check: ascending[float64]("min_ratio", "max_ratio")}},
}

var featuresGate = mapKind{keys: []key{
	{name: "null_shift", kind: share(), def: "0.10", doc: "Greatest change of a feature's share of nulls."},
	{name: "unseen_share", kind: share(), def: "0.01", doc: "Greatest share of rows with a category that the model file does not state, unless a one-hot column held so many for the publication before: encoders may drop a category. Then null_shift bounds its change."},
}}

var publishKind = mapKind{keys: []key{
	{name: "url", kind: folderURL, required: true, doc: "Store and folder of the publications."},
	{name: "compression", kind: oneOf(CompressionZstd, CompressionSnappy), def: CompressionZstd, doc: "Compression of Parquet files."},
	{name: "scores", kind: boolKind{}, def: "true", doc: "Whether the table of all scored users is written."},
	{name: "passthrough", kind: listKind{of: columnName}, doc: "Snapshot columns carried into that table."},
	{name: "keep_days", kind: wholeKind{min: 1}, def: "30", doc: "Days after which a clean-up (churntier prune) lets the shards of a publication expire, and deletes the evidence of refusals and previews."},
}}

func shareGate(limit string) mapKind {
	return mapKind{keys: []key{{name: "max_share", kind: share(), def: limit, doc: "Greatest share that passes."}}}
}

func levelGate(warn, refuse string, more ...key) mapKind {
	keys := []key{
		{name: "warn", kind: notNegative(), def: warn, doc: "Value above which a night is warned about."},
		{name: "refuse", kind: notNegative(), def: refuse, doc: "Value above which a night is refused."},
	}
	return mapKind{keys: append(keys, more...), rules: []rule{{check: warnsFirst}}}
}
