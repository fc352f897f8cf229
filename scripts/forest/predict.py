"""Times XGBoost on the rows of train.py: predict.py DIR THREADS.

For every line on standard input it predicts all margins once from a matrix that
is made before, and once in place from the array, and prints the CPU and wall
seconds of both: predict-cpu predict-wall inplace-cpu inplace-wall.
"""
import sys
import time

import numpy as np
import xgboost

from train import matrix


def timed(do):
    cpu, wall = time.process_time(), time.perf_counter()
    do()
    return time.process_time() - cpu, time.perf_counter() - wall


def main():
    folder, threads = sys.argv[1], int(sys.argv[2])
    model = xgboost.Booster({"nthread": threads})
    model.load_model(folder + "/model.json")
    model.set_param({"nthread": threads})
    x = np.fromfile(folder + "/rows.f32", np.float32).reshape(-1, 12)
    for _ in sys.stdin:
        fresh = matrix(x, threads=threads)  # a matrix keeps its predictions
        made = timed(lambda: model.predict(fresh, output_margin=True))
        inplace = timed(lambda: model.inplace_predict(x, predict_type="margin", validate_features=False))
        print(*made, *inplace, flush=True)


if __name__ == "__main__":
    main()
