// Runs SQL in DuckDB and prints the rows of the last statement as a JSON array.
//   node sql.js "SELECT 42 AS answer"
//   node sql.js < statements.sql
// What becomes of each type is said at rows in duck.js.
const fs = require('fs');
const duck = require('./duck');

async function main() {
  const sql = process.argv[2] ?? fs.readFileSync(0, 'utf8');
  const db = await duck.open({ threads: process.env.THREADS ?? '2' });
  console.log(JSON.stringify(await duck.rows(db, sql), null, 1));
}

main().catch((e) => { console.error(`sql: ${e.message}`); process.exit(1); });
