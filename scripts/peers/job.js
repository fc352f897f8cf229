// Does with DuckDB what churntier does in one night on a snapshot of gen.js, as a
// measure of speed and a second opinion on the numbers:
//   node job.js DIR OUT [--unique] [--date 2026-11-22] [--threads 2] [--memory 2GB] [--codec snappy]
//   node job.js DIR OUT --whole [--before OUT]
// It scores every user, writes one folder of Parquet a category to OUT/audiences and
// the count of every score to OUT/distribution.json. With --unique it refuses
// duplicate ids first, as churntier always does. With --whole it does that and writes
// the table of scores too, keeps a holdout of 5 %, and writes the audiences as CSV and
// what changed since the members in --before.
//
// These are the fastest forms that were found: one COPY that cuts the categories, and
// the distribution from the scores that were written.
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const duck = require('./duck');
const model = require('./model');

const options = {
  date: { type: 'string', default: '2026-11-22' },
  threads: { type: 'string', default: '2' },
  memory: { type: 'string' },
  codec: { type: 'string', default: 'snappy' },
  unique: { type: 'boolean', default: false },
  whole: { type: 'boolean', default: false },
  before: { type: 'string' },
};

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length !== 2) throw new Error('name the folder of gen.js and the folder to write');
  const [dir, out] = positionals;
  fs.rmSync(out, { recursive: true, force: true });
  fs.mkdirSync(out, { recursive: true });
  const db = await duck.open(settings(values, out));
  const source = parquet(path.join(dir, 'snapshots', `dt=${values.date}`, '*.parquet'));
  if (values.unique || values.whole) await refuseDuplicates(db, source);
  await (values.whole ? wholeNight : members)(db, { ...values, out, source, model: modelOf(dir) });
}

// members writes the audiences and the distribution.
async function members(db, { source, model, out, codec }) {
  const audiences = path.join(out, 'audiences');
  await copy(db, scored(source, model), audiences, `${parquetAs(codec)}, ${CUT}`);
  await writeDistribution(db, out, parquet(path.join(audiences, '*', '*.parquet')));
}

// wholeNight writes all that a night has.
async function wholeNight(db, { source, model: spec, out, codec, date, before }) {
  const table = path.join(out, 'scores.parquet');
  await copy(db, `
    SELECT user_id, p AS churn_probability, (s / 100.0)::DECIMAL(5,2) AS churn_score, ${model.category('s')} AS churn_category,
           DATE '${date}' AS snapshot_date, country, plan
    FROM (SELECT *, ${model.score('p')} AS s FROM (SELECT user_id, country, plan, ${model.probability(spec)} AS p FROM ${source}))`, table, parquetAs(codec));
  await writeDistribution(db, out, `(SELECT churn_score AS score FROM ${parquet(table)})`);
  const users = `SELECT user_id, churn_score AS score, churn_category AS category, hash(user_id || 'bench') % 10000 < 500 AS held_out FROM ${parquet(table)}`;
  await copy(db, users, path.join(out, 'audiences'), `${parquetAs(codec)}, PARTITION_BY (category, held_out), WRITE_PARTITION_COLUMNS true`);
  const now = membersIn(out);
  await copy(db, `SELECT user_id, score, category FROM ${now}`, path.join(out, 'csv'), `FORMAT csv, HEADER, ${CUT}`);
  if (before === undefined) return;
  await copy(db, `
    SELECT coalesce(n.user_id, b.user_id) AS user_id, n.score, n.category, b.category AS was,
           CASE WHEN b.user_id IS NULL THEN 'entered' WHEN n.user_id IS NULL THEN 'left' ELSE 'moved' END AS change
    FROM ${now} n FULL JOIN ${membersIn(before)} b USING (user_id) WHERE n.category IS DISTINCT FROM b.category`, path.join(out, 'changes.csv'), 'FORMAT csv, HEADER');
}

const membersIn = (out) => parquet(path.join(out, 'audiences', '*', 'held_out=false', '*.parquet'));
const parquetAs = (codec) => `FORMAT parquet, COMPRESSION ${codec}, ROW_GROUP_SIZE 122880, DICTIONARY_SIZE_LIMIT 1000`;
const CUT = 'PARTITION_BY (category), WRITE_PARTITION_COLUMNS true';
const copy = (db, sql, to, how) => db.run(`COPY (${sql}) TO ${duck.text(to)} (${how})`);

async function writeDistribution(db, out, scores) {
  const counts = await duck.rows(db, `SELECT score, count(*) AS users FROM ${scores} GROUP BY ALL ORDER BY ALL`);
  fs.writeFileSync(path.join(out, 'distribution.json'), JSON.stringify(counts));
}

const modelOf = (dir) => JSON.parse(fs.readFileSync(path.join(dir, 'model.json'), 'utf8'));
const parquet = (glob) => `read_parquet(${duck.text(glob)}, hive_partitioning=false)`;

// settings are the fastest that were found. Above the memory limit DuckDB spills.
function settings({ threads, memory }, out) {
  const s = { threads, preserve_insertion_order: 'false', temp_directory: path.join(out, 'spill') };
  return memory ? { ...s, memory_limit: memory } : s;
}

async function refuseDuplicates(db, source) {
  const [{ duplicates }] = await duck.rows(db, `SELECT count(*) - count(DISTINCT user_id) AS duplicates FROM ${source}`);
  if (duplicates > 0) throw new Error(`${duplicates} rows have the id of another row`);
}

// scored gives the SQL of the members of all audiences.
const scored = (source, spec) => `
  SELECT user_id, (s / 100.0)::DECIMAL(5,2) AS score, ${model.category('s')} AS category, country, plan, ltv
  FROM (SELECT user_id, country, plan, ltv, ${model.score(model.probability(spec))} AS s FROM ${source})`;

main().catch((e) => { console.error(`job: ${e.message}`); process.exit(1); });
