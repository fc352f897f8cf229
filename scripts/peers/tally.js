// The tally of Parquet files that scripts/interop prints, for readers in
// JavaScript. A reader gives, for one file, {rows, columns: {name: column}} with
// column = {nulls, not_finite?, sum?, checksum?}; sum is a number or a BigInt
// for integers, a string for decimals; checksum is a BigInt.
const crypto = require('crypto');

const MOD = 1n << 64n;

// checksum adds up the low 64 bits of each text's MD5, modulo 2^64.
exports.checksum = (texts) => {
  let sum = 0n;
  for (const t of texts) sum += crypto.createHash('md5').update(t, 'utf8').digest().readBigUInt64LE(8);
  return sum % MOD;
};

// print reads the files and prints each tally and their total as JSON.
exports.print = async (files, read) => {
  if (files.length === 0) throw new Error('name the Parquet files to read');
  const tables = [];
  for (const file of files) tables.push({ file, ...(await read(file)) });
  console.log(json({ files: tables, total: tables.reduce(add, { rows: 0, columns: {} }) }));
};

function add(total, table) {
  const columns = { ...total.columns };
  for (const [name, c] of Object.entries(table.columns)) columns[name] = addColumn(columns[name] ?? { nulls: 0 }, c);
  return { rows: total.rows + table.rows, columns };
}

function addColumn(a, b) {
  const out = { nulls: a.nulls + b.nulls };
  const odd = (a.not_finite ?? 0) + (b.not_finite ?? 0);
  if (odd > 0) out.not_finite = odd;
  if (a.sum !== undefined || b.sum !== undefined) out.sum = addSums(a.sum, b.sum);
  if (a.checksum !== undefined || b.checksum !== undefined) out.checksum = ((a.checksum ?? 0n) + (b.checksum ?? 0n)) % MOD;
  return out;
}

function addSums(a, b) {
  if (a === undefined || b === undefined) return a ?? b;
  if (typeof a !== 'string') return a + b;
  const scale = (a.split('.')[1] ?? '').length;
  return decimal(unscaled(a) + unscaled(b), scale);
}

const unscaled = (text) => BigInt(text.replace('.', ''));

// decimal writes units / 10^scale with all its digits.
function decimal(units, scale) {
  const sign = units < 0n ? '-' : '';
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
exports.decimal = decimal;

// json writes sums with every digit, and checksums as strings.
function json(value) {
  const text = JSON.stringify(value, (key, v) => {
    if (key === 'checksum') return v.toString();
    return key === 'sum' ? { exactly: v.toString() } : v;
  }, 1);
  return text.replace(/\{\s*"exactly": "([^"]*)"\s*\}/g, '$1');
}
