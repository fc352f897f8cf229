// Does with DuckDB what churntier does in one night on a snapshot of gen.js, as a
// measure of speed and a second opinion on the numbers:
//   node job.js DIR OUT [--unique] [--date 2026-11-22] [--threads 2] [--memory 2GB] [--codec snappy]
// It scores every user, writes one folder of Parquet a category to OUT/audiences and
// the count of every score to OUT/distribution.json. With --unique it refuses
// duplicate ids first, as churntier always does.
//
// It is the fastest form that was found: one COPY that cuts the categories, and the
// distribution from the scores that were written.
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
};

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length !== 2) throw new Error('name the folder of gen.js and the folder to write');
  const [dir, out] = positionals;
  fs.rmSync(out, { recursive: true, force: true });
  fs.mkdirSync(out, { recursive: true });
  const db = await duck.open(settings(values, out));
  const source = parquet(path.join(dir, 'snapshots', `dt=${values.date}`, '*.parquet'));
  if (values.unique) await refuseDuplicates(db, source);
  const audiences = path.join(out, 'audiences');
  await db.run(`COPY (${scored(source, modelOf(dir))}) TO ${duck.text(audiences)} (FORMAT parquet, COMPRESSION ${values.codec},
    ROW_GROUP_SIZE 122880, DICTIONARY_SIZE_LIMIT 1000, PARTITION_BY (category), WRITE_PARTITION_COLUMNS true)`);
  const counts = await duck.rows(db, `SELECT score, count(*) AS users FROM ${parquet(path.join(audiences, '*', '*.parquet'))} GROUP BY ALL ORDER BY ALL`);
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
