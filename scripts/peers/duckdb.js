// Reads Parquet files with DuckDB and prints rows, sums, checksums and nulls:
//   node duckdb.js FILE...
const duck = require('./duck');
const tally = require('./tally');

async function read(db, file) {
  const source = `read_parquet(${duck.text(file)}, hive_partitioning=false)`;
  const types = await duck.rows(db, `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${source})`);
  const [{ rows }] = await duck.rows(db, `SELECT count(*) AS rows FROM ${source}`);
  const columns = {};
  for (const { column_name: name, column_type: type } of types) {
    const [c] = await duck.rows(db, `SELECT count(*) - count(x) AS nulls, ${aggregate(type)} FROM (SELECT ${duck.name(name)} AS x FROM ${source})`);
    columns[name] = column(c);
  }
  return { rows, columns };
}

// aggregate gives the sum or the checksum of x.
function aggregate(type) {
  if (type === 'VARCHAR') return 'sum(md5_number_lower(x)) % 18446744073709551616 AS checksum';
  if (type === 'DOUBLE' || type === 'FLOAT') return 'fsum(x) FILTER (isfinite(x)) AS sum, count(*) FILTER (NOT isfinite(x)) AS not_finite';
  if (type === 'BOOLEAN') return 'sum(x::INTEGER) AS sum';
  if (type === 'DATE') return "sum(x - DATE '1970-01-01') AS sum";
  if (type.startsWith('TIMESTAMP')) return 'sum(epoch_us(x)) AS sum';
  return 'sum(x) AS sum';
}

// column drops what a column of only nulls, or without odd floats, does not have.
function column({ nulls, sum, not_finite, checksum }) {
  const c = { nulls };
  if (not_finite) c.not_finite = not_finite;
  if (sum !== undefined && sum !== null) c.sum = sum;
  if (checksum !== undefined && checksum !== null) c.checksum = BigInt(checksum);
  return c;
}

async function main() {
  const db = await duck.open();
  await tally.print(process.argv.slice(2), (file) => read(db, file));
}

main().catch((e) => { console.error(`duckdb: ${e.message}`); process.exit(1); });
