package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const formUsers = 50_000

// writeOddSnapshot lets DuckDB write a night of users with addresses, phone
// numbers and notes that are hard to quote.
func writeOddSnapshot(t *testing.T, dir string) {
	t.Helper()
	folder := filepath.Join(dir, "snapshots", "dt="+night)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	sql(t, fmt.Sprintf(`COPY (
		SELECT 'u' || i AS user_id, (hash(i) %% 10001) / 100.0::DOUBLE AS churn_score,
		       CASE WHEN i %% 7 > 0 THEN [' ', '', chr(9)][1 + i %% 3] || 'User' || i || '@Example.COM' || [' ', '', chr(10)][1 + i %% 3] END AS email,
		       ['+33 6 ', '0033(6)', '06 ', NULL][1 + (hash(i) %% 4)::BIGINT] || lpad(i::VARCHAR, 8, '0') AS phone,
		       ['plain', 'a,"b"', 'two' || chr(13) || chr(10) || 'lines', 'tab' || chr(9) || 'back\slash', 'é😀' || chr(8232), repeat('long ', 2000), '', NULL][1 + i %% 8] AS note,
		       CASE WHEN i %% 5 > 0 THEN (hash(i * 3) %% 1000003) / 7.0::DOUBLE END AS ltv,
		       CASE WHEN i %% 5 > 1 THEN (i * 10007 %% 99999999999)::DECIMAL(20,3) / 10 END::DECIMAL(20,3) AS spent,
		       i %% 3 = 0 AS push, DATE '2026-01-01' + (i %% 300)::INTEGER AS since,
		       TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_microseconds(i * 1000003) AS seen, (hash(i) >> 1)::BIGINT AS big
		FROM range(%d) r(i)) TO '%s' (FORMAT parquet, ROW_GROUP_SIZE 20000); SELECT 1 AS done`, formUsers, filepath.Join(folder, "part-0.parquet")))
	write(t, filepath.Join(folder, "_SUCCESS"), "")
}

const oddColumns = `{user_id: user_id, score: score, category: category, p: probability, day: snapshot_date, note: note, ltv: ltv, spent: spent,
      push: push, since: since, seen: seen, big: big, mail: {from: email, hash: sha256-lower-trim}, tel: {from: phone, normalise: e164},
      tel_hash: {from: phone, normalise: e164, hash: sha256-lower-trim}}`

// oddTypes are what DuckDB reads the columns of text files as.
const oddTypes = `{user_id: 'VARCHAR', score: 'DECIMAL(5,2)', category: 'VARCHAR', p: 'DOUBLE', day: 'DATE', note: 'VARCHAR', ltv: 'DOUBLE', spent: 'DECIMAL(20,3)',
	push: 'BOOLEAN', since: 'DATE', seen: 'TIMESTAMPTZ', big: 'BIGINT', mail: 'VARCHAR', tel: 'VARCHAR', tel_hash: 'VARCHAR'}`

// Each form of an audience, read by DuckDB, has the rows of the Parquet file; and
// that has the hashes and numbers that SQL makes of the snapshot.
func TestDuckDBReadsTheSameFromEveryForm(t *testing.T) {
	needsDuckDB(t)
	dir := t.TempDir()
	writeOddSnapshot(t, dir)
	path := filepath.Join(dir, "config.yaml")
	var files []string
	for _, form := range []string{"format: parquet", "format: csv", "format: csv, gzip: true", "format: jsonl", "format: jsonl, gzip: true"} {
		files = append(files, "      - {"+form+", columns: "+oddColumns+"}\n")
	}
	write(t, path, strings.Replace(sqlConfig, sqlConfig[strings.Index(sqlConfig, "audiences:"):strings.Index(sqlConfig, "gates:")],
		"audiences:\n  - name: all\n    files:\n"+strings.Join(files, ""), 1))
	run(t, program("churntier"), "run", "-c", path, "--quiet", "--set", "publish.passthrough=[]")

	part := filepath.Join(dir, "out", "runs", night, "*", "audiences", "all", "part-00000.")
	members := `CREATE TABLE members AS SELECT * FROM read_parquet('` + part + `parquet');`
	readCSV := func(extension string) string {
		return `read_csv('` + part + extension + `', header = true, columns = ` + oddTypes + `, nullstr = '', allow_quoted_nulls = false, max_line_size = 100000)`
	}
	readJSON := func(extension string) string {
		return `read_json('` + part + extension + `', format = 'newline_delimited', columns = ` + oddTypes + `)`
	}
	for form, read := range map[string]string{
		"csv": readCSV("csv"), "csv.gz": readCSV("csv.gz"), "jsonl": readJSON("jsonl"), "jsonl.gz": readJSON("jsonl.gz"),
	} {
		got := sql(t, members+`CREATE TABLE other AS SELECT * FROM `+read+`; SELECT (SELECT count(*) FROM other) AS users,
			(SELECT count(*) FROM (SELECT * FROM members EXCEPT ALL SELECT * FROM other)) AS lost,
			(SELECT count(*) FROM (SELECT * FROM other EXCEPT ALL SELECT * FROM members)) AS added`)[0]
		equal(t, form, row{"users": float64(formUsers), "lost": 0.0, "added": 0.0}, got)
	}
	snapshot := filepath.Join(dir, "snapshots", "dt="+night, "*.parquet")
	const space = `E' \t\n'`
	got := sql(t, members+`SELECT count(*) AS users, count(mail) AS mails, count(tel) AS tels,
		count(*) FILTER (mail IS DISTINCT FROM sha256(lower(trim(email, `+space+`)))) AS other_mails,
		count(*) FILTER (tel IS DISTINCT FROM international) AS other_tels,
		count(*) FILTER (tel_hash IS DISTINCT FROM sha256(international)) AS other_hashes
		FROM members JOIN (SELECT *, CASE WHEN phone LIKE '+33%' OR phone LIKE '0033%' THEN '+336' || right(phone, 8) END AS international
			FROM read_parquet('`+snapshot+`', hive_partitioning = false)) USING (user_id)`)[0]
	if got["mails"] == 0.0 || got["tels"] == 0.0 {
		t.Errorf("%v: nothing to compare", got)
	}
	delete(got, "mails")
	delete(got, "tels")
	equal(t, "hashes and numbers", row{"users": float64(formUsers), "other_mails": 0.0, "other_tels": 0.0, "other_hashes": 0.0}, got)
}
