"""Writes factors.json: small files in the layouts of datasets with known factors, in base64, for tests/datasets/factors_test.ts.

    /usr/bin/python3 tests/golden/factors.py      (Debian's python3-numpy 1.24.2; needs nothing else)

dsprites.npz has the arrays, types and shapes of dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz, with 12 rows for 737,280; norb.npz those
of SmallNORB by the names that TensorFlow Datasets gives them, and columns.npz one array a factor.
"""

import base64
import io
import json
import pathlib

import numpy as np

N = 12
n = np.arange(N)


def npz(**arrays):
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return base64.b64encode(out.getvalue()).decode()


classes = np.stack([0 * n, n % 3, n % 6, n % 4, n % 5, n % 2], 1)
imgs = np.zeros((N, 64, 64), np.uint8)
imgs[n, n, n] = 1
files = {
    "dsprites.npz": npz(
        metadata=np.array({"title": "dSprites dataset", "latents_names": ("color", "shape")}, dtype=object),
        imgs=imgs,
        latents_classes=classes.astype(np.int64),
        latents_values=classes / 7,
    ),
    "norb.npz": npz(
        image=np.full((N, 4, 4, 1), 7, np.uint8),
        label_category=n % 5,
        instance=n % 10,
        label_elevation=n % 9,
        label_azimuth=n % 18,
        label_lighting=n % 6,
    ),
    "columns.npz": npz(x=np.stack([n, n * n], 1) / 8, c_size=n % 3 / 2, c_turn=(n % 4).astype(np.int32), y=n % 2),
}
(pathlib.Path(__file__).parent / "factors.json").write_text(json.dumps(files, indent=1) + "\n")
