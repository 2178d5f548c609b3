"""linear algebra through OpenBLAS, random numbers, npz files, pickling, a child process, C headers."""

import inspect
import io
import multiprocessing
import os
import pickle

import numpy as np


def total(array):
    return float(array.sum())


if __name__ == "__main__":
    matrix = np.random.default_rng(7).normal(size=(4, 4))
    print(np.round(np.linalg.solve(matrix, np.ones(4)), 6))
    print(np.round(np.abs(np.fft.rfft(matrix[0])), 6))
    stream = io.BytesIO()
    np.savez_compressed(stream, matrix=matrix)
    stream.seek(0)
    print(np.array_equal(np.load(stream)["matrix"], matrix))
    print(pickle.loads(pickle.dumps(matrix)).dtype, pickle.loads(pickle.dumps(np.sin)) is np.sin)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(total, [np.arange(5), np.arange(7)]))
    print(inspect.getsource(np.linalg.norm).splitlines()[-1].strip())
    print(os.path.isfile(os.path.join(np.get_include(), "numpy", "arrayobject.h")))
    print(np.polynomial.Polynomial([1, 2, 3])(2.0), np.testing.assert_allclose.__module__)
