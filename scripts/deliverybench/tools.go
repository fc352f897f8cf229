//go:build linux

package main

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/churntier/churntier/pipeline/delivery"
)

// tool is one kind of campaign tool. Its queries are over the tables before and now
// (the members of both nights) and leavers (those of before who are not in now, with
// the reason), and give the same columns.
type tool struct {
	destination string
	columns     string
	knows       string // condition on a member whom the tool can be told of
	files       string // of one date, below its inbox: %s is the name of the delivery, then the date
	received    string // query of what is in these files, %s
	expected    string // query of what has to be in them
}

const addresses = `SELECT Email AS address, filename LIKE '%%_remove.csv' AS removes FROM read_csv('%s', header = true, all_varchar = true, filename = true)`

var tools = []tool{
	{
		destination: "csv", columns: "user_id: user_id, plan: plan, change: change, reason: reason", knows: "true",
		files:    "win-back/win-back_%[2]s_*.csv",
		received: `SELECT user_id, plan, change, reason FROM read_csv('%s', header = true, all_varchar = true)`,
		expected: `
			SELECT n.user_id, n.plan, CASE WHEN b.user_id IS NULL THEN 'entered' ELSE 'updated' END AS change, NULL AS reason
			FROM now n LEFT JOIN before b USING (user_id) WHERE b.user_id IS NULL OR b.plan <> n.plan
			UNION ALL SELECT user_id, NULL, 'left', reason FROM leavers`,
	},
	{
		destination: "braze-cdi", columns: "external_id: user_id, plan: plan", knows: "true",
		files:    "%[1]s/%[1]s_%[2]s_*.json",
		received: `SELECT external_id, payload FROM read_json('%s', format = 'newline_delimited', columns = {external_id: 'VARCHAR', payload: 'VARCHAR'})`,
		expected: `
			SELECT n.user_id AS external_id, '{"plan":"' || n.plan || '"}' AS payload
			FROM now n LEFT JOIN before b USING (user_id) WHERE b.user_id IS NULL OR b.plan <> n.plan
			UNION ALL SELECT user_id, '{"plan":null}' FROM leavers WHERE reason <> 'absent'`,
	},
	{
		destination: "google-customer-match", columns: "Email: email", knows: "email IS NOT NULL",
		files:    "win-back/win-back_%[2]s_*.csv",
		received: addresses,
		expected: `
			SELECT sha256(n.email) AS address, false AS removes FROM now n LEFT JOIN before b USING (user_id) WHERE b.user_id IS NULL OR b.email <> n.email
			UNION ALL SELECT sha256(b.email), true FROM now n JOIN before b USING (user_id) WHERE b.email <> n.email
			UNION ALL SELECT sha256(email), true FROM leavers`,
	},
}

// tables makes the tables of a tool: the published files of two nights, and the
// snapshot of the second.
const tables = `
	CREATE TABLE before AS SELECT * FROM read_parquet('%[1]s') WHERE %[2]s AND %[3]d > 0;
	CREATE TABLE now AS SELECT * FROM read_parquet('%[4]s') WHERE %[2]s;
	CREATE TABLE leavers AS
		SELECT b.*, CASE WHEN s.user_id IS NULL THEN 'absent' WHEN s.email_opt_out THEN 'suppressed' ELSE 'score' END AS reason
		FROM before b ANTI JOIN now USING (user_id) LEFT JOIN read_parquet('%[5]s') s ON s.user_id = b.user_id;
`

// comparison gives what was counted and how many rows differ.
const comparison = `
	CREATE TABLE received AS %s;
	CREATE TABLE expected AS %s;
	SELECT (SELECT count(*) FROM before) AS previous, (SELECT count(*) FROM now) AS now,
	       (SELECT count(*) FROM now ANTI JOIN before USING (user_id)) AS entered,
	       (SELECT count(*) FROM leavers) AS "left",
	       (SELECT count(*) FROM leavers WHERE reason = 'absent') AS absent,
	       (SELECT count(*) FROM leavers WHERE reason = 'suppressed') AS suppressed,
	       (SELECT count(*) FROM leavers WHERE reason = 'score') AS score,
	       (SELECT count(*) FROM received) AS "rows",
	       (SELECT count(*) FROM (FROM received EXCEPT ALL FROM expected)) AS unexpected,
	       (SELECT count(*) FROM (FROM expected EXCEPT ALL FROM received)) AS missing`

// truth is what SQL counts.
type truth struct {
	Previous, Now, Entered, Left, Absent, Suppressed, Score int64
	Rows, Unexpected, Missing                               int64
}

// check holds what a tool received of a night, and what the delivery says of it,
// against SQL. It gives the rows that the tool received.
func (b *bench) check(d delivered, at int, i *delivery.Intent) (int64, error) {
	members := func(night string) string {
		return b.path("out", "runs", night, "*", "audiences", "win-back", "*.parquet")
	}
	last := b.nights[max(at-1, 0)]
	files := b.path("inbox", d.name, fmt.Sprintf(d.tool.files, d.name, b.nights[at]))
	var found []truth
	err := b.sql(fmt.Sprintf(tables, members(last), d.tool.knows, at, members(b.nights[at]), b.path("snapshots", "dt="+b.nights[at], "*.parquet"))+
		fmt.Sprintf(comparison, fmt.Sprintf(d.tool.received, files), d.tool.expected), &found)
	if err != nil {
		return 0, err
	}
	t := found[0]
	want := delivery.Counts{Previous: t.Previous, Entered: t.Entered, Left: t.Left, Stayed: t.Now - t.Entered, Now: t.Now}
	reasons := map[delivery.Reason]int64{delivery.Absent: t.Absent, delivery.Suppressed: t.Suppressed, delivery.Score: t.Score}
	for reason, n := range reasons {
		if i.Reasons[reason] != n {
			err = cmp.Or(err, fmt.Errorf("%d users left as %s, SQL says %d", i.Reasons[reason], reason, n))
		}
	}
	switch {
	case i.Counts != want:
		err = fmt.Errorf("counted %+v, SQL %+v", i.Counts, want)
	case t.Unexpected+t.Missing > 0:
		err = fmt.Errorf("%s: of %d rows %d are unexpected, and %d are missing", filepath.Base(files), t.Rows, t.Unexpected, t.Missing)
	case at > 0 && i.ReasonsFrom != delivery.FromSnapshot:
		err = fmt.Errorf("the reasons are from the %s: %s", i.ReasonsFrom, i.ReasonsNote)
	}
	return t.Rows, err
}
