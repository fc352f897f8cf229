// DuckDB for the scripts of this project.
const { DuckDBInstance, DuckDBTypeId } = require('@duckdb/node-api');

// open gives a connection to an empty database in memory.
// settings are DuckDB's own, such as {threads: '2', memory_limit: '1GB'}.
exports.open = async (settings = {}) => (await DuckDBInstance.create(':memory:', settings)).connect();

// rows runs statements and gives the rows of the last one as plain objects.
// Integers are numbers where a number holds them exactly; wider integers and
// decimals are strings, and so are dates, times and NaN, as DuckDB prints them.
exports.rows = async (db, sql) => {
  const reader = await db.runAndReadAll(sql);
  const names = reader.deduplicatedColumnNames();
  const whole = names.filter((_, i) => WIDE.has(reader.columnTypeId(i)));
  const objects = reader.getRowObjectsJson();
  for (const row of objects) for (const name of whole) row[name] = narrow(row[name]);
  return objects;
};

// text and name quote a string and an identifier for SQL.
exports.text = (s) => `'${s.replaceAll("'", "''")}'`;
exports.name = (s) => `"${s.replaceAll('"', '""')}"`;

const WIDE = new Set([DuckDBTypeId.BIGINT, DuckDBTypeId.UBIGINT, DuckDBTypeId.HUGEINT, DuckDBTypeId.UHUGEINT]);

function narrow(digits) {
  const n = Number(digits);
  return digits !== null && Number.isSafeInteger(n) ? n : digits;
}
