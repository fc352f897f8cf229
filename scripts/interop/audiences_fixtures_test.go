package interop_test

import (
	"path/filepath"
	"testing"
)

// fixturesTrial is a night of the fixtures, whose spoiled one has odd texts, more
// nulls, duplicates and bad ids.
func fixturesTrial(t *testing.T, night string) *trial {
	fixtures, err := filepath.Abs("../../fixtures")
	if err != nil {
		t.Fatal(err)
	}
	snapshot := filepath.Join(fixtures, "snapshots", "dt="+night, "*.parquet")
	return &trial{
		dir: t.TempDir(), night: night, snapshot: snapshot, id: "user_id", contact: "normal(email)", share: 0.2,
		config: `prediction: fixtures
snapshot: {url: ` + filepath.Join(fixtures, "snapshots") + `, id: user_id, contact: email, as_of: updated_at, duplicates: keep_identical}
score: {model: ` + filepath.Join(fixtures, "models", "churn.json") + `}
exclude: [{url: lists/erased.parquet, id: erased}]
eligible: 'sessions_30d > 0 || days_since_last_session <= 45 && tenure_days >= 30'
suppress:
  - {where: 'email_opt_out'}
  - {where: 'ltv > 400.0'}
  - {url: lists/complaints.parquet, id: uid}
  - {url: lists/unsubscribed/*.parquet, contact: address}
holdout: {share: 0.2, salt: fixtures, key: id}
gates: {rejected: {max_share: 1}, duplicates: {max_share: 1}}
publish: {url: out}
`,
		prepare: listsOf(snapshot, "user_id", "email"),
		lists:   listViews,
		fate: `CASE WHEN who IS NULL OR who = '' OR regexp_matches(who, '[\x00-\x1f]') THEN 'rejected'
			WHEN who IN (FROM erased) THEN 'excluded'
			WHEN row_number() OVER (PARTITION BY who) > 1 THEN 'duplicates'
			WHEN min(plan) OVER (PARTITION BY who) IS DISTINCT FROM max(plan) OVER (PARTITION BY who) THEN 'duplicates'
			WHEN (sessions_30d > 0 OR days_since_last_session <= 45 AND tenure_days >= 30) IS NOT TRUE THEN 'ineligible' ELSE 'scored' END`,
		suppressed: `email_opt_out OR ltv > 400 OR who IN (FROM complaints) OR contact IS NULL OR contact IN (FROM unsubscribed)`,
		audiences:  fixturesAudiences,
	}
}

var fixturesAudiences = []audience{
	{name: "everyone"},
	{name: "no-one", keys: `where: 'ltv == null'`, where: `ltv IS NULL`, none: true},
	{name: "first", limit: 100, exclusive: true,
		keys:  `score: [25, 100], where: 'sessions_7d <= 2 && country in ["FR", "DE", "US"]'`,
		where: `h >= 2500 AND sessions_7d <= 2 AND country IN ('FR', 'DE', 'US')`},
	{name: "second", exclusive: true,
		keys:  `score: [10.01, 59.99], where: 'country != "US" || plan == "free"'`,
		where: `h BETWEEN 1001 AND 5999 AND (country <> 'US' OR plan = 'free')`},
	{name: "unknown-logic",
		keys:  `where: '!(purchases_90d > 0 || avg_session_min < 5.0)'`,
		where: `NOT (purchases_90d > 0 OR avg_session_min < 5)`},
	{name: "nulls",
		keys:  `where: 'avg_session_min == null && plan != null || (purchases_90d + 1 > 2) == null'`,
		where: `avg_session_min IS NULL AND plan IS NOT NULL OR purchases_90d IS NULL`},
	{name: "addresses",
		keys:  `where: 'email.endsWith("@example.com") && !email.startsWith("ada") && email.contains(".s")'`,
		where: `suffix(email, '@example.com') AND NOT starts_with(email, 'ada') AND contains(email, '.s')`},
	{name: "pattern",
		keys:  `where: 'email.matches("^[a-m].*[0-9]{3}@") || plan.matches("o")'`,
		where: `regexp_matches(email, '^[a-m].*[0-9]{3}@') OR regexp_matches(plan, 'o')`},
	{name: "arithmetic",
		keys:  `where: 'double(purchases_90d) * 7.5 / double(tenure_days + 1) > 0.1 && sessions_30d - 2 * sessions_7d < 3'`,
		where: `purchases_90d::DOUBLE * 7.5::DOUBLE / (tenure_days + 1)::DOUBLE > 0.1::DOUBLE AND sessions_30d - 2 * sessions_7d < 3`},
	{name: "recent",
		keys:  `where: 'now - updated_at <= duration("36h") && updated_at < now'`,
		where: `updated_at >= (SELECT max(updated_at)::DATE + INTERVAL 1 DAY - INTERVAL 36 HOUR FROM snapshot)`},
	{name: "long-gone",
		keys:  `where: 'updated_at < timestamp("2026-11-15T06:30:00Z")'`,
		where: `updated_at < TIMESTAMP '2026-11-15 06:30:00'`},
	{name: "labels",
		keys:  `where: 'category == "high" || score >= 30.5 && category != "medium"'`,
		where: `category = 'high' OR h >= 3050 AND category <> 'medium'`},
	{name: "sizes",
		keys:  `where: 'size(email) > 24 && (plan.size() == 4 || plan + country == "proFR")'`,
		where: `length(email) > 24 AND (length(plan) = 4 OR plan || country = 'proFR')`},
	{name: "flags",
		keys:  `where: 'push_enabled == true && double(support_tickets_90d) < 1.5 && -tenure_days < -60'`,
		where: `push_enabled AND support_tickets_90d <= 1 AND tenure_days > 60`},
}

func TestAudiencesOfTheFixturesAreThoseOfSQL(t *testing.T) {
	needsDuckDB(t)
	for _, night := range []string{"2026-11-22", "2026-11-21"} {
		t.Run(night, func(t *testing.T) {
			c := fixturesTrial(t, night)
			c.hold(t)
			c.holdTexts(t)
		})
	}
}
