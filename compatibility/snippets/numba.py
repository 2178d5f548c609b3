"""LLVM in a shared library: compiled functions, ufuncs, classes, threads, a cache of machine code."""

import pathlib
import sys

import numba
import numpy as np
from numba.experimental import jitclass

pathlib.Path("kernels.py").write_text(
    "import numba\n@numba.njit(cache=True)\ndef total(values):\n    result = 0.0\n"
    "    for value in values:\n        result += value * value\n    return result\n"
)
sys.path.insert(0, ".")
import kernels


@numba.njit(parallel=True)
def parallel(n):
    result = 0
    for i in numba.prange(n):
        result += i
    return result


@numba.njit
def solve(matrix, right):
    return np.linalg.solve(matrix, right)


@numba.vectorize(["f8(f8, f8)"])
def hypotenuse(x, y):
    return (x * x + y * y) ** 0.5


@jitclass([("n", numba.int64)])
class Counter:
    def __init__(self):
        self.n = 0

    def add(self):
        self.n += 1
        return self.n


print(kernels.total(np.arange(5.0)), parallel(100), hypotenuse([3, 5], [4, 12]), Counter().add())
print(
    len(list(pathlib.Path("__pycache__").glob("kernels.total-*.nbi"))),
    "fadd" in kernels.total.inspect_llvm(kernels.total.signatures[0]),
)
try:
    numba.njit(lambda x: x + "a")(1)
except numba.TypingError as error:
    print(str(error).splitlines()[0])
print(np.round(solve(np.eye(2) * 2, np.ones(2)), 3), numba.threading_layer())
