"""submodules loaded when first used, optimisation, sparse eigenvalues, statistics, signals, image filters."""

import numpy as np
import scipy

print(scipy.optimize.minimize(scipy.optimize.rosen, [1.3, 0.7, 0.8], method="BFGS").x.round(4))
matrix = scipy.sparse.diags([1, -2, 1], [-1, 0, 1], shape=(30, 30), format="csc", dtype=float)
print(np.sort(scipy.sparse.linalg.eigsh(matrix, k=3, which="SM", v0=np.ones(30))[0]).round(6))
print(scipy.stats.norm.cdf([-1, 0, 1]).round(6), scipy.stats.pearsonr([1, 2, 3, 4], [1, 3, 2, 5]).statistic.round(6))
print(scipy.signal.savgol_filter([1, 2, 9, 4, 5, 6, 7], 5, 2).round(6))
print(scipy.ndimage.gaussian_filter(np.eye(3), 1).round(6))
print(scipy.special.jv(1, 2.5).round(8), scipy.constants.physical_constants["speed of light in vacuum"])
print(
    scipy.integrate.quad(np.exp, 0, 1)[0].__round__(8), scipy.interpolate.CubicSpline(range(5), [0, 1, 4, 9, 16])(2.5)
)
print(scipy.spatial.ConvexHull([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]]).vertices)
