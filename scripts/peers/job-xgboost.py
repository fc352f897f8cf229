"""Does with DuckDB and XGBoost what job.js does with DuckDB, for the trees of
train.py:

  job-xgboost.py DIR OUT [--date 2026-11-22] [--threads 2] [--codec snappy]
  job-xgboost.py DIR OUT --parts ...

In one process, without a hand-over: the model is a function in SQL, which DuckDB
calls for 2,048 rows at a time on each of its threads. XGBoost gives the margin;
DuckDB makes it a probability, in float32 as XGBoost does.

--parts prints as JSON the seconds of wall and of CPU that XGBoost's call takes
alone, on all rows in memory, and those of the same statements in DuckDB with a
score that costs nothing: what no pair of the two can do without.
"""
import argparse
import json
import os
import shutil
import time

import xgboost

import duckdb
from train import FEATURES, snapshot, values


def main():
    args = argparse.ArgumentParser()
    args.add_argument("folder")
    args.add_argument("out")
    args.add_argument("--date", default="2026-11-22")
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--codec", default="snappy")
    args.add_argument("--parts", action="store_true")
    args = args.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    os.makedirs(args.out)
    db = duckdb.Connection(threads=str(args.threads), preserve_insertion_order="false")
    source = snapshot(args.folder, args.date)
    if args.parts:
        parts(db, source, args)
        return
    model = booster(args.folder, 1)  # DuckDB's threads call it side by side
    db.define("margin", len(FEATURES), lambda rows: predict(model, rows))
    night(db, source, f"1::FLOAT / (exp(least(-margin({values()}), 88.7)::DOUBLE)::FLOAT + 1::FLOAT + 1e-16::FLOAT)", args)


def booster(folder, threads):
    model = xgboost.Booster({"nthread": threads})
    model.load_model(os.path.join(folder, "forest.json"))
    model.set_param({"nthread": threads})
    return model


def predict(model, rows):
    return model.inplace_predict(rows, predict_type="margin", validate_features=False)


def night(db, source, probability, args):
    """Writes the audiences and the distribution, as members of job.js does."""
    audiences = os.path.join(args.out, "audiences")
    db.run(f"""
        COPY (SELECT user_id, (s / 100.0)::DECIMAL(5,2) AS score,
                     CASE WHEN s >= 7500 THEN 'high' WHEN s >= 5000 THEN 'medium' ELSE 'low' END AS category, country, plan, ltv
              FROM (SELECT user_id, country, plan, ltv, round(10000.0::DOUBLE * ({probability}))::INTEGER AS s FROM {source}))
        TO '{audiences}' (FORMAT parquet, COMPRESSION {args.codec}, ROW_GROUP_SIZE 122880, DICTIONARY_SIZE_LIMIT 1000,
                          PARTITION_BY (category), WRITE_PARTITION_COLUMNS true)""")
    written = os.path.join(audiences, "*", "*.parquet")
    db.run(f"""
        COPY (SELECT score, count(*) AS users FROM read_parquet('{written}', hive_partitioning=false) GROUP BY ALL ORDER BY ALL)
        TO '{os.path.join(args.out, "distribution.json")}' (FORMAT json)""")


def parts(db, source, args):
    model = booster(args.folder, args.threads)
    rows = db.matrix(f"SELECT {values()} FROM {source}")
    spent = [timed(lambda: predict(model, rows)), timed(lambda: night(db, source, "tenure_days / 2500.0", args))]
    print(json.dumps({"wall": sum(wall for wall, _ in spent), "cpu": sum(cpu for _, cpu in spent)}))


def timed(do):
    wall, cpu = time.perf_counter(), time.process_time()
    do()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
