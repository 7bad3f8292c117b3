"""Prints the table that the tests compare with: function, argument, how many digits of the value
are right, the value.

python3 mpmath_values.py > mpmath_values.txt      (mpmath 1.3 or later, from PyPI or Debian)
"""

import random

from mpmath import mp, mpf

mp.prec = 2000
random.seed(1)

FUNCTIONS = {
    "exp": (mp.exp, -1e5, 1e5),
    "exp_m1": (lambda x: mp.expm1(x), -1e5, 1e5),
    "ln_1p": (lambda x: mp.log1p(x), -1, 2.0**1023),
    "tanh": (mp.tanh, -1e5, 1e5),
    "erfc": (mp.erfc, -200, 200),
    "sqrt": (mp.sqrt, 0, 2.0**1023),
}


def arguments(low, high):
    yield from (0.1, -0.1, 1.0, -0.5, 0.5, 2.0, -0.999, -1 + 2.0**-53, 5e-324, -5e-324, 1e-310)
    for exponent in range(-1074, 1024, 97):
        yield random.uniform(0.5, 1) * 2.0**exponent
        yield -random.uniform(0.5, 1) * 2.0**exponent
    for _ in range(20):
        yield random.uniform(-10, 10)
        yield random.uniform(-40, 40)
        yield random.uniform(-1, 1)
        yield random.uniform(-800, 800)


for name, (function, low, high) in FUNCTIONS.items():
    for i, x in enumerate(arguments(low, high)):
        if not low < x < high:
            continue
        y = function(mpf(x))
        assert y != 0
        digits = 400 if i % 9 == 3 else 60
        print(name, repr(x), digits, mp.nstr(y, digits, min_fixed=1, max_fixed=0))
