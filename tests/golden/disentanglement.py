"""Writes disentanglement.json: measures of disentanglement of small sets of codes, by NumPy and scikit-learn in float64.

    /usr/bin/python3 tests/golden/disentanglement.py      (Debian's python3-sklearn 1.2.1; needs nothing else)

The formulas are written from the papers. Codes, rows and pairs are drawn by the generator of core/graph/random.ts, which is
written here again: the test makes the same codes. Codes are float32, as scikit-learn's trees see them.
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, mutual_info_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

BINS, PAIRS, TRAIN, TEST = 20, 16, 600, 300


def uniforms(count, seed, step, stream):
    """PCG4D: four 32-bit numbers for (seed, step, stream, index)."""
    n = -(-count // 4)
    v = np.stack([np.full(n, seed), np.full(n, step), np.full(n, stream), np.arange(n)]).astype(np.uint32)

    def mix():
        v[0] += v[1] * v[3]
        v[1] += v[2] * v[0]
        v[2] += v[0] * v[1]
        v[3] += v[1] * v[2]

    v[:] = v * np.uint32(1664525) + np.uint32(1013904223)
    mix()
    v ^= v >> np.uint32(16)
    mix()
    return (((v >> np.uint32(9)).astype(np.float64) + 0.5) * 2.0**-23).T.ravel()[:count]


def data(name, count, levels):
    """Factors [N, C] and codes [N, K]."""
    factors = np.stack([np.floor(uniforms(count, 7, c, 1) * of) for c, of in enumerate(levels)], 1)
    noise = np.stack([uniforms(count, 7, k, 2) - 0.5 for k in range(5)], 1)
    a, b, c = factors.T
    codes = {
        "mixed": [a + 1.5 * noise[:, 0], b + 0.5 * c + noise[:, 1], c + 2 * noise[:, 2], a - b + 3 * noise[:, 3], noise[:, 4] / 32],
        "perfect": [a + noise[:, 0] / 8, b + noise[:, 1] / 8, c + noise[:, 2] / 8],
        "random": list(noise.T),
    }[name]
    return factors.astype(int), np.stack(codes, 1).astype(np.float32).astype(np.float64)


def discretized(code):
    edges = np.histogram(code, BINS)[1]
    return np.digitize(code, edges[:-1])


def entropy(labels):
    p = np.unique(labels, return_counts=True)[1] / len(labels)
    return -(p * np.log(p)).sum()


def information(factors, codes):
    return np.array([[mutual_info_score(discretized(z), v) for v in factors.T] for z in codes.T])


def gap(matrix):
    ordered = np.sort(matrix, axis=0)
    return (ordered[-1] - ordered[-2]).mean()


def beta_vae_score(factors, codes):
    n, levels = len(codes), factors.shape[1]
    points, labels = [], []
    for p in range(TRAIN + TEST):
        u = uniforms(1 + 2 * PAIRS, 0, p, 0xBE7A)
        held = int(u[0] * levels)
        differences = []
        for i in range(PAIRS):
            first = int(u[1 + 2 * i] * n)
            group = np.flatnonzero(factors[:, held] == factors[first, held])
            differences.append(np.abs(codes[first] - codes[group[int(u[2 + 2 * i] * len(group))]]))
        points.append(np.mean(differences, 0))
        labels.append(held)
    points, labels = np.array(points), np.array(labels)
    model = LogisticRegression(tol=1e-10, max_iter=100000).fit(points[:TRAIN], labels[:TRAIN])
    return model.score(points[TRAIN:], labels[TRAIN:])


def factor_vae_score(factors, codes):
    n, levels = len(codes), factors.shape[1]
    deviation = codes.std(0)
    active = np.flatnonzero(deviation >= 0.05)
    votes = []
    for p in range(TRAIN + TEST):
        u = uniforms(2 + PAIRS, 0, p, 0xFAC7)
        held = int(u[0] * levels)
        group = np.flatnonzero(factors[:, held] == factors[int(u[1] * n), held])
        rows = codes[group[(u[2:] * len(group)).astype(int)]][:, active]
        votes.append((np.argmin(rows.var(0) / deviation[active] ** 2), held))
    counts = np.zeros((len(active), levels))
    for code, held in votes[:TRAIN]:
        counts[code, held] += 1
    return np.mean([counts[code].argmax() == held for code, held in votes[TRAIN:]])


def sap(factors, codes, continuous):
    train = len(codes) * 2 // 3
    scores = np.zeros((codes.shape[1], factors.shape[1]))
    for k, z in enumerate(codes.T):
        for c, v in enumerate(factors.T):
            if continuous:
                scores[k, c] = np.corrcoef(z, v)[0, 1] ** 2
                continue
            model = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-12, max_iter=100000)
            model.fit(z[:train, None], v[:train])
            scores[k, c] = model.score(z[train:, None], v[train:])
    return gap(scores)


def dci(factors, codes, seed):
    train = len(codes) * 2 // 3
    importance, accuracies = [], []
    for v in factors.T:
        model = GradientBoostingClassifier(random_state=seed).fit(codes[:train], v[:train])
        importance.append(model.feature_importances_)
        accuracies.append(model.score(codes[train:], v[train:]))
    r = np.array(importance).T

    def weighted(rows):
        p = rows / np.maximum(rows.sum(1, keepdims=True), 1e-300)
        h = -(p * np.log(np.where(p > 0, p, 1))).sum(1) / np.log(rows.shape[1])
        return ((1 - h) * rows.sum(1)).sum() / rows.sum()

    return {
        "disentanglement": weighted(r),
        "completeness": weighted(r.T),
        "informativeness": float(np.mean(accuracies)),
        "importance": r.tolist(),
    }


def modularity(factors, codes):
    squares = information(factors, codes) ** 2
    largest = squares.max(1)
    return np.mean(1 - (squares.sum(1) - largest) / (largest * (squares.shape[1] - 1)))


def info_mec(factors, codes):
    h = np.array([entropy(v) for v in factors.T])
    nmi = np.array([
        [mutual_info_classif(z[:, None], v, discrete_features=False, n_neighbors=10, random_state=0)[0] for v in factors.T]
        for z in codes.T
    ]) / h
    ranges = np.ptp(codes, 0)
    used = nmi[ranges > ranges.max() / 20]

    def concentration(rows):
        n = rows.shape[1]
        # What says nothing says as little of each.
        parts = [row.max() / row.sum() if row.any() else 1 / n for row in rows]
        return (np.mean(parts) - 1 / n) / (1 - 1 / n)

    x = StandardScaler().fit_transform(codes)
    parts = []
    for v in factors.T:
        model = LogisticRegression(penalty=None, class_weight="balanced", tol=1e-6, max_iter=10000).fit(x, v)
        parts.append(1 - log_loss(v, model.predict_proba(x)) / np.log(len(np.unique(v))))
    return {
        "modularity": concentration(used),
        "explicitness": float(np.mean(parts)),
        "compactness": concentration(used.T),
        "information": nmi.tolist(),
    }


result = {"writtenBy": f"disentanglement.py, scikit-learn {sklearn.__version__}, NumPy {np.__version__}", "sets": []}
for name, count, levels in [("mixed", 600, [3, 4, 2]), ("perfect", 600, [3, 4, 2]), ("random", 3000, [3, 4, 2])]:
    factors, codes = data(name, count, levels)
    result["sets"].append({
        "name": name,
        "count": count,
        "levels": levels,
        "betaVaeScore": beta_vae_score(factors, codes),
        "factorVaeScore": factor_vae_score(factors, codes),
        "mutualInformationGap": gap(information(factors, codes) / [entropy(v) for v in factors.T]),
        "predictability": sap(factors, codes, False),
        "predictabilityOfNumbers": sap(factors, codes, True),
        "modularity": modularity(factors, codes),
        "dci": dci(factors, codes, 0),
        # Which of equally good splits is taken is drawn in scikit-learn: how far that goes.
        "dciOfAnotherSeed": dci(factors, codes, 1),
        "infoMec": info_mec(factors, codes),
    })
(pathlib.Path(__file__).parent / "disentanglement.json").write_text(json.dumps(result, indent=1) + "\n")
