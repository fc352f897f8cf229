package interop_test

import (
	"fmt"
	"strings"
)

// normal gives a contact as it is compared: without white space around it and in
// lower case; null where nothing is left.
const normal = `CREATE MACRO normal(text) AS nullif(lower(regexp_replace(text, '^[\s\v\x{85}\p{Z}]+|[\s\v\x{85}\p{Z}]+$', '', 'g')), '');`

// nightTables makes the tables snapshot, with the fate of every row, and scored,
// with the published score and category and whether the user is suppressed.
const nightTables = `SET TimeZone = 'UTC'; ` + normal + `$LISTS
CREATE TABLE facts (audience VARCHAR, fact VARCHAR, n BIGINT);
CREATE VIEW rows AS SELECT *, $ID AS who, $CONTACT AS contact FROM read_parquet('$SNAPSHOT', hive_partitioning = false);
CREATE VIEW crowds AS SELECT contact, count(*) > 20 AS crowded FROM rows GROUP BY contact;
CREATE TABLE snapshot AS SELECT *, $FATE AS fate FROM rows LEFT JOIN crowds USING (contact);
CREATE TABLE scores AS SELECT $ID AS who, (churn_score * 100)::INTEGER AS h, churn_category AS category FROM read_parquet('$SCORES');
CREATE TABLE scored AS SELECT *, ($SUPPRESSED) IS DISTINCT FROM false AS suppressed, $KEY AS key
	FROM (FROM snapshot WHERE fate = 'scored') JOIN scores USING (who);
INSERT INTO facts SELECT '', fate, count(*) FROM snapshot GROUP BY ALL;
INSERT INTO facts SELECT '', fact, n FROM (
	SELECT (SELECT count(*) FROM snapshot) AS read, (SELECT count(*) FROM scored WHERE suppressed) AS suppressed,
	       (SELECT count(*) FROM (SELECT who FROM snapshot WHERE fate = 'scored' EXCEPT ALL SELECT who FROM scores)) AS "not scored",
	       (SELECT count(*) FROM (SELECT who FROM scores EXCEPT ALL SELECT who FROM snapshot WHERE fate = 'scored')) AS "scored too much"
) UNPIVOT (n FOR fact IN (COLUMNS(*)));
`

// arms reads the files of one audience. CSV and JSON lines are read strictly, with
// the types that the columns must have.
const arms = `
CREATE OR REPLACE TABLE members AS SELECT $ID AS who, (score * 100)::INTEGER AS h, category FROM read_parquet('$FILES/part-*.parquet');
CREATE OR REPLACE TABLE control AS SELECT $ID AS who, (score * 100)::INTEGER AS h, category FROM read_parquet('$FILES/control-*.parquet');
CREATE OR REPLACE TABLE selected AS FROM members UNION ALL FROM control;
CREATE OR REPLACE TABLE in_csv AS SELECT $ID AS who, (score * 100)::INTEGER AS h, category FROM read_csv('$FILES/part-*.csv', header = true, strict_mode = true,
	auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {$ID: 'VARCHAR', score: 'DECIMAL(5,2)', category: 'VARCHAR'});
CREATE OR REPLACE TABLE in_jsonl AS SELECT $ID AS who, (score * 100)::INTEGER AS h, category FROM read_json('$FILES/part-*.jsonl.gz',
	format = 'newline_delimited', columns = {$ID: 'VARCHAR', score: 'DECIMAL(5,2)', category: 'VARCHAR'});
`

// judge compares the files of one audience with the table candidates. Of candidates
// who are not selected only those above the lowest selected score are missing where
// there is a limit.
const judge = `
INSERT INTO facts SELECT '$NAME', fact, n FROM (
	SELECT (SELECT count(*) FROM candidates) AS candidates, (SELECT count(*) FROM members) AS members,
	       (SELECT count(*) FROM control) AS control, (SELECT count(*) FROM selected) AS selected,
	       (SELECT count(*) FROM (SELECT who, h, category FROM candidates EXCEPT ALL FROM selected)
	        WHERE NOT $LIMITED OR h > (SELECT min(h) FROM selected)) AS missing,
	       (SELECT count(*) FROM (FROM selected EXCEPT ALL SELECT who, h, category FROM candidates)) AS added,
	       (SELECT count(*) FROM (FROM members EXCEPT ALL FROM in_csv)) AS "csv lost",
	       (SELECT count(*) FROM (FROM in_csv EXCEPT ALL FROM members)) AS "csv added",
	       (SELECT count(*) FROM (FROM members EXCEPT ALL FROM in_jsonl)) AS "jsonl lost",
	       (SELECT count(*) FROM (FROM in_jsonl EXCEPT ALL FROM members)) AS "jsonl added"
) UNPIVOT (n FOR fact IN (COLUMNS(*)));
CREATE OR REPLACE TABLE arm AS SELECT c.key, c.contact, c.crowded, held FROM candidates c
	JOIN (SELECT who, false AS held FROM members UNION ALL SELECT who, true FROM control) USING (who);
INSERT INTO facts SELECT '$NAME', fact, n FROM (
	SELECT count(*) AS keys, count(*) FILTER (held) AS "held keys", count(*) FILTER (held AND NOT whole) AS "torn keys"
	FROM (SELECT bool_or(held) AS held, bool_and(held) AS whole FROM arm GROUP BY key)
) UNPIVOT (n FOR fact IN (COLUMNS(*)));
INSERT INTO facts SELECT '$NAME', fact, n FROM (
	SELECT count(*) AS crowds, count(*) FILTER (held = whole) AS "whole crowds"
	FROM (SELECT bool_or(held) AS held, bool_and(held) AS whole FROM arm WHERE crowded GROUP BY contact HAVING count(*) > 7)
) UNPIVOT (n FOR fact IN (COLUMNS(*)));
`

// bruteForce is one script: it makes the tables of the night, then judges one
// audience after the other, and gives all facts.
func (c *trial) bruteForce() string {
	var s strings.Builder
	s.WriteString(c.nightSQL())
	var earlier []string
	for i, a := range c.audiences {
		where := "(" + orTrue(a.where) + ")"
		if a.exclusive {
			for _, table := range earlier {
				where += " AND who NOT IN (SELECT who FROM " + table + ")"
			}
			earlier = append(earlier, fmt.Sprintf("exclusive_%d", i))
		}
		fmt.Fprintf(&s, "CREATE OR REPLACE TABLE candidates AS SELECT who, h, category, contact, crowded, key FROM scored WHERE NOT suppressed AND %s;\n", where)
		if a.exclusive {
			fmt.Fprintf(&s, "CREATE TABLE exclusive_%d AS SELECT who FROM candidates;\n", i)
		}
		s.WriteString(replaced(arms+judge, "$ID", c.id, "$FILES", c.path("audiences", a.name), "$NAME", a.name,
			"$LIMITED", fmt.Sprint(a.limit > 0)))
	}
	return s.String() + "FROM facts"
}

// nightSQL makes the tables of the night.
func (c *trial) nightSQL() string {
	key := "who"
	if c.byContact {
		key = "CASE WHEN contact IS NULL OR crowded THEN who ELSE contact END"
	}
	return c.text(replaced(nightTables, "$SNAPSHOT", c.snapshot, "$LISTS", c.lists, "$ID", c.id, "$CONTACT", c.contact, "$FATE", c.fate,
		"$SUPPRESSED", c.suppressed, "$SCORES", c.path("scores", "*.parquet"), "$KEY", key))
}

func orTrue(where string) string {
	if where == "" {
		return "true"
	}
	return where
}

// replaced puts values in the place of words.
func replaced(text string, wordsAndValues ...string) string {
	return strings.NewReplacer(wordsAndValues...).Replace(text)
}

// listsOf gives statements that write the lists of a trial: some users of the
// snapshot, as people write them, and users who are not there. The ids of others in
// capitals or with a blank name no one; contacts in them do.
func listsOf(snapshot, id, email string) string {
	return replaced(`
CREATE TABLE users AS SELECT $ID AS id, $EMAIL AS email, hash($ID) AS n
	FROM read_parquet('$SNAPSHOT', hive_partitioning = false) WHERE $ID <> '' AND NOT regexp_matches($ID, '[\x00-\x1f\x7f]') AND length($ID) < 1000;
COPY (SELECT id AS erased FROM users WHERE n % 101 = 3 UNION ALL SELECT 'never-there') TO '$DIR/lists/erased.parquet' (FORMAT parquet);
COPY (SELECT 'a note' AS note, id AS uid FROM users WHERE n % 23 = 5
	UNION ALL SELECT 'twice', id FROM users WHERE n % 46 = 5
	UNION ALL SELECT 'other case', CASE WHEN upper(id) = id THEN lower(id) ELSE upper(id) END FROM users WHERE n % 29 = 1
	UNION ALL SELECT 'padded', ' ' || id FROM users WHERE n % 29 = 2
	UNION ALL SELECT NULL, 'u-' || i FROM range(1000) r(i)) TO '$DIR/lists/complaints.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048);
COPY (SELECT [upper(email), ' ' || email, email || E'\t\n', chr(160) || upper(email) || chr(12288), email][1 + (n % 5)::BIGINT] AS address
	FROM users WHERE n % 31 = 7 AND email IS NOT NULL
	UNION ALL SELECT email || ' ' FROM users WHERE n % 62 = 7) TO '$DIR/lists/unsubscribed/a.parquet' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2);
COPY (SELECT n AS unread, email AS address FROM users WHERE n % 37 = 11
	UNION ALL SELECT NULL, [NULL, 'nobody' || i || '@example.com', '', '  ', 'example.com'][1 + i % 5] FROM range(500) r(i)) TO '$DIR/lists/unsubscribed/b.parquet' (FORMAT parquet);
`, "$SNAPSHOT", snapshot, "$ID", id, "$EMAIL", email)
}

// listViews are these lists in the form that they are compared in.
const listViews = `
CREATE VIEW erased AS SELECT erased FROM read_parquet('$DIR/lists/erased.parquet');
CREATE VIEW complaints AS SELECT uid FROM read_parquet('$DIR/lists/complaints.parquet');
CREATE VIEW unsubscribed AS SELECT normal(address) AS address FROM read_parquet('$DIR/lists/unsubscribed/*.parquet') WHERE normal(address) IS NOT NULL;
`
