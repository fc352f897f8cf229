"""Trains the model of the comparison with XGBoost and writes it with its rows.

train.py DIR ROWS writes DIR/model.json, DIR/rows.f32 (float32, row by row, NaN
where a value is missing) and DIR/margins.f32, XGBoost's own margins of these rows.
200 trees of depth 6 on 12 features of users: counts, amounts, ages, one category
of 20; five features are missing in 3 to 20 % of the rows.
"""
import sys

import numpy as np
import xgboost

FEATURES = ["days_idle", "sessions_7d", "sessions_30d", "purchases", "ltv", "tenure",
            "push", "minutes", "tickets", "region", "plan", "trend"]
TYPES = ["q"] * 12
TYPES[9] = "c"


def rows(n, random):
    x = np.empty((n, 12), np.float32)
    x[:, 0] = np.floor(random.exponential(30, n).clip(0, 365))
    x[:, 1] = np.floor(random.exponential(4, n))
    x[:, 2] = np.floor(random.exponential(15, n))
    x[:, 3] = np.floor(random.exponential(2, n))
    x[:, 4] = random.exponential(120, n).round(2)
    x[:, 5] = random.integers(0, 2500, n)
    x[:, 6] = random.integers(0, 2, n)
    x[:, 7] = random.exponential(8, n)
    x[:, 8] = random.integers(0, 6, n)
    x[:, 9] = random.integers(0, 20, n)
    x[:, 10] = random.integers(0, 4, n)
    x[:, 11] = random.normal(0, 1, n)
    return x


def labels(x, random):
    effect = random.normal(0, 0.5, 20)
    z = (-0.9 + 0.045 * np.minimum(x[:, 0], 90) - 0.12 * x[:, 1] - 0.035 * x[:, 2] - 0.18 * x[:, 3]
         - 0.0015 * x[:, 4] + 0.22 * x[:, 8] + 0.3 * np.sin(x[:, 7]) + 0.2 * x[:, 11] * x[:, 10]
         + effect[x[:, 9].astype(int)])
    return (random.random(len(x)) < 1 / (1 + np.exp(-z))).astype(np.float32)


def matrix(x, y=None, threads=2):
    return xgboost.DMatrix(x, y, feature_names=FEATURES, feature_types=TYPES, enable_categorical=True, nthread=threads)


def main():
    folder, n = sys.argv[1], int(sys.argv[2])
    random = np.random.default_rng(1)
    x = rows(n, random)
    y = labels(x, random)
    for feature, share in ((0, 0.05), (4, 0.1), (7, 0.2), (9, 0.03), (11, 0.1)):
        x[random.random(n) < share, feature] = np.nan
    part = min(n, 150_000)
    model = xgboost.train({"objective": "binary:logistic", "max_depth": 6, "eta": 0.1, "tree_method": "hist", "nthread": 2,
                           "min_child_weight": 0, "max_cat_to_onehot": 4}, matrix(x[:part], y[:part]), 200)
    model.save_model(folder + "/model.json")
    x.tofile(folder + "/rows.f32")
    model.predict(matrix(x), output_margin=True).astype(np.float32).tofile(folder + "/margins.f32")
    print(f"XGBoost {xgboost.__version__}: {n} rows")


if __name__ == "__main__":
    main()
