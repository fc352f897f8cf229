package interop_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
)

// dress makes of the snapshot of gen.js one that is harder: addresses in several
// spellings that users share, exactly twenty or one more of them; duplicates, bad
// ids, nulls, numbers at the ends of their types, NaN and infinities.
const dress = `
CREATE TABLE raw AS SELECT *, hash(user_id) AS n, row_number() OVER (ORDER BY user_id) - 1 AS i FROM read_parquet('$RAW', hive_partitioning = false);
CREATE TABLE dressed AS SELECT * EXCLUDE (n, i) REPLACE (
	CASE WHEN i < 1000 THEN 'Twenty' || i // 20 || '@office.example' WHEN i < 3100 THEN ' more' || i // 21 || '@Office.example'
	     WHEN n % 20 = 0 THEN [NULL, '', ' ', chr(160), 'two' || chr(10) || 'lines@example.com', repeat('long', 300)][1 + (i % 6)::BIGINT]
	     ELSE ['', '', ' ', chr(8195)][1 + (n // 3 % 4)::BIGINT] || [['Kunde', 'kUNDE'], ['élan', 'ÉLAN'], ['Яна', 'яНА'], ['kelvin', chr(8490) || 'elvin']][1 + (g % 4)::BIGINT][1 + (n // 7 % 2)::BIGINT]
	          || g || '@Example.com' || ['', chr(9), chr(12288)][1 + (n // 5 % 3)::BIGINT] END AS email,
	CASE WHEN n % 13 > 0 THEN email_opt_out END AS email_opt_out, CASE WHEN n % 11 > 0 THEN plan END AS plan,
	CASE WHEN i % 90001 = 5 THEN lpad(user_id, 1024, 'z') ELSE user_id END AS user_id),
	CASE n % 40 WHEN 0 THEN 'NaN'::DOUBLE WHEN 1 THEN 'Infinity'::DOUBLE WHEN 2 THEN '-Infinity'::DOUBLE WHEN 3 THEN NULL ELSE (n // 64 % 2001)::BIGINT - 1000 END / 8::DOUBLE AS balance,
	CASE n % 10 WHEN 0 THEN 9223372036854775807 WHEN 1 THEN -9223372036854775808 WHEN 2 THEN NULL ELSE (n // 32 % 201)::BIGINT - 100 END AS points,
	CASE WHEN n % 9 > 0 THEN (n // 128 % 61)::SMALLINT - 20::SMALLINT END AS "Call  Failure",
	DATE '2026-11-23' - (n // 256 % 900)::INTEGER AS signup
	FROM (SELECT *, i // 3 AS g FROM raw);
INSERT INTO dressed SELECT * REPLACE ('other' AS plan) FROM dressed WHERE hash(user_id) % 5003 = 1;
INSERT INTO dressed SELECT * REPLACE ([NULL, '', 'a' || chr(7), repeat('x', 1025), 'del' || chr(127)][1 + (hash(user_id) // 7 % 5)::BIGINT] AS user_id) FROM dressed WHERE hash(user_id) % 5003 = 2;
`

// generatedTrial is a snapshot of gen.js, dressed.
func generatedTrial(t *testing.T, users, groupRows int) *trial {
	dir := t.TempDir()
	run(t, "node", "../peers/gen.js", filepath.Join(dir, "raw"), "--users", strconv.Itoa(users))
	folder := made(t, filepath.Join(dir, "snapshots", "dt=2026-11-22"))
	write(t, filepath.Join(folder, "_SUCCESS"), "")
	prepare := replaced(dress, "$RAW", filepath.Join(dir, "raw", "snapshots", "*", "*.parquet"))
	codecs := []string{"snappy", "zstd", "lz4_raw", "uncompressed"}
	for part, codec := range codecs {
		prepare += fmt.Sprintf("COPY (FROM dressed WHERE (rowid * 7) %% %d = %d) TO '%s' (FORMAT parquet, COMPRESSION %s, ROW_GROUP_SIZE %d);\n",
			len(codecs), part, filepath.Join(folder, fmt.Sprintf("part-%d.parquet", part)), codec, groupRows)
	}
	snapshot := filepath.Join(folder, "*.parquet")
	return &trial{
		dir: dir, night: "2026-11-22", snapshot: snapshot, id: "user_id", byContact: true, share: 0.2,
		config: `prediction: generated
timezone: Asia/Kolkata
snapshot: {url: snapshots, id: user_id, contact: email}
score: {model: raw/model.json}
exclude: [{url: lists/erased.parquet, id: erased}]
eligible: 'days_since_last_session <= 60 || sessions_7d > 4'
suppress:
  - {where: 'email_opt_out'}
  - {where: '!push_enabled && support_tickets_90d >= 5 || balance < -120.0'}
  - {url: lists/complaints.parquet, id: uid}
  - {url: lists/unsubscribed/*.parquet, contact: address}
holdout: {share: 0.2, salt: generated, key: contact}
gates: {rejected: {max_share: 1}, duplicates: {max_share: 1}}
publish: {url: out}
`,
		prepare: prepare + listsOf(snapshot, "user_id", "CASE WHEN email NOT LIKE 'two%' AND length(email) < 1000 THEN email END"),
		lists:   listViews,
		contact: `CASE WHEN NOT regexp_matches(normal(email), '[\x00-\x1f\x7f]') AND strlen(normal(email)) <= 1024 THEN normal(email) END`,
		fate: `CASE WHEN who IS NULL OR who = '' OR strlen(who) > 1024 OR regexp_matches(who, '[\x00-\x1f\x7f]') THEN 'rejected'
			WHEN who IN (FROM erased) THEN 'excluded'
			WHEN count(*) OVER (PARTITION BY who) > 1 THEN 'duplicates'
			WHEN (days_since_last_session <= 60 OR sessions_7d > 4) IS NOT TRUE THEN 'ineligible' ELSE 'scored' END`,
		suppressed: `email_opt_out OR NOT push_enabled AND support_tickets_90d >= 5 OR balance < -120 OR who IN (FROM complaints)
			OR contact IS NULL OR contact IN (FROM unsubscribed)`,
		audiences: generatedAudiences(users),
	}
}

// generatedAudiences are three exclusive ones, of which two have limits that bind,
// and one for every sort of expression. now is 18:30 UTC of the night.
func generatedAudiences(users int) []audience {
	return []audience{
		{name: "everyone"},
		{name: "top", limit: users / 50, exclusive: true, keys: `where: 'plan in ["free", "basic"] && push_enabled'`, where: `plan IN ('free', 'basic') AND push_enabled`},
		{name: "next", limit: users / 40, exclusive: true, keys: `score: [25, 99.99]`, where: `h BETWEEN 2500 AND 9999`},
		{name: "others", exclusive: true, keys: `where: 'category != "low" || country == "DE" && score < 4.995'`, where: `category <> 'low' OR country = 'DE' AND h <= 499`},
		{name: "no-number",
			keys:  `where: 'balance > 60.5 && balance - balance == 0.0 || balance != balance'`,
			where: `isnan(balance) OR balance > 60.5 AND balance < 'Infinity'`},
		{name: "not-below",
			keys:  `where: '!(balance <= 100.0)'`,
			where: `isnan(balance) OR balance > 100`},
		{name: "overflow",
			keys:  `where: '(points + 1) == null && sessions_30d > 20 || !(-points > -50) && points > 0'`,
			where: `(points IS NULL OR points = 9223372036854775807) AND sessions_30d > 20 OR points >= 50`},
		{name: "divided",
			keys:  `where: 'col("Call  Failure") % 7 == -1 || 1000 / col("Call  Failure") > 100'`,
			where: `"Call  Failure" IN (-1, -8, -15) OR "Call  Failure" BETWEEN 1 AND 9`},
		{name: "infinite",
			keys:  `where: 'ltv / double(sessions_7d) > 100.0 && ltv != null'`,
			where: `CASE WHEN sessions_7d = 0 THEN ltv > 0 ELSE ltv / sessions_7d::DOUBLE > 100 END`},
		{name: "times",
			keys:  `where: 'signup >= timestamp("2025-11-22T02:00:00+02:00") && now - updated_at > duration("240h30m")'`,
			where: `signup >= DATE '2025-11-22' AND updated_at < TIMESTAMPTZ '2026-11-12 18:00:00+00'`},
		{name: "since-signup",
			keys:  `where: 'updated_at - signup < duration("4800h") && updated_at + duration("24h") > now'`,
			where: `updated_at < signup::TIMESTAMP + INTERVAL 4800 HOUR AND updated_at > TIMESTAMPTZ '2026-11-21 18:30:00+00'`},
		{name: "abroad",
			keys:  `where: '!(country in ["US", "DE", "FR", "GB"]) && !(plan in ["free", "basic"])'`,
			where: `country NOT IN ('US', 'DE', 'FR', 'GB') AND plan NOT IN ('free', 'basic')`},
		{name: "spelt",
			keys:  `where: 'email.matches("(?i)^\\s*(kunde|élan).*7@") && size(email) > 16 && !email.startsWith(" ") && email < "é"'`,
			where: `regexp_matches(email, '(?i)^\s*(kunde|élan).*7@') AND length(email) > 16 AND NOT starts_with(email, ' ') AND email < 'é'`},
		{name: "nulls",
			keys:  `where: 'sessions_7d in [0, 1, 2] && purchases_90d == null || (ltv > 100.0 && plan == "free") == null'`,
			where: `sessions_7d IN (0, 1, 2) AND purchases_90d IS NULL OR ltv IS NULL AND (plan = 'free' OR plan IS NULL) OR plan IS NULL AND ltv > 100`},
		{name: "flags",
			keys:  `where: 'avg_session_min > 8.1 && !push_enabled == email_opt_out && (plan + ":" + country).contains("o:F")'`,
			where: `avg_session_min::DOUBLE > 8.1::DOUBLE AND push_enabled AND plan = 'pro' AND country = 'FR'`},
	}
}

func TestAudiencesOfAMillionAreThoseOfSQL(t *testing.T) {
	needsDuckDB(t)
	users := 1_000_000
	if testing.Short() {
		users = 200_000
	}
	generatedTrial(t, users, 61_440).hold(t)
}
