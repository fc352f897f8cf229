// Writes a big snapshot for the model of train.py, and a config beside it:
//   go run ./scripts/forest --dir DIR && node scripts/forest/snapshot.js DIR --users 10000000
//   churntier run -c DIR/config.yaml
// The values follow the distributions of train.py; --codec is one of DuckDB's.
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const duck = require('../peers/duck');

const options = {
  users: { type: 'string', default: '1000000' },
  files: { type: 'string', default: '8' },
  codec: { type: 'string', default: 'snappy' },
  threads: { type: 'string', default: '2' },
};

const exponential = (hash, mean) => `-${mean} * ln(((${hash} % 1000000) + 1) / 1000001.0)`;
const missing = (hash, percent, sql) => `CASE WHEN ${hash} % 100 < ${percent} THEN NULL ELSE ${sql} END`;
// normal is close to a standard normal: the sum of twelve uniform numbers less six.
const normal = (hash) => `(${Array.from({ length: 12 }, (_, i) => `((${hash} >> ${i * 4}) % 4096) / 4096.0`).join(' + ')} - 6)`;

const users = (first, end) => `
  WITH u AS (SELECT i, hash(i) h1, hash(i + 1000000007) h2, hash(i * 7 + 13) h3, hash(i * 31 + 5) h4,
                    hash(i * 131 + 77) h5, hash(i * 17 + 1) h6, hash(i * 19 + 3) h7, hash(i * 23 + 9) h8
             FROM range(${first}, ${end}) t(i))
  SELECT
    'u_' || printf('%016x', h1) AS user_id,
    ${missing('h2', 5, `least(365, floor(${exponential('(h2 >> 8)', 30)}))::INTEGER`)} AS days_idle,
    floor(${exponential('h3', 4)})::INTEGER AS sessions_7d,
    floor(${exponential('(h3 >> 24)', 15)})::INTEGER AS sessions_30d,
    floor(${exponential('h4', 2)})::INTEGER AS purchases,
    ${missing('h5', 10, `round(${exponential('(h5 >> 8)', 120)}, 2)::DOUBLE`)} AS ltv,
    ((h2 >> 16) % 2500)::INTEGER AS tenure,
    ((h3 >> 16) % 2)::TINYINT AS push,
    ${missing('h6', 20, `(${exponential('(h6 >> 8)', 8)})::FLOAT`)} AS minutes,
    ((h4 >> 20) % 6)::INTEGER AS tickets,
    ${missing('h7', 3, '((h7 >> 8) % 20)::INTEGER')} AS region,
    ((h5 >> 32) % 4)::INTEGER AS plan,
    ${missing('(h8 >> 56)', 10, `(${normal('h8')})::DOUBLE`)} AS trend
  FROM u`;

const CONFIG = `prediction: boosted
snapshot:
  url: snapshots
  id: user_id
score:
  model: model.json
publish:
  url: out
`;

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length !== 1) throw new Error('name the folder of the model, and nothing else');
  const [dir] = positionals;
  const folder = path.join(dir, 'snapshots', 'dt=2026-11-22');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const db = await duck.open({ threads: values.threads });
  const [total, files] = [Number(values.users), Number(values.files)];
  for (let f = 0; f < files; f++) {
    const rows = users(Math.floor((total * f) / files), Math.floor((total * (f + 1)) / files));
    const file = path.join(folder, `part-${String(f).padStart(5, '0')}.parquet`);
    await db.run(`COPY (${rows}) TO ${duck.text(file)} (FORMAT parquet, COMPRESSION ${values.codec})`);
  }
  fs.writeFileSync(path.join(dir, 'config.yaml'), CONFIG);
  fs.writeFileSync(path.join(folder, '_SUCCESS'), '');
}

main().catch((e) => { console.error(`snapshot: ${e.message}`); process.exit(1); });
