package interop_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// needsDuckDB skips a test where DuckDB is not installed.
func needsDuckDB(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("../peers/node_modules"); err != nil {
		t.Skip("scripts/peers/install was not run: DuckDB is not here")
	}
}

type row = map[string]any

func sql(t *testing.T, query string) []row {
	t.Helper()
	var rows []row
	if err := json.Unmarshal(run(t, "node", "../peers/sql.js", query), &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

const (
	sqlParts    = 5
	sqlPartRows = 44_000
)

// writeMixedSnapshot lets DuckDB write a night with every codec and both versions
// of data pages. Every thousandth row has one of the scores on the edge.
func writeMixedSnapshot(t *testing.T, dir string) {
	t.Helper()
	folder := filepath.Join(dir, "snapshots", "dt="+night)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	edges := `[0::DOUBLE, 4.99, 5, 49.99, 50, 74.99, 75, 100, -1, 101, 'NaN'::DOUBLE, NULL]`
	codecs := []string{"snappy", "zstd", "gzip", "uncompressed", "lz4_raw"}
	var script strings.Builder
	for part, codec := range codecs {
		first := part * sqlPartRows
		fmt.Fprintf(&script, `COPY (
			SELECT CASE WHEN i %% 3 = 0 THEN 'u' || i ELSE 'user-é-' || hash(i) END AS user_id,
			       CASE WHEN i %% 1000 < 12 THEN (%s)[1 + i %% 1000] ELSE (hash(i) %% 1000003) / 10000.03::DOUBLE END AS churn_score,
			       ['free', 'pro', NULL, 'a,"b"'][1 + (hash(i) %% 4)::BIGINT] AS plan
			FROM range(%d, %d) r(i)) TO '%s' (FORMAT parquet, COMPRESSION %s, PARQUET_VERSION %s, ROW_GROUP_SIZE 20000);`,
			edges, first, first+sqlPartRows, filepath.Join(folder, fmt.Sprintf("part-%d.parquet", part)), codec, []string{"V1", "V2"}[part%2])
	}
	sql(t, script.String()+"SELECT 1 AS done")
	write(t, filepath.Join(folder, "_SUCCESS"), "")
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const sqlConfig = `prediction: brute-force
snapshot: {url: snapshots, id: user_id}
score:
  column: {name: churn_score, range: [0, 100]}
audiences:
  - {name: high, score: [75, 100], files: [{format: parquet}, {format: csv}]}
  - {name: medium, score: [50, 74.99], files: [{format: parquet}, {format: csv}]}
  - {name: low, score: [0, 49.99], files: [{format: parquet}, {format: csv}]}
gates:
  rejected: {max_share: 1}
publish:
  url: out
  passthrough: [plan]
`

// summary counts users and hashes (id, hundredths) without regard to order; the
// columns it reads are user_id and h.
const summary = `count(*) AS users, CAST(bit_xor(hash(user_id, h)) AS VARCHAR) AS checksum, sum(h) AS total`

// The distribution, the categories and every file, recomputed in SQL from the
// snapshot by the definition: a probability, times 10,000, rounded half away from
// zero.
func TestDuckDBCountsTheSame(t *testing.T) {
	needsDuckDB(t)
	dir := t.TempDir()
	writeMixedSnapshot(t, dir)
	path := filepath.Join(dir, "config.yaml")
	write(t, path, sqlConfig)
	run(t, program("churntier"), "run", "-c", path, "--quiet")

	truth := fmt.Sprintf(`CREATE TABLE truth AS
		SELECT user_id, plan, CAST(round(10000::DOUBLE * (churn_score / 100::DOUBLE)) AS INTEGER) AS h
		FROM read_parquet('%s/snapshots/dt=%s/*.parquet', hive_partitioning = false)
		WHERE churn_score >= 0 AND churn_score <= 100;`, dir, night)
	m := manifestOf(t, dir)
	counts := sql(t, truth+fmt.Sprintf(`SELECT count(*) AS scored, %d - count(*) AS rejected FROM truth`, sqlParts*sqlPartRows))[0]
	equal(t, "rows", row{"scored": m.Rows["scored"], "rejected": m.Rows["rejected"]}, counts)
	equal(t, "reasons", row{"score_null": 220.0, "score_nan": 220.0, "score_out_of_range": 440.0}, m.Reasons)
	buckets := make([]float64, 20)
	for _, r := range sql(t, truth+`SELECT least(19, h // 500) AS bucket, count(*) AS users FROM truth GROUP BY ALL`) {
		buckets[int(r["bucket"].(float64))] = r["users"].(float64)
	}
	equal(t, "buckets", buckets, m.Distribution)
	ranges := map[string]string{"high": "h >= 7500", "medium": "h >= 5000 AND h < 7500", "low": "h < 5000"}
	for i, name := range []string{"high", "medium", "low"} {
		want := sql(t, truth+`SELECT `+summary+` FROM truth WHERE `+ranges[name])[0]
		equal(t, name+" category", row{"users": m.Categories[i].Count}, row{"users": want["users"]})
		files := filepath.Join(dir, "out", "runs", night, "*", "audiences", name)
		equal(t, name+" parquet", want, sql(t, `SELECT `+summary+` FROM (SELECT user_id, (score * 100)::INTEGER AS h, category
			FROM read_parquet('`+files+`/*.parquet')) WHERE category = '`+name+`'`)[0])
		equal(t, name+" csv", want, sql(t, `SELECT `+summary+` FROM (SELECT user_id, (score::DECIMAL(5,2) * 100)::INTEGER AS h, category
			FROM read_csv('`+files+`/*.csv', header = true, all_varchar = true)) WHERE category = '`+name+`'`)[0])
	}
	scores := filepath.Join(dir, "out", "runs", night, "*", "scores", "*.parquet")
	const withPlan = `, CAST(bit_xor(hash(user_id, plan)) AS VARCHAR) AS plans, count(plan) AS with_plan`
	equal(t, "scores", sql(t, truth+`SELECT `+summary+withPlan+` FROM truth`)[0],
		sql(t, `SELECT `+summary+withPlan+` FROM (SELECT *, (churn_score * 100)::INTEGER AS h FROM read_parquet('`+scores+`'))`)[0])
	table := filepath.Join(dir, "out", "runs", night, "*", "distribution.parquet")
	equal(t, "distribution table", sql(t, truth+`SELECT h, count(*) AS users FROM truth GROUP BY h ORDER BY h`),
		sql(t, `SELECT (score * 100)::INTEGER AS h, count AS users FROM read_parquet('`+table+`') WHERE count > 0 ORDER BY h`))
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// manifest is the part of a published manifest that the tests compare.
type manifest struct {
	Rows         row
	Reasons      row `json:"rejected_reasons"`
	Distribution []float64
	Categories   []struct {
		Name  string
		Count float64
	}
	Audiences, Tables []struct {
		Name             string
		Members, Control float64 // of an audience
		Files            []struct{ Key, SHA256 string }
	}
	Run string
}

func manifestOf(t *testing.T, dir string) manifest {
	t.Helper()
	return parse(t, content(t, filepath.Join(dir, "out", "latest", "_MANIFEST.json")))
}

func parse(t *testing.T, text []byte) manifest {
	t.Helper()
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// sums gives the SHA-256 of every file of a run by its key without the run.
func (m manifest) sums() map[string]string {
	sums := map[string]string{}
	for _, set := range slices.Concat(m.Audiences, m.Tables) {
		for _, f := range set.Files {
			sums[strings.Replace(f.Key, m.Run, "RUN", 1)] = f.SHA256
		}
	}
	return sums
}
