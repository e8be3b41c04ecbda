"""Writes mixture.json: scikit-learn's mean log-likelihood of the first 500 training rows of MNIST under a mixture of ten Gaussians.

Run: python3 tests/golden/mixture.py train-images-idx3-ubyte train-labels-idx1-ubyte > tests/golden/mixture.json
Component k has the share, mean and variances (not below 0.001) of the rows with label k, so that the mixture is known without a fit.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture

ROWS, FLOOR = 500, 0.001

with open(sys.argv[1], "rb") as file:
    x = np.frombuffer(file.read(16 + ROWS * 784)[16:], np.uint8).reshape(ROWS, 784).astype(np.float64) / 255
with open(sys.argv[2], "rb") as file:
    labels = np.frombuffer(file.read(8 + ROWS)[8:], np.uint8)

mixture = GaussianMixture(10, covariance_type="diag")
mixture.weights_ = np.array([(labels == k).mean() for k in range(10)])
mixture.means_ = np.array([x[labels == k].mean(0) for k in range(10)])
mixture.covariances_ = np.array([np.maximum(x[labels == k].var(0), FLOOR) for k in range(10)])
mixture.precisions_cholesky_ = 1 / np.sqrt(mixture.covariances_)
json.dump(
    {
        "sklearn": sklearn.__version__,
        "rows": ROWS,
        "components": 10,
        "floor": FLOOR,
        "logLikelihood": mixture.score(x),
    },
    sys.stdout,
)
print()
