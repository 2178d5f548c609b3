"""integrals, equations, printing of code, functions compiled at run time, many lazily imported modules."""

import pickle

import sympy as sp
from sympy.parsing.sympy_parser import implicit_multiplication_application, parse_expr, standard_transformations
from sympy.physics import units

x, y = sp.symbols("x y")
print(sp.integrate(sp.exp(-(x**2)), (x, -sp.oo, sp.oo)), sp.solve(x**3 - 2 * x + 1, x), sp.limit(sp.sin(x) / x, x, 0))
print(sp.dsolve(sp.Function("f")(x).diff(x) - sp.Function("f")(x)), sp.series(sp.cos(x), x, 0, 5))
print(sp.latex(sp.Integral(x**2 / y, x)), sp.ccode(sp.sin(x) ** 2), sp.pretty(sp.sqrt(x / 2)), sep="\n")
print(sp.lambdify(x, x**2 + 1)(3), pickle.loads(pickle.dumps(x**2)) == x**2)
print(parse_expr("2x y", transformations=(*standard_transformations, implicit_multiplication_application)))
print(sp.Matrix([[1, 2], [3, 4]]).eigenvals(), sp.factorint(2**31 - 2), sp.N(sp.pi, 30))
print(units.convert_to(3 * units.km / units.hour, units.m / units.s))
