"""Writes arrays.json: small files as NumPy and SciPy write them, in base64, for tests/datasets/arrays_test.ts.

Run: python3 tests/golden/arrays.py (written with NumPy 2.4.6 and SciPy 1.17.1)
"""

import base64
import io
import json
import pathlib

import numpy as np
from scipy.io import savemat
from scipy.sparse import csr_matrix, save_npz

table = np.arange(12).reshape(4, 3)
images = np.arange(4 * 2 * 5, dtype=np.uint8).reshape(4, 2, 5)
labels = np.array([2, 0, 1, 2])
names = np.array(["dog", "bird", "cat", "dog"])
objects = names.astype(object)


def npy(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def npz(save, **arrays):
    out = io.BytesIO()
    save(out, *arrays.values()) if save is save_npz else save(out, **arrays)
    return out.getvalue()


def mat(compressed, level="5", **arrays):
    out = io.BytesIO()
    savemat(out, arrays, format=level, do_compression=compressed)
    return out.getvalue()


files = {
    "bytes.npy": npy(images),
    "float64.npy": npy(table / 8),
    "fortran.npy": npy(np.asfortranarray(table / 8)),
    "big_endian.npy": npy((table / 8).astype(">f4")),
    "int64.npy": npy(table),
    "bool.npy": npy(table % 2 == 1),
    "version3.npy": npy(table / 8, (3, 0)),
    "planar.npy": npy(np.arange(2 * 3 * 2 * 2, dtype=np.uint8).reshape(2, 3, 2, 2)),
    "complex.npy": npy(table * 1j),
    "text.npy": npy(np.array([["a", "b"]])),
    "nan.npy": npy(np.array([[0, 1], [np.nan, 1]])),
    "stored.npz": npz(np.savez, x=images, y=labels),
    "deflated.npz": npz(np.savez_compressed, images=images, labels=labels),
    "parts.npz": npz(np.savez_compressed, x_train=images[:3], y_train=labels[:3], x_test=images[3:], y_test=labels[3:]),
    "alone.npz": npz(np.savez, arr_0=table / 8),
    "several.npz": npz(np.savez, a=table, b=images),
    "plain.mat": mat(False, x=table / 8, y=labels, note="passed over", cell=np.array([1, "a"], dtype=object)),
    "packed.mat": mat(True, x=table / 8, y=labels),
    "doubles_as_bytes.mat": mat(True, data=table.astype(np.float64)),
    "columns.mat": mat(True, X=images.reshape(4, 10).T, y=labels),
    "pictures.mat": mat(True, X=np.arange(2 * 3 * 3 * 4, dtype=np.uint8).reshape(2, 3, 3, 4), y=labels),
    "complex.mat": mat(True, x=table * 1j),
    "float16.npy": npy((table / 8).astype(np.float16)),
    "big_endian16.npy": npy((table / 8).astype(">f2")),
    "fortran_images.npz": npz(np.savez, X=np.asfortranarray(images), target=labels),
    "texts.npz": npz(np.savez, x=table / 8, y=names, ids=np.array(["é1", "b", "c", "d"]), notes=objects),
    "byte_texts.npz": npz(np.savez, x=table / 8, y=names.astype("S")),
    "signed.npz": npz(np.savez, x=table / 8, y=np.array([-1, 1, 1000, 1])),
    "objects.npz": npz(np.savez, x=table / 8, y=objects),
    "sparse.npz": npz(save_npz, matrix=csr_matrix(table)),
    "level4.mat": mat(False, "4", x=table / 8, y=labels),
    "cells.mat": mat(True, x=table / 8, y=objects, structure={"a": 1}, sparse=csr_matrix(table * 1.0)),
    "letters.mat": mat(False, x=table / 8, y=names),
    "letters4.mat": mat(False, "4", x=table / 8, y=names),
    "sparse.mat": mat(True, x=csr_matrix(table * 1.0)),
    "sparse4.mat": mat(False, "4", x=csr_matrix(table * 1.0)),
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({name: base64.b64encode(data).decode() for name, data in files.items()}, indent=1) + "\n")
