"""Writes linear_gaussian.json: probabilistic PCA of the first 500 training rows of MNIST, K = 10, in float64 by numpy.

Run: python3 tests/golden/linear_gaussian.py train-images-idx3-ubyte > tests/golden/linear_gaussian.json
The mean log-likelihood is formed from C = W W' + s I itself (slogdet and solve), not by Woodbury's identity; with W and s of Tipping and
Bishop (1999), equations 7 and 8.
"""

import json
import sys

import numpy as np

ROWS, K = 500, 10

with open(sys.argv[1], "rb") as file:
    pixels = np.frombuffer(file.read(16 + ROWS * 784)[16:], np.uint8).reshape(ROWS, 784)
x = pixels.astype(np.float64) / 255
mean = x.mean(0)
y = x - mean
values, vectors = np.linalg.eigh(y.T @ y / ROWS)
values, vectors = values[::-1], vectors[:, ::-1]
noise = values[K:].mean()
w = vectors[:, :K] * np.sqrt(values[:K] - noise)
c = w @ w.T + noise * np.eye(784)
quadratic = (y * np.linalg.solve(c, y.T).T).sum(1)
log_likelihood = -0.5 * (784 * np.log(2 * np.pi) + np.linalg.slogdet(c)[1] + quadratic)
rest = y - y @ vectors[:, :K] @ vectors[:, :K].T
json.dump(
    {
        "numpy": np.__version__,
        "rows": ROWS,
        "latents": K,
        "noise": noise,
        "eigenvalues": values[:K].tolist(),
        "logLikelihood": log_likelihood.mean(),
        "firstRows": log_likelihood[:5].tolist(),
        "squaredError": (rest**2).sum(1).mean(),
    },
    sys.stdout,
)
print()
