package interop_test

import (
	"path/filepath"
	"testing"
)

const deliveriesConfig = `prediction: interop
snapshot: {url: snapshots, id: user_id}
score:
  column: {name: churn_score, range: [0, 100]}
audiences:
  - name: high
    where: 'category != "low"'
    files: [{format: parquet, columns: {user_id: user_id, risk: category, email: email, phone: phone, note: note, ltv: ltv, spent: spent, push: push, since: since, seen: seen}}]
  - name: push
    where: 'push'
    files: [{format: parquet, columns: {user_id: user_id, risk: category, email: email, phone: phone, note: note, ltv: ltv, spent: spent, push: push, since: since, seen: seen}}]
publish: {url: out}
deliveries:
  - {name: import, to: crm/import, destination: braze-csv, audiences: [high], columns: {external_id: user_id, risk: risk, note: note, ltv: ltv, push: push, since: since, seen: seen}, max_age: 99999d}
  - {name: payloads, to: crm/payloads, destination: braze-cdi, audiences: [high, push], columns: {external_id: user_id, churn: audience, note: note, spent: spent, push: push, seen: seen}, max_age: 99999d}
  - {name: google, to: crm/google, destination: google-customer-match, audiences: [high], columns: {Email: email, Phone: phone}, max_age: 99999d}
  - {name: meta, to: crm/meta, destination: meta-custom-audience, audiences: [high], columns: {phone: phone, email: email}, max_age: 99999d}
`

// DuckDB reads from the files of each tool what SQL makes of the snapshot: the users,
// their values, and the hashes as the tool computes them.
func TestDuckDBReadsWhatToolsReceive(t *testing.T) {
	needsDuckDB(t)
	dir := t.TempDir()
	writeOddSnapshot(t, dir)
	path := filepath.Join(dir, "config.yaml")
	write(t, path, deliveriesConfig)
	run(t, program("churntier"), "run", "-c", path, "--quiet")
	run(t, program("churntier"), "deliver", "-c", path)

	snapshot := `CREATE TABLE users AS SELECT *, lower(trim(email, E' \t\n')) AS mail, churn_score >= 50 AS high,
		CASE WHEN phone LIKE '+33%' OR phone LIKE '0033%' THEN '336' || right(phone, 8) END AS tel
		FROM read_parquet('` + filepath.Join(dir, "snapshots", "dt="+night, "*.parquet") + `', hive_partitioning = false);`
	csv := func(name, types string) string {
		return `SELECT * FROM read_csv('` + filepath.Join(dir, "crm", name, "high", "high_"+night+"_0_0.csv") + `', header = true, columns = ` + types + `, nullstr = '', allow_quoted_nulls = false, max_line_size = 100000)`
	}
	payloads := `SELECT external_id, payload->>'churn' AS churn, payload->>'note' AS note, (payload->>'spent')::DECIMAL(20,3) AS spent,
		(payload->>'push')::BOOLEAN AS push, (payload->>'seen')::TIMESTAMPTZ AS seen
		FROM read_json('` + filepath.Join(dir, "crm", "payloads", "payloads", "payloads_"+night+"_0_0.json") + `', format = 'newline_delimited', columns = {external_id: 'VARCHAR', payload: 'VARCHAR'})`
	for name, test := range map[string]struct{ got, want string }{
		"import": {
			csv("import", `{external_id: 'VARCHAR', risk: 'VARCHAR', note: 'VARCHAR', ltv: 'DOUBLE', push: 'BOOLEAN', since: 'DATE', seen: 'TIMESTAMPTZ'}`),
			`SELECT user_id, CASE WHEN churn_score >= 75 THEN 'high' ELSE 'medium' END, note, ltv, push, since, seen FROM users WHERE high`,
		},
		"payloads": {
			payloads,
			`SELECT user_id, concat_ws(',', CASE WHEN high THEN 'high' END, CASE WHEN push THEN 'push' END), note, spent, push, seen FROM users WHERE high OR push`,
		},
		"google": {
			csv("google", `{Email: 'VARCHAR', Phone: 'VARCHAR'}`),
			`SELECT sha256(mail), sha256('+' || tel) FROM users WHERE high AND (mail <> '' OR tel <> '')`,
		},
		"meta": {
			csv("meta", `{phone: 'VARCHAR', email: 'VARCHAR'}`),
			`SELECT sha256(tel), sha256(mail) FROM users WHERE high AND (mail <> '' OR tel <> '')`,
		},
	} {
		rows := sql(t, snapshot+`CREATE TABLE got AS `+test.got+`; CREATE TABLE want AS `+test.want+`;
			SELECT (SELECT count(*) > 20000 FROM want) AS users,
			(SELECT count(*) FROM (SELECT * FROM want EXCEPT ALL SELECT * FROM got)) AS lost,
			(SELECT count(*) FROM (SELECT * FROM got EXCEPT ALL SELECT * FROM want)) AS added`)
		equal(t, name, row{"users": true, "lost": 0.0, "added": 0.0}, rows[0])
	}
}
