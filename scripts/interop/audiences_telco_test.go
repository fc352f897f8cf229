package interop_test

import (
	"path/filepath"
	"testing"
)

// telcoTrial is the public telco churn table, with columns that it lacks: names
// that are no identifiers, a decimal, a date, and contacts that a household shares.
func telcoTrial(t *testing.T) *trial {
	dir := t.TempDir()
	model, err := filepath.Abs(filepath.Join(shared, "models", "sk121_telco_lr_pipeline", "model.json"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, "node", "../telco/telco.js", filepath.Join(shared, "datasets", "telco.csv"), dir, model)
	raw, snapshot := filepath.Join(dir, "snapshots", "dt=2026-11-22", "*.parquet"), filepath.Join(dir, "dressed", "dt=2026-11-22", "part.parquet")
	write(t, filepath.Join(made(t, filepath.Dir(snapshot)), "_SUCCESS"), "")
	return &trial{
		dir: dir, night: "2026-11-22", snapshot: snapshot, id: "customerID", contact: "normal(mail)", byContact: true, share: 0.1,
		config: `prediction: telco
timezone: Europe/Paris
snapshot: {url: dressed, id: customerID, contact: mail}
score: {model: ` + model + `}
exclude: [{url: lists/erased.parquet, id: erased}]
eligible: '!(PaymentMethod == "Mailed check" && TotalCharges < 60.0)'
suppress:
  - {url: lists/unsubscribed/*.parquet, contact: address}
  - {where: 'col("Tech Support?") == "Yes" && tenure > 60'}
  - {url: lists/complaints.parquet, id: uid}
holdout: {share: 0.1, salt: "é 2026", key: contact}
publish: {url: out}
`,
		prepare: `COPY (SELECT *, TotalCharges AS "Total  charges (EUR)", SeniorCitizen = 1 AS "senior?",
			nullif(TechSupport, 'No internet service') AS "Tech Support?", CASE WHEN n % 9 > 0 THEN MonthlyCharges::DECIMAL(9,2) END AS monthly,
			(DATE '2026-11-23' - to_months(tenure))::DATE AS since,
			CASE WHEN i < 63 THEN 'Office' || i // 21 || '@Example.COM' WHEN n % 17 > 0 THEN [' ', ''][1 + i % 2] || 'Home' || i // 3 || '@Example.COM' || ['', chr(9)][1 + i % 2] END AS mail
			FROM (SELECT *, hash(customerID) AS n, row_number() OVER (ORDER BY customerID) AS i FROM read_parquet('` + raw + `', hive_partitioning = false)))
			TO '` + snapshot + `' (FORMAT parquet, COMPRESSION gzip, ROW_GROUP_SIZE 2048);` + listsOf(snapshot, "customerID", "mail"),
		lists: listViews,
		fate: `CASE WHEN who IN (FROM erased) THEN 'excluded'
			WHEN (NOT (PaymentMethod = 'Mailed check' AND TotalCharges < 60)) IS NOT TRUE THEN 'ineligible' ELSE 'scored' END`,
		suppressed: `contact IS NULL OR contact IN (FROM unsubscribed) OR "Tech Support?" = 'Yes' AND tenure > 60 OR who IN (FROM complaints)`,
		audiences:  telcoAudiences,
	}
}

var telcoAudiences = []audience{
	{name: "everyone"},
	{name: "vip", limit: 300, exclusive: true, keys: `score: [30, 100], where: 'TotalCharges >= 1000.0'`, where: `h >= 3000 AND TotalCharges >= 1000`},
	{name: "rest", exclusive: true, keys: `score: [20, 74.99]`, where: `h BETWEEN 2000 AND 7499`},
	{name: "last", exclusive: true, keys: `where: 'category == "low"'`, where: `category = 'low'`},
	{name: "monthly",
		keys:  `where: 'Contract == "Month-to-month" && InternetService in ["Fiber optic", "DSL", "Other"]'`,
		where: `Contract = 'Month-to-month' AND InternetService IN ('Fiber optic', 'DSL', 'Other')`},
	{name: "costly",
		keys:  `where: 'col("Total  charges (EUR)") / double(tenure) > double(monthly)'`,
		where: `tenure > 0 AND "Total  charges (EUR)" / tenure::DOUBLE > monthly::DOUBLE`},
	{name: "cheap",
		keys:  `where: '!(monthly >= 70.35) && col("senior?")'`,
		where: `monthly < 70.35 AND "senior?"`},
	{name: "without-support",
		keys:  `where: '!(col("Tech Support?") != "No") || col("Tech Support?") == null && SeniorCitizen == 1'`,
		where: `"Tech Support?" = 'No' OR "Tech Support?" IS NULL AND SeniorCitizen = 1`},
	{name: "automatic",
		keys:  `where: 'PaymentMethod.matches("\\(automatic\\)$") && !PaymentMethod.contains("card")'`,
		where: `PaymentMethod = 'Bank transfer (automatic)'`},
	{name: "ids",
		keys:  `where: 'customerID < "3" || customerID.size() == 10 && customerID >= "9" || customerID.endsWith("QQ")'`,
		where: `customerID < '3' OR customerID >= '9' OR suffix(customerID, 'QQ')`},
	{name: "years",
		keys:  `where: 'since < now - duration("26280h") || since == timestamp("2026-10-23T00:00:00Z")'`,
		where: `since::TIMESTAMP < TIMESTAMP '2026-11-22 23:00:00' - INTERVAL 26280 HOUR OR since = DATE '2026-10-23'`},
	{name: "whole-years",
		keys:  `where: 'tenure % 12 == 0 && tenure / 12 >= 2 || -tenure > -3'`,
		where: `tenure IN (0, 1, 2, 24, 36, 48, 60, 72)`},
	{name: "divided",
		keys:  `where: '!(100 / tenure < 10) || 100 % tenure == 1'`,
		where: `tenure BETWEEN 1 AND 10 OR tenure IN (11, 33, 99)`},
	{name: "joined-texts",
		keys:  `where: 'Contract + "/" + InternetService in ["One year/DSL", "Two year/No"]'`,
		where: `Contract = 'One year' AND InternetService = 'DSL' OR Contract = 'Two year' AND InternetService = 'No'`},
	{name: "equal-flags",
		keys:  `where: '(SeniorCitizen == 1) == (Partner == "Yes") && (monthly > 50.0 && tenure > 24) == null'`,
		where: `(SeniorCitizen = 1 AND Partner = 'Yes' OR SeniorCitizen = 0 AND Partner <> 'Yes') AND monthly IS NULL AND tenure > 24`},
	{name: "unpaid",
		keys:  `where: 'tenure - 1 < 0 || double(tenure) * monthly > TotalCharges + 150.0'`,
		where: `tenure = 0 OR tenure::DOUBLE * monthly::DOUBLE > TotalCharges + 150`},
}

func TestAudiencesOfTelcoAreThoseOfSQL(t *testing.T) {
	needsShared(t)
	needsDuckDB(t)
	telcoTrial(t).hold(t)
}
