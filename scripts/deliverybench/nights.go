//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
)

// config has the name of a delivery, its destination and its columns.
const config = `prediction: deliverybench
snapshot:
  url: snapshots
  id: user_id
score:
  column: {name: churn_score, range: [0, 1]}
suppress:
  - {where: email_opt_out}
audiences:
  - name: win-back
    score: [75, 100]
    files:
      - {format: parquet, columns: {user_id: user_id, email: email, plan: plan}}
publish:
  url: out
  scores: false
deliveries:
  - name: %[1]s
    to: inbox/%[1]s
    destination: %[2]s
    audiences: [win-back]
    columns: {%[3]s}
    send: changes
    max_age: 96h
`

// parts is how many files a night has.
const parts = 8

// snapshot is the SQL of the users from first to below end on night 0 or 1. Every
// user has a new score on each night. A tenth of the users has a high one; a tenth of
// these has a low one on the second night, and as many others have a high one. One in
// 200 is gone on the second night, one in 500 of those who may be mailed opts out, one
// in 50 may have another plan, and one in 500 has another address. One in 20 has none.
const snapshot = `
	SELECT 'u_' || printf('%%016x', hash(i)) AS user_id,
	       CASE WHEN hash(i * 3 + 1) %% 20 > 0 THEN 'user' || i || CASE WHEN %[3]d = 1 AND hash(i * 5 + 2) %% 500 = 0 THEN '.new' ELSE '' END || '@example.com' END AS email,
	       ['free', 'basic', 'pro', 'enterprise'][1 + (hash(i * 17 + CASE WHEN hash(i * 11 + 4) %% 50 = 0 THEN %[3]d ELSE 0 END) %% 4)::INTEGER] AS plan,
	       CASE WHEN (hash(i * 13 + 6) %% 10 = 0) <> (%[3]d = 1 AND hash(i * 7 + 8) %% CASE WHEN hash(i * 13 + 6) %% 10 = 0 THEN 10 ELSE 90 END = 0)
	            THEN 0.75 + (hash(i * 131 + %[3]d) %% 2500) / 10000.0
	            ELSE (hash(i * 131 + %[3]d) %% 7490) / 10000.0 END::DOUBLE AS churn_score,
	       hash(i * 19 + 9) %% 50 = 0 OR %[3]d = 1 AND hash(i * 23 + 9) %% 500 = 0 AS email_opt_out
	FROM range(%[1]d, %[2]d) t(i)
	WHERE %[3]d = 0 OR hash(i * 29 + 3) %% 200 > 0`

// writeNights lets DuckDB write the snapshots.
func (b *bench) writeNights() error {
	var script strings.Builder
	for at, night := range b.nights {
		folder := b.path("snapshots", "dt="+night)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
		for part := range parts {
			users := fmt.Sprintf(snapshot, b.Users*part/parts, b.Users*(part+1)/parts, at)
			fmt.Fprintf(&script, "COPY (%s) TO '%s/part-%d.parquet' (FORMAT parquet, COMPRESSION snappy);\n", users, folder, part)
		}
		if err := os.WriteFile(folder+"/_SUCCESS", nil, 0o600); err != nil {
			return err
		}
	}
	var done []struct{}
	return b.sql(script.String()+"SELECT 1 AS done", &done)
}
