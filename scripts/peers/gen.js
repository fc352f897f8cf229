// Writes a big snapshot with DuckDB, and beside it a model and a config, so that
//   node gen.js DIR --users 10000000 && churntier run -c DIR/config.yaml
// scores it. Options, with their defaults:
//   --users 1000000  --files 8  --codec snappy  --date 2026-11-22
//   --group-rows 122880   rows of a row group
//   --threads 2
//   --night 0             of two nights, users of one hundred have come and gone, and
//                         one of twenty has another week behind them
// The codec is one of DuckDB's (snappy, zstd, gzip, brotli, lz4_raw, uncompressed)
// or "mixed": another one in each file, without brotli, which is slow. The same
// arguments give the same rows.
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const duck = require('./duck');

const CODECS = ['snappy', 'zstd', 'gzip', 'uncompressed', 'lz4_raw'];

const options = {
  users: { type: 'string', default: '1000000' },
  files: { type: 'string', default: '8' },
  codec: { type: 'string', default: 'snappy' },
  date: { type: 'string', default: '2026-11-22' },
  'group-rows': { type: 'string', default: '122880' },
  threads: { type: 'string', default: '2' },
  night: { type: 'string', default: '0' },
};

// exponential gives a number of that mean from a hash: most are small.
const exponential = (hash, mean) => `-${mean} * ln(((${hash} % 1000000) + 1) / 1000001.0)`;
const sometimes = (hash, one_in, sql) => `CASE WHEN ${hash} % ${one_in} = 0 THEN NULL ELSE ${sql} END`;
const skewed = (hash, power, values) =>
  `(${JSON.stringify(values).replaceAll('"', "'")})[1 + floor(${values.length} * pow((${hash} % 1000) / 1000.0, ${power}))::INTEGER]`;

const COUNTRIES = ['US', 'DE', 'FR', 'GB', 'IN', 'BR', 'JP', 'CA', 'MX', 'ES', 'IT', 'NL', 'SE', 'PL', 'TR', 'ID', 'NG', 'ZA', 'KR', 'AU'];
const PLANS = ['free', 'basic', 'pro', 'enterprise'];
const HOSTS = ['example.com', 'example.org', 'example.net', 'mail.example'];

// users gives the SQL of users first to end-1. hash() of a number is one to one,
// so ids are unique.
const users = (first, end, date, night) => `
  WITH u AS (SELECT i, hash(i) h1, hash(i + 1000000007) h2, hash(i * 7 + 13) h3, hash(i * 31 + 5) h4,
                    hash(i * 131 + 77 + CASE WHEN i % 20 = 0 THEN ${night} ELSE 0 END) h5, hash(i * 17 + 1) h6, hash(i * 19 + 3) h7
             FROM range(${first}, ${end}) t(i))
  SELECT
    'u_' || printf('%016x', h1) AS user_id,
    ${sometimes('h2', 20, `'user' || i || '@' || ${skewed('(h2 >> 8)', 1, HOSTS)}`)} AS email,
    ${skewed('h3', 2, COUNTRIES)} AS country,
    ${skewed('h4', 3, PLANS)} AS plan,
    least(365, floor(${exponential('h5', 30)}))::INTEGER AS days_since_last_session,
    ${sometimes('h6', 50, `floor(${exponential('(h6 >> 8)', 4)})::INTEGER`)} AS sessions_7d,
    floor(${exponential('(h6 >> 24)', 15)})::INTEGER AS sessions_30d,
    ${sometimes('h7', 33, `floor(${exponential('(h7 >> 8)', 2)})::INTEGER`)} AS purchases_90d,
    ${sometimes('h7', 100, `round(${exponential('(h7 >> 24)', 120)}, 2)::DOUBLE`)} AS ltv,
    ((h2 >> 16) % 2500)::INTEGER AS tenure_days,
    ((h3 >> 16) % 3) > 0 AS push_enabled,
    ${sometimes('h4', 25, `(${exponential('(h4 >> 20)', 8)})::FLOAT`)} AS avg_session_min,
    ((h5 >> 20) % 6)::INTEGER AS support_tickets_90d,
    (h1 >> 40) % 12 = 0 AS email_opt_out,
    TIMESTAMPTZ '${date} 23:59:59+00' - to_seconds(((h5 >> 24) % 1900800)::BIGINT) AS updated_at
  FROM u`;

const MODEL = {
  kind: 'logistic_regression_pipeline',
  numeric: [
    { name: 'days_since_last_session', median: 20, mean: 30, scale: 30, coef: 1.35 },
    { name: 'sessions_7d', median: 2, mean: 3.5, scale: 4, coef: -0.48 },
    { name: 'sessions_30d', median: 10, mean: 14.5, scale: 15, coef: -0.53 },
    { name: 'purchases_90d', median: 1, mean: 1.5, scale: 2, coef: -0.36 },
    { name: 'ltv', median: 83, mean: 120, scale: 120, coef: -0.18 },
    { name: 'tenure_days', median: 1250, mean: 1250, scale: 720, coef: -0.29 },
    { name: 'push_enabled', median: 1, mean: 0.67, scale: 0.47, coef: -0.12 },
    { name: 'avg_session_min', median: 5.5, mean: 8, scale: 8, coef: -0.16 },
    { name: 'support_tickets_90d', median: 2, mean: 2.5, scale: 1.7, coef: 0.37 },
  ],
  categorical: [{ name: 'plan', missing: 'unknown', coef: { free: 0.35, basic: 0.1, pro: -0.2, enterprise: -0.6 } }],
  intercept: -1.2,
};

const CONFIG = `prediction: generated
snapshot:
  url: snapshots
  id: user_id
score:
  model: model.json
publish:
  url: out
  passthrough: [country, plan]
`;

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length !== 1) throw new Error('name the folder to write, and nothing else');
  const [dir] = positionals;
  const folder = path.join(dir, 'snapshots', `dt=${values.date}`);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const db = await duck.open({ threads: values.threads });
  const total = Number(values.users);
  const files = Number(values.files);
  const night = Number(values.night);
  const gone = Math.floor((total * night) / 100);
  for (let f = 0; f < files; f++) {
    const rows = users(gone + Math.floor((total * f) / files), gone + Math.floor((total * (f + 1)) / files), values.date, night);
    const file = path.join(folder, `part-${String(f).padStart(5, '0')}.parquet`);
    const codec = values.codec === 'mixed' ? CODECS[f % CODECS.length] : values.codec;
    await db.run(`COPY (${rows}) TO ${duck.text(file)} (FORMAT parquet, COMPRESSION ${codec}, ROW_GROUP_SIZE ${Number(values['group-rows'])})`);
  }
  fs.writeFileSync(path.join(dir, 'model.json'), `${JSON.stringify(MODEL, null, 2)}\n`);
  fs.writeFileSync(path.join(dir, 'config.yaml'), CONFIG);
  fs.writeFileSync(path.join(folder, '_SUCCESS'), '');
}

main().catch((e) => { console.error(`gen: ${e.message}`); process.exit(1); });
