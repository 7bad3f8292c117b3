"""Makes the tables and coefficients of f64: kernels/src/math/{elu_64,exp_64,gelu_64,gelu_tanh_64,normal_64,
softplus_64,tanh_64,tanh_shrink_64}.rs.

    pip install mpmath
    python3 docs/fits/tables_64.py            # prints them
    python3 docs/fits/tables_64.py --check    # exit status 1 if a file lacks a number of them

All is computed to 300 bits, so it is the same on every machine, to the last bit.
"""

import re
import struct
import sys
from pathlib import Path

import mpmath as mp

mp.mp.prec = 300
MATH = Path(__file__).resolve().parents[2] / "kernels/src/math"

# tanh(j·STEP) for j = 1..7 is within 0.04 ulps of an f64: the best of 6 million steps from 1/128 on, 2^-37 apart. (That
# search is not repeated here either.)
TANH_STEP = mp.mpf(0.00784898045094451)
TANH_LIMIT = mp.mpf("19.1")
# With this factor the 16 powers 2^(j/16) are all within 0.098 ulps of an f64. Found by a search through numbers next to
# 1, 2^-52 apart, which is not repeated here.
POWER_FACTOR = 1 + mp.mpf(19091125071) / 2**52
LN2 = mp.log(2)
ROOT = mp.sqrt(2 / mp.pi)
QUICK_GELU = mp.mpf("1.702")
SELU_SCALE_ALPHA = mp.mpf(1.0507009873554805) * mp.mpf(1.6732632423543772)
# Up to here tanh_shrink goes by a polynomial.
SHRINK_LIMIT = mp.mpf("0.75")


def f64(x):
    return mp.mpf(float(x))


def fit(f, low, high, degree):
    """Coefficients of f on an interval, by least squares on Chebyshev nodes: rounded to f64 one at a time, the lowest
    first, and the rest fitted again each time."""
    n = 4 * (degree + 1)
    half = (high - low) / 2
    nodes = [(low + high) / 2 + half * mp.cos(mp.pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    values = [f(x) for x in nodes]
    c = []
    for j in range(degree + 1):
        a = mp.matrix(n, degree + 1 - j)
        b = mp.matrix(n, 1)
        for i, x in enumerate(nodes):
            for k in range(j, degree + 1):
                a[i, k - j] = (x / high) ** k
            b[i] = values[i] - mp.fsum(c[k] * x**k for k in range(j))
        c.append(f64(mp.lu_solve(a, b)[0] / high**j))
    points = [low + (high - low) * i / mp.mpf(400) for i in range(401)]
    error = max(abs(mp.polyval(c[::-1], x) - f(x)) for x in points)
    print(f"# within 2^{float(mp.log(error, 2)):.1f}", file=sys.stderr)
    return c


def with_rest(x):
    """The nearest numbers of f64, and what is lacking relative to them."""
    high = [f64(x) for x in x]
    return high, [(x - h) / h for x, h in zip(x, high)]


def powers():
    """2^(j/16)."""
    return [mp.mpf(2) ** (mp.mpf(j) / 16) for j in range(16)]


def natural(factor):
    """What e^(-factor·x) is computed by: 16/ln 2·factor, its reciprocal in two parts, and the polynomial."""
    step = LN2 / factor
    yield "OCTAVES", [1 / step]
    yield "LN_2", [step, step - f64(step)]
    r = step / 32 * mp.mpf("1.001")
    yield "EXP", fit(lambda r: mp.exp(-r * factor) / POWER_FACTOR - 1, -r, r, 6)


def inverses():
    """Numbers next to 1/(1 + j/15), and minus their logarithms: the best of 4,000 for each j, the error of which is
    what rounding takes from the logarithm."""
    inverse, log = [], []
    for j in range(16):
        middle = mp.nint(2**20 / (1 + mp.mpf(j) / 15)) / 2**20
        near = [middle + mp.mpf(k) / 2**24 for k in range(-2000, 2001)] if j else [middle]
        best = min(near, key=lambda c: abs(mp.log(c) - f64(mp.log(c))))
        inverse.append(best)
        log.append(-mp.log(best))
    return inverse, log


def normal(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def rise(limit, degrees):
    """(Φ(b + d) - Φ(b))/(φ(b)·d) as the sum of polynomials in 64·b·d, times the powers of d²: least squares, the
    weight that of the relative error of Φ(b + d)."""
    points = []
    for b in [limit * i / 26 for i in range(-26, 27)]:
        for j in [-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6]:
            d = mp.cos(mp.pi * (j + mp.mpf(13) / 2) / 13) / 128
            slope = density(b) * d
            value = (normal(b + d) - normal(b)) / slope
            points.append((64 * b * d, d * d, value, abs(slope) / normal(b + d)))
    terms = [(i, k) for k, degree in enumerate(degrees) for i in range(degree + 1)]
    z_most, v_most = limit / 2, mp.mpf(2) ** -14
    a = mp.matrix(len(points), len(terms))
    y = mp.matrix(len(points), 1)
    for row, (z, v, value, weight) in enumerate(points):
        for column, (i, k) in enumerate(terms):
            a[row, column] = (z / z_most) ** i * (v / v_most) ** k * weight
        y[row] = value * weight
    c = mp.lu_solve(a, y)
    print(f"# within 2^{float(mp.log(mp.norm(a * c - y, mp.inf), 2)):.1f}", file=sys.stderr)
    c = {t: f64(c[n] / z_most ** t[0] / v_most ** t[1]) for n, t in enumerate(terms)}
    return [[c[i, k] for i in range(degree + 1)] for k, degree in enumerate(degrees)]


def mills(w):
    """(a·e^(a²/2)·Φ(-a)·√(2π) - 1)/w at a = 1/√w."""
    a = 1 / mp.sqrt(w)
    return (a * mp.erfc(a / mp.sqrt(2)) * mp.exp(a * a / 2) / ROOT - 1) / w


def tables():
    points = [mp.mpf(j) / 64 for j in range(-540, 541)]
    phi, lacking = with_rest([normal(x) for x in points])
    yield "normal_64", "NORMAL", phi
    yield "normal_64", "NORMAL_LOW", [f32(l * h) for l, h in zip(lacking, phi)]
    yield "normal_64", "DENSITY", [density(x) for x in points[540:]]
    for k, c in enumerate(rise(mp.mpf("8.4"), [7, 4, 2])):
        yield "gelu_64", f"RISE_{k}", c
    tail, rest = with_rest([-p * ROOT / 2 for p in powers()])
    yield "gelu_64", "TAIL", tail
    yield "gelu_64", "TAIL_REST", [-2 * x for x in rest]
    yield "gelu_64", "MILLS", fit(mills, mp.mpf("39.6") ** -2, mp.mpf("8.39") ** -2, 9)
    r = LN2 / 16 * mp.mpf("1.001")
    half = lambda r: mp.expm1(-r / 2) / r if r else mp.mpf(-1) / 2
    yield "gelu_64", "EXP", fit(half, -r, r, 5)
    yield "gelu_64", "LN_4", [2 * LN2, 2 * LN2 - f64(2 * LN2), 1 / (2 * LN2)]
    yield "exp_64", "POWERS", [POWER_FACTOR * p for p in powers()]
    for name, factor in ("NATURAL", mp.mpf(1)), ("QUICK_GELU", QUICK_GELU), ("TWICE", mp.mpf(2)):
        for part, numbers in natural(factor):
            yield "exp_64", f"{name} {part}", numbers
    inverse, log = inverses()
    yield "softplus_64", "INVERSE", inverse
    yield "softplus_64", "LOG", log
    log1p = lambda u: (mp.log1p(u) - u) / u**2 if abs(u) > mp.mpf(10) ** -40 else -mp.mpf(1) / 2
    yield "softplus_64", "LOG1P", fit(log1p, -mp.mpf(1) / 29, mp.mpf(1) / 29, 7)
    powered, rest = with_rest([SELU_SCALE_ALPHA * p for p in powers()])
    yield "elu_64", "SELU", powered
    yield "elu_64", "SELU_REST", [x - rest[0] for x in rest]
    r = LN2 / 32 * mp.mpf("1.001")
    q = lambda r: (mp.expm1(r) - r) / r**2 if abs(r) > mp.mpf(10) ** -40 else mp.mpf(1) / 2
    yield "elu_64", "EXP", fit(q, -r, r, 5)
    shrink = lambda z: (1 - mp.tanh(mp.sqrt(z)) / mp.sqrt(z)) / z
    first = [mp.mpf(1) / 3, mp.mpf(1) / 3 - f64(mp.mpf(1) / 3)]
    yield "tanh_shrink_64", "THIRD", first
    rest = lambda z: (shrink(z) - first[0]) / z
    yield "tanh_shrink_64", "SHRINK", fit(rest, mp.mpf(10) ** -12, SHRINK_LIMIT**2, 12)
    r = mp.mpf("1.001") / 32
    yield "gelu_tanh_64", "EXP", fit(lambda r: mp.exp(-r * LN2) / POWER_FACTOR - 1, -r, r, 6)
    c = 2 * ROOT / LN2
    d = c * mp.mpf("0.044715")
    short = mp.nint(c * 2**46) / mp.mpf(2) ** 46
    yield "gelu_tanh_64", "CUBIC", [short, c - short, d, d - f64(d)]
    n = int(TANH_LIMIT / TANH_STEP) + 3
    yield "tanh_64", "TANH", [mp.tanh(j * TANH_STEP) for j in range(n)]
    tau = lambda z: (mp.tanh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z
    yield "tanh_64", "TAU", fit(tau, mp.mpf(10) ** -12, mp.mpf(1) / 120**2, 2)


def f32(x):
    """Rounded to f32 (by way of f64, which here makes no difference that counts)."""
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def literal(name, x):
    if name == "NORMAL_LOW":
        return f"0x{struct.unpack('I', struct.pack('f', x))[0]:08x}"
    if name in ("NORMAL", "DENSITY", "TANH"):
        return f"0x{struct.unpack('Q', struct.pack('d', float(x)))[0]:016x}"
    return repr(float(x))


def lines(items, width=120):
    line = ""
    for item in items:
        if len(line) + len(item) + 2 > width:
            yield line
            line = ""
        line += (" " if line else "") + item + ","
    yield line


def main():
    missing = 0
    for file, name, numbers in tables():
        items = [literal(name, x) for x in numbers]
        if "--check" in sys.argv:
            text = re.sub(r"(?<=\d)_(?=\d)", "", (MATH / f"{file}.rs").read_text())
            lacks = [item for item in items if item not in text]
            if lacks:
                print(f"{file}.rs, {name}: {len(lacks)} of {len(items)} are not there")
            missing += len(lacks)
        else:
            print(f"// {file} {name} {len(items)}")
            for line in lines(items):
                print(line)
    sys.exit(missing > 0)


main()
