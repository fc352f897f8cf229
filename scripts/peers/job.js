// Does with DuckDB what churntier does in one night on a snapshot of gen.js, as a
// measure of speed and a second opinion on the numbers:
//   node job.js DIR OUT [--date 2026-11-22] [--threads 2] [--memory 2GB] [--codec zstd]
// It refuses duplicate ids, writes the table of scores and one file for each
// category's audience, counts the distribution, and prints what it counted.
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const duck = require('./duck');
const model = require('./model');

const options = {
  date: { type: 'string', default: '2026-11-22' },
  threads: { type: 'string', default: '2' },
  memory: { type: 'string' },
  codec: { type: 'string', default: 'zstd' },
};

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length !== 2) throw new Error('name the folder of gen.js and the folder to write');
  const [dir, out] = positionals;
  const started = Date.now();
  fs.rmSync(out, { recursive: true, force: true });
  fs.mkdirSync(out, { recursive: true });
  const db = await duck.open(settings(values, out));
  const night = { source: parquet(path.join(dir, 'snapshots', `dt=${values.date}`, '*.parquet')), ...values, out };

  const [{ rows, duplicates }] = await duck.rows(db, `SELECT count(*) AS rows, count(*) - count(DISTINCT user_id) AS duplicates FROM ${night.source}`);
  if (duplicates > 0) throw new Error(`${duplicates} rows have the id of another row`);
  const scores = await writeScores(db, night, JSON.parse(fs.readFileSync(path.join(dir, 'model.json'), 'utf8')));
  const counts = await duck.rows(db, `SELECT churn_score, count(*) AS users FROM ${scores} GROUP BY ALL ORDER BY ALL`);
  fs.writeFileSync(path.join(out, 'distribution.json'), JSON.stringify(counts));
  await writeAudiences(db, night, scores);
  console.log(JSON.stringify({ seconds: (Date.now() - started) / 1000, rows, ...summary(counts) }));
}

// settings are the fastest that were found. Above the memory limit DuckDB spills.
function settings({ threads, memory }, out) {
  const s = { threads, preserve_insertion_order: 'false', temp_directory: path.join(out, 'spill') };
  return memory ? { ...s, memory_limit: memory } : s;
}

const parquet = (glob) => `read_parquet(${duck.text(glob)}, hive_partitioning=false)`;

async function copy(db, { codec }, sql, file, more = '') {
  await db.run(`COPY (${sql}) TO ${duck.text(file)} (FORMAT parquet, COMPRESSION ${codec}${more})`);
}

// writeScores scores every user and gives the SQL of the table it wrote.
async function writeScores(db, night, spec) {
  const file = path.join(night.out, 'scores.parquet');
  await copy(db, night, `
    SELECT user_id, p AS churn_probability, (s / 100.0)::DECIMAL(5,2) AS churn_score, ${model.category('s')} AS churn_category,
           DATE '${night.date}' AS snapshot_date, country, plan
    FROM (SELECT *, ${model.score('p')} AS s FROM (SELECT user_id, country, plan, ${model.probability(spec)} AS p FROM ${night.source}))`, file);
  return parquet(file);
}

async function writeAudiences(db, night, scores) {
  await copy(db, night, `SELECT user_id, churn_score AS score, churn_category AS category FROM ${scores}`,
    path.join(night.out, 'audiences'), ', PARTITION_BY (category), WRITE_PARTITION_COLUMNS true');
}

// summary gives the users of each default category and of the 20 buckets.
function summary(counts) {
  const categories = { high: 0, medium: 0, low: 0 };
  const buckets = new Array(20).fill(0);
  for (const { churn_score, users } of counts) {
    const score = Math.round(Number(churn_score) * 100);
    categories[score >= 7500 ? 'high' : score >= 5000 ? 'medium' : 'low'] += users;
    buckets[Math.min(19, Math.floor(score / 500))] += users;
  }
  return { categories, buckets };
}

main().catch((e) => { console.error(`job: ${e.message}`); process.exit(1); });
