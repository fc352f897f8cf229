// Reads Parquet files with Polars and prints rows, sums, checksums and nulls:
//   node polars.js FILE...
const pl = require('nodejs-polars');
const tally = require('./tally');

function read(file) {
  const table = pl.readParquet(file);
  const columns = {};
  for (const name of table.columns) columns[name] = column(table.getColumn(name));
  return { rows: table.height, columns };
}

function column(series) {
  const nulls = series.nullCount();
  const values = series.dropNulls();
  return values.length === 0 ? { nulls } : { nulls, ...total(values) };
}

function total(values) {
  const type = values.dtype.variant;
  if (type === 'String' || type === 'Categorical') return { checksum: tally.checksum(values.cast(pl.Utf8).toArray()) };
  if (type === 'Float64' || type === 'Float32') return floats(values.cast(pl.Float64).toArray());
  if (type === 'Decimal') return { sum: decimals(values) };
  return { sum: values.cast(pl.Int64).toArray().reduce((sum, v) => sum + BigInt(v), 0n) };
}

function floats(values) {
  const finite = values.filter(Number.isFinite);
  const odd = values.length - finite.length;
  return { sum: finite.reduce((sum, v) => sum + v, 0), ...(odd > 0 && { not_finite: odd }) };
}

// decimals come out of Polars as the nearest floats: whole units are exact again.
function decimals(values) {
  const { scale } = values.dtype.toJSON().DataType.Decimal;
  const units = values.cast(pl.Float64).toArray().reduce((sum, v) => sum + BigInt(Math.round(v * 10 ** scale)), 0n);
  return tally.decimal(units, scale);
}

tally.print(process.argv.slice(2), read).catch((e) => { console.error(`polars: ${e.message}`); process.exit(1); });
