"""A model for churntier from scikit-learn: logistic.py TRAINING.csv churn.json

The table has a column churned, 0 or 1; every other column is a feature, a number and
never empty.
"""

import csv
import json
import sys

from sklearn.linear_model import LogisticRegression

rows = list(csv.DictReader(open(sys.argv[1])))
features = [name for name in rows[0] if name != "churned"]
X = [[float(row[name]) for name in features] for row in rows]
y = [int(row["churned"]) for row in rows]
model = LogisticRegression(max_iter=10_000).fit(X, y)
with open(sys.argv[2], "w") as out:
    json.dump({"features": features, "coefficients": model.coef_[0].tolist(), "intercept": model.intercept_[0]}, out)
