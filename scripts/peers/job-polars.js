// Does with Polars what job.js does with DuckDB:
//   node job-polars.js DIR OUT [--date 2026-11-22] [--codec snappy]
// The number of threads is POLARS_MAX_THREADS. The table is collected once, with the
// columns and scores of the members, and cut by category: with one lazy sink a
// category the snapshot is read three times.
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const pl = require('nodejs-polars');

const options = {
  date: { type: 'string', default: '2026-11-22' },
  threads: { type: 'string' }, // as job.js has it; the environment decides
  codec: { type: 'string', default: 'snappy' },
};
const { col, lit, when } = pl;

const CATEGORIES = { high: [7500, 10001], medium: [5000, 7500], low: [0, 5000] };

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length !== 2) throw new Error('name the folder of gen.js and the folder to write');
  const [dir, out] = positionals;
  fs.rmSync(out, { recursive: true, force: true });
  const model = JSON.parse(fs.readFileSync(path.join(dir, 'model.json'), 'utf8'));
  const users = await pl.scanParquet(path.join(dir, 'snapshots', `dt=${values.date}`, '*.parquet'))
    .select(col('user_id'), hundredths(model).alias('s'), col('country'), col('plan'), col('ltv'))
    .collect();
  for (const [category, [from, to]] of Object.entries(CATEGORIES)) {
    const folder = path.join(out, 'audiences', category);
    fs.mkdirSync(folder, { recursive: true });
    users.filter(col('s').gtEq(from).and(col('s').lt(to)))
      .select(col('user_id'), col('s').div(100).alias('score'), lit(category).alias('category'), col('country'), col('plan'), col('ltv'))
      .writeParquet(path.join(folder, 'part.parquet'), { compression: values.codec });
  }
  const counts = users.groupBy('s').len();
  fs.writeFileSync(path.join(out, 'distribution.json'), JSON.stringify(counts.sort('s').rows()));
}

// hundredths gives the score of a logistic pipeline.
function hundredths({ numeric, categorical, intercept }) {
  const margin = [
    ...numeric.map((n) => col(n.name).cast(pl.Float64).fillNull(n.median).minus(n.mean).div(n.scale).mul(n.coef)),
    ...categorical.map((c) => Object.entries(c.coef).reduce((rest, [value, coef]) => when(col(c.name).eq(lit(value))).then(lit(coef)).otherwise(rest), lit(0))),
  ].reduce((sum, term) => sum.plus(term), lit(intercept));
  return lit(1).div(lit(1).plus(margin.mul(-1).exp())).mul(10000).round(0);
}

main().catch((e) => { console.error(`job-polars: ${e.message}`); process.exit(1); });
