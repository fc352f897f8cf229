package interop_test

import (
	"encoding/json"
	"math"
	"os/exec"
	"path/filepath"
	"testing"
)

// debianPython is the interpreter that Debian's python3-sklearn belongs to.
const debianPython = "/usr/bin/python3"

// The model that scripts/warehouse/logistic.py writes gives every user the probability
// that scikit-learn gives.
func TestModelFromScikitLearn(t *testing.T) {
	needsDuckDB(t)
	if err := exec.Command(debianPython, "-c", "import sklearn").Run(); err != nil {
		t.Skip("scikit-learn is not here (Debian: python3-sklearn)")
	}
	dir := made(t, filepath.Join(t.TempDir(), "snapshots", "dt="+night))
	training := filepath.Join(dir, "training.csv")
	sql(t, `CREATE TABLE users AS SELECT user_id, days_since_last_session, sessions_7d, tenure_days, support_tickets_90d, churn_score
			FROM read_parquet('../../fixtures/snapshots/dt=2026-11-22/*.parquet') WHERE columns(*) IS NOT NULL ORDER BY user_id;
		COPY (SELECT * EXCLUDE (churn_score) FROM users) TO '`+filepath.Join(dir, "part-0.parquet")+`' (FORMAT parquet);
		COPY (SELECT * EXCLUDE (user_id, churn_score), (churn_score > 0.4)::INTEGER AS churned FROM users) TO '`+training+`' (HEADER);
		SELECT 1 AS done`)
	write(t, filepath.Join(dir, "_SUCCESS"), "")
	write(t, filepath.Join(dir, "config.yaml"), `prediction: from-scikit-learn
snapshot: {url: .., id: user_id, files: "*.parquet"}
score: {model: churn.json}
publish: {url: ../../out}
`)
	var want []float64
	said := run(t, debianPython, "-c", `exec(open("../warehouse/logistic.py").read()); print(json.dumps(model.predict_proba(X)[:, 1].tolist()))`,
		training, filepath.Join(dir, "churn.json"))
	if err := json.Unmarshal(said, &want); err != nil {
		t.Fatal(err)
	}
	run(t, program("churntier"), "check", "-c", filepath.Join(dir, "config.yaml"))
	run(t, program("churntier"), "run", "-c", filepath.Join(dir, "config.yaml"), "--quiet")
	got := sql(t, `SELECT churn_probability AS p FROM read_parquet('`+filepath.Join(dir, "..", "..", "out", "runs", night, "*", "scores", "*.parquet")+`') ORDER BY user_id`)
	if len(got) != len(want) || len(got) < 2000 {
		t.Fatalf("%d users were scored, %d by scikit-learn", len(got), len(want))
	}
	for i, row := range got {
		if p := row["p"].(float64); math.Abs(p-want[i]) > 1e-12 {
			t.Fatalf("user %d: %v, scikit-learn %v", i, p, want[i])
		}
	}
}
