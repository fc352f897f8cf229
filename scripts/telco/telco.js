// Turns the public telco churn table into a snapshot of one night, raw columns
// with their types, and writes a config beside it:
//   node telco.js TELCO.csv DIR [MODEL.json]
// The default model is the one in DIR, model.json. Needs scripts/peers/install.
const fs = require('fs');
const path = require('path');
const duck = require('../peers/duck');

const NIGHT = '2026-11-22';

// Texts stay texts: a sniffer would turn Yes and No into booleans. A missing
// TotalCharges is a single blank in the file.
const query = (csv) => `
  SELECT * EXCLUDE (Churn) REPLACE (
    SeniorCitizen::INTEGER AS SeniorCitizen,
    tenure::INTEGER AS tenure,
    MonthlyCharges::DOUBLE AS MonthlyCharges,
    nullif(trim(TotalCharges), '')::DOUBLE AS TotalCharges)
  FROM read_csv(${duck.text(csv)}, header = true, all_varchar = true)`;

const config = (model) => `prediction: telco
snapshot:
  url: snapshots
  id: customerID
score:
  model: ${JSON.stringify(model)}
publish:
  url: out
  passthrough: [Contract, InternetService]
`;

async function main() {
  const [csv, dir, model = path.join(dir ?? '', 'model.json')] = process.argv.slice(2);
  if (!dir) throw new Error('usage: node telco.js TELCO.csv DIR [MODEL.json]');
  const folder = path.join(dir, 'snapshots', `dt=${NIGHT}`);
  fs.mkdirSync(folder, { recursive: true });
  const db = await duck.open();
  await db.run(`COPY (${query(csv)}) TO ${duck.text(path.join(folder, 'part-00000.parquet'))} (FORMAT parquet, COMPRESSION zstd)`);
  fs.writeFileSync(path.join(dir, 'config.yaml'), config(path.resolve(model)));
  fs.writeFileSync(path.join(folder, '_SUCCESS'), '');
}

main().catch((e) => { console.error(`telco: ${e.message}`); process.exit(1); });
