"""Trains boosted trees for a snapshot of gen.js with XGBoost:

  train.py DIR [--date 2026-11-22]

writes DIR/forest.json: 200 trees of depth 6 on the nine numbers of the first
150,000 users. Who leaves follows a formula of these and noise of a fixed seed.
"""
import argparse
import os

import numpy as np
import xgboost

import duckdb

FEATURES = ["days_since_last_session", "sessions_7d", "sessions_30d", "purchases_90d", "ltv", "tenure_days",
            "push_enabled", "avg_session_min", "support_tickets_90d"]
USERS = 150_000


def values(missing="'nan'"):
    """The SQL of the features, NaN where one is missing."""
    return ", ".join(f"coalesce({name}::FLOAT, {missing}::FLOAT)" for name in FEATURES)


def snapshot(folder, date):
    return f"read_parquet('{os.path.join(folder, 'snapshots', 'dt=' + date, '*.parquet')}', hive_partitioning=false)"


def labels(x, random):
    x = np.nan_to_num(x)
    z = (-0.9 + 0.045 * np.minimum(x[:, 0], 90) - 0.12 * x[:, 1] - 0.035 * x[:, 2] - 0.18 * x[:, 3] - 0.0015 * x[:, 4]
         - 0.0004 * x[:, 5] - 0.2 * x[:, 6] + 0.3 * np.sin(x[:, 7]) + 0.22 * x[:, 8])
    return random.random(len(x)) < 1 / (1 + np.exp(-z))


def main():
    args = argparse.ArgumentParser()
    args.add_argument("folder")
    args.add_argument("--date", default="2026-11-22")
    args = args.parse_args()
    x = duckdb.Connection().matrix(f"SELECT {values()} FROM {snapshot(args.folder, args.date)} LIMIT {USERS}")
    rows = xgboost.DMatrix(x, labels(x, np.random.default_rng(1)), feature_names=FEATURES)
    options = {"objective": "binary:logistic", "max_depth": 6, "eta": 0.1, "tree_method": "hist", "nthread": 2}
    xgboost.train(options, rows, 200).save_model(os.path.join(args.folder, "forest.json"))


if __name__ == "__main__":
    main()
