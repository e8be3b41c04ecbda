"""Writes probe.json: predictors of labels and factors from rows, and principal components, by scikit-learn in float64.

    /usr/bin/python3 tests/golden/probe.py      (Debian's python3-sklearn 1.2.1; needs nothing else)

Rows are sums of sines and labels follow from other sums, which the test makes again.
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

TRAIN, TEST, K = 120, 80, 5


def data(width):
    n, d = np.meshgrid(np.arange(TRAIN + TEST), np.arange(width), indexing="ij")
    rows = np.sin(0.7 * n * (1 + d % 7) + d) + 0.5 * np.cos(1.3 * n + 0.1 * d * d)
    n = np.arange(TRAIN + TEST)
    factors = np.stack([rows[:, 0] + 0.3 * np.sin(5 * n), np.sin(0.7 * n) * rows[:, 1]], 1)
    labels = np.where(factors[:, 0] > 0.4, 2, np.where(factors[:, 1] > 0, 1, 0))
    return rows, labels, factors


result = {"writtenBy": f"probe.py, scikit-learn {sklearn.__version__}", "train": TRAIN, "test": TEST, "sets": []}
# More rows than features, and fewer.
for width in (6, 150):
    rows, labels, factors = data(width)
    mean = rows[:TRAIN].mean(0)
    scaled = (rows - mean) / np.sqrt(rows[:TRAIN].var(0).mean())
    # It warns that its last line search found nothing: at the optimum, but for rounding.
    logistic = LogisticRegression(solver="newton-cg", tol=1e-9, max_iter=1000).fit(scaled[:TRAIN], labels[:TRAIN])
    ridge = Ridge(solver="cholesky").fit(scaled[:TRAIN], factors[:TRAIN])
    votes = KNeighborsClassifier(K, algorithm="brute").fit(rows[:TRAIN], labels[:TRAIN])
    means = KNeighborsRegressor(K, algorithm="brute").fit(rows[:TRAIN], factors[:TRAIN])
    pca = PCA(4, svd_solver="full").fit(rows[:TRAIN])

    def r2(model, of):
        return r2_score(factors[TRAIN:], model.predict(of[TRAIN:]), multioutput="raw_values").tolist()

    result["sets"].append({
        "width": width,
        "logistic": logistic.score(scaled[TRAIN:], labels[TRAIN:]),
        "logProbabilities": logistic.predict_log_proba(scaled[TRAIN : TRAIN + 3]).ravel().tolist(),
        "neighbours": votes.score(rows[TRAIN:], labels[TRAIN:]),
        "ridge": r2(ridge, scaled),
        "neighbourMeans": r2(means, rows),
        "nearest": votes.kneighbors(rows[TRAIN : TRAIN + 3], return_distance=False).ravel().tolist(),
        "variances": (pca.explained_variance_ * (TRAIN - 1) / TRAIN).tolist(),
        "coordinates": np.abs(pca.transform(rows[TRAIN : TRAIN + 2])).ravel().tolist(),
    })
(pathlib.Path(__file__).parent / "probe.json").write_text(json.dumps(result, indent=1) + "\n")
