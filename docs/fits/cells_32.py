"""Fits the tables of kernels/src/math/{cells_32,slopes_32}.rs, prints them, and checks the files.

    pip install numpy scipy
    python3 docs/fits/cells_32.py            # prints the tables
    python3 docs/fits/cells_32.py --check    # exit status 1 if a file has others in more than 2 cells of a table

Two, because which point is best of many that are nearly as good may depend on the last bits of NumPy's
functions, and these on the processor. On Zen 5 every bit was the same, with AVX-512 and without.

A function f is cut into 32 cells, each with a point b and f(b) + d·(c1 + d·(c2 + …)), d = a - b. For each
cell many *Gal points* are tried: numbers b of f32 at which f(b) is nearly an f32. For each the coefficients
are fitted by least squares on Chebyshev nodes, the weight 1/ulp(f); rounded to f32 one at a time, from c1
on, and the rest fitted again each time. Then the evaluation in f32 is simulated, on few numbers for all
points and on many for the best ten, and the best of those is taken.
"""

import re
import struct
import sys
from pathlib import Path

import numpy as np
from scipy.special import erfc, expit

F = np.float32
MATH = Path(__file__).resolve().parents[2] / "kernels/src/math"


def ulp(v):
    """The distance of neighbouring f32 at v."""
    v = np.abs(v)
    exponent = np.maximum(np.floor(np.log2(np.where(v == 0, 1e-300, v))), -126)
    exponent = np.where(np.exp2(exponent) > v, np.maximum(exponent - 1, -126), exponent)
    return np.exp2(exponent - 23)


def errors(y, true):
    """In ulps."""
    return np.abs(y.astype(np.float64) - true) / ulp(true)


def mul_add(a, b, c):
    """In f64, then rounded to f32: off by a double rounding now and then, which does not matter here."""
    return F(a.astype(np.float64) * np.asarray(b, np.float64) + np.asarray(c, np.float64))


def slope(d, c):
    """c1 + d·(c2 + …), as the kernel computes it."""
    p = np.full_like(d, F(c[-1]))
    for c_i in reversed(c[:-1]):
        p = mul_add(p, d, F(c_i))
    return p


def chebyshev(low, high, n):
    return (low + high) / 2 + (high - low) / 2 * np.cos((np.arange(n) + 0.5) * np.pi / n)


def rounded_fit(d, y, weight, degree, known=(), h=None):
    """c1 … cn with Σ c_i d^i near y, rounded to f32 one by one; d is up to h."""
    h = h or np.abs(d).max()
    c = list(known)
    while len(c) < degree:
        rest = y - sum(c_i * d ** (i + 1) for i, c_i in enumerate(c))
        terms = np.stack([(d / h) ** (i + 1) for i in range(len(c), degree)], 1) * weight[:, None]
        scale = np.abs(terms).max(0)
        fitted = np.linalg.lstsq(terms / scale, rest * weight, rcond=None)[0] / scale
        c.append(float(F(fitted[0] / h ** (len(c) + 1))))
    return c


class Fit:
    """One function; its random numbers are its own, so that a table does not depend on the others."""

    def __init__(self, f, degree):
        self.f, self.degree, self.random = f, degree, np.random.default_rng(1)

    def sample(self, low, high, n):
        return F(np.concatenate([self.random.uniform(low, high, n), np.linspace(low, high, 100)]))

    def gal_points(self, middle, span, n, penalty, tries):
        """The n numbers about the middle at which f is nearest to an f32, and f there."""
        b = np.unique(F(np.linspace(middle - span, middle + span, tries)))
        v = self.f(b.astype(np.float64))
        value = F(v)
        lacking = np.abs(value.astype(np.float64) - v) / ulp(v)
        if penalty:
            lacking = np.maximum(lacking, penalty(b.astype(np.float64), value.astype(np.float64)))
        return [(float(b[i]), float(value[i])) for i in np.argsort(lacking)[:n]]

    def cell(self, low, high, error, middle, span, n, penalty=None, tries=6000, of=None):
        """(error, b, f(b), c) of the best of n points; its ulps are those of the function `of`, or of f."""
        few = self.sample(low, high, 1500)
        tried = []
        a = chebyshev(low, high, 48)
        weight = 1 / ulp((of or self.f)(a))
        for b, value in self.gal_points(middle, span, n, penalty, tries):
            c = rounded_fit(a - b, self.f(a) - value, weight, self.degree)
            tried.append((error(few, b, value, c), b, value, c))
        tried.sort(key=lambda t: t[0])
        width, uniform = high - low, self.random.uniform
        many = [uniform(low, high, 40000), uniform(low, low + 0.06 * width, 20000)]
        many += [uniform(high - 0.06 * width, high, 20000), np.linspace(low, high, 1000)]
        many = F(np.concatenate(many))
        tried = [(error(many, b, v, c), b, v, c) for _, b, v, c in tried[:10]]
        return min(tried, key=lambda t: t[0])


def octaves(offset, limit):
    """Eight cells an octave of a + offset: their numbers and edges."""
    bits = lambda x: struct.unpack("<I", struct.pack("<f", x))[0]
    edge = lambda i: struct.unpack("<f", struct.pack("<I", i << 20))[0] - offset
    for i in range(bits(offset) >> 20, (bits(limit + offset) >> 20) + 1):
        yield i, max(0, edge(i)), min(limit, edge(i + 1))


def tanh():
    """Eight cells an octave of a + 0.625."""
    fit = Fit(np.tanh, 4)
    cells = [(0.0, 0.0, [0.0] * 4)] * 32
    for i, low, high in octaves(0.625, 9.02):
        margin = 3e-7
        below, above = max(0, low - margin), high + margin
        tried = []
        if low < 0.7:  # a + a·p, where a takes the place of f(b)
            a = fit.sample(max(below, 1e-3), above, 40000)
            firsts = [()] if low else [(0.0,)] + [(float(F(v)),) for v in np.linspace(-3e-9, 3e-9, 7)]
            for first in firsts:
                for start in [below] if low else [1e-3, 0.01, 0.02]:
                    x = chebyshev(start, above, 60)
                    weight = 1 / ulp(np.tanh(x))
                    c = rounded_fit(x, np.tanh(x) - x, weight, 4, first, above)
                    y = mul_add(slope(a, c), a, a)
                    error = errors(y, np.tanh(a.astype(np.float64))).max()
                    tried.append((error, 0.0, float("inf"), c))
        if low > 0.1:

            def error(a, b, value, c):
                if value > low - margin:
                    return 9.0
                d = F(a - F(b))
                y = mul_add(slope(d, c), d, np.minimum(F(value), a))
                return errors(y, np.tanh(a.astype(np.float64))).max()

            width, middle = high - low, (low + high) / 2
            latest = np.arctanh(low) - 0.025 * width if low < 0.9 else np.inf
            span = (0.1 if middle <= latest else 0.02) * width
            tried.append(fit.cell(below, above, error, min(middle, latest), span, 120))
        cells[i % 32] = min(tried, key=lambda t: t[0])[1:]
    return cells


def sigmoid():
    """Even cells; y and 1 - y count."""
    f = lambda a: expit(-a)
    fit, scale = Fit(f, 5), float(F(1.84))
    cells = []
    for i in range(32):
        low, high = i / scale, min((i + 1) / scale, 31.998 / scale)
        margin = 4e-6 * max(low, 0.1)

        def error(a, b, value, c):
            d = F(a - F(b))
            y, true = mul_add(slope(d, c), d, F(value)), f(a.astype(np.float64))
            return max(errors(y, true).max(), errors(F(F(1) - y), 1 - true).max())

        width, middle = high - low, (low + high) / 2
        # Off the centre, which is an extremum of the error of an odd degree.
        sides = [middle + 0.13 * width, middle - 0.13 * width]
        below, above = max(0, low - margin), high + margin
        tried = [fit.cell(below, above, error, side, 0.1 * width, 100) for side in sides]
        cells.append(min(tried, key=lambda t: t[0])[1:])
    return cells


def grid_edge(i, scale, growth):
    """Where cell i of ⌊a·(scale + growth·a)⌋ begins."""
    if growth == 0:
        return i / scale
    return (-scale + np.sqrt(scale * scale + 4 * growth * i)) / (2 * growth)


def gate(p, degree, scale, growth, extra=False, last=None):
    """a·p(a), in cells ⌊a·(scale + growth·a)⌋; x less it counts, too. Of the first cell a/2 is taken, and with
    `extra` it has a coefficient more. `last`: where in the last cell the point is sought."""
    f = lambda a: a * p(a)
    fit, scale, growth = Fit(f, degree), float(F(scale)), float(F(growth))

    cells, first = [], 0.0
    for i in range(32):
        low = grid_edge(i, scale, growth)
        high = grid_edge(min(i + 1, 31.998), scale, growth)
        margin = 4e-6 * max(low, 0.1)
        below, above = max(0, low - margin), high + margin
        if i == 0:
            c = first_of_gate(fit, p, above, degree + extra)
            first = c[degree] if extra else 0.0
            cells.append((0.0, 0.0, c[:degree]))
            continue

        def error(a, b, value, c):
            d = F(a - F(b))
            s, a64 = slope(d, c), a.astype(np.float64)
            left = errors(mul_add(-s, d, -F(value)), -f(a64)).max()
            return max(left, errors(mul_add(-s, d, F(a - F(value))), a64 - f(a64)).max())

        # x - f(b) is to be exact.
        place = ulp(high * 0.999999)
        inexact = lambda _, value: np.where(
            value > 0.5 * place, 0.4 * np.abs(value / place - np.round(value / place)), 0
        )
        width = high - low
        middle, span = (low + high) / 2 + (0.13 * width if degree == 5 else 0), 0.12 * width
        if low < 0.6:
            middle = np.sqrt(low * high)
        if last and i == 31:
            middle, span = high - last * width, last * width
        tried = [fit.cell(below, above, error, middle, span, 80, inexact)]
        if degree == 5:
            other = fit.cell(below, above, error, (low + high) / 2, 0.1 * width, 40, inexact)
            if not (last and i == 31):
                tried.append(other)
        cells.append(min(tried, key=lambda t: t[0])[1:])
    return cells, first


def first_of_gate(fit, p, above, degree):
    """c of x/2 - a·(c1 + c2·a + …), where c1 is 0, so that -0 stays -0."""
    f = fit.f

    def candidate(known, start, power):
        x = chebyshev(start, above, 60)
        weight = 1 / ulp(f(x)) * x**power
        return rounded_fit(x, x * (p(x) - 0.5), weight, degree, known, above)

    def error(c, a):
        s, worst, a64 = slope(a, c), 0, a.astype(np.float64)
        for true, half in [(-f(a64), F(-0.5) * a), (a * (1 - p(a64)), F(0.5) * a)]:
            worst = max(worst, errors(mul_add(-s, a, half), true).max())
        return worst

    few = fit.sample(1e-3, above, 3000)
    uniform = fit.random.uniform
    many = F(np.concatenate([uniform(1e-3, above, 60000), uniform(0.8 * above, above, 140000)]))
    tried = []
    for start in (1e-3, 0.02, 0.05, 0.1):
        for power in (0, 0.5, 1):
            second = candidate([0.0], start, power)[1]
            for k in range(-24, 25):
                c2 = float(F(second) + F(k) * F(2.0**-26))
                c = candidate([0.0, c2], start, power)
                tried.append((error(c, few), c))
    tried.sort(key=lambda t: t[0])
    return min(((error(c, many), c) for _, c in tried[:40]), key=lambda t: t[0])[1]


def softplus():
    """log1p(e^-a) in cells of a to the nearest half; y and a + y count. For the latter, b + f(b) is to be nearly exact."""
    f = lambda a: np.log1p(np.exp(-a))
    fit = Fit(f, 5)

    def inexact(b, value):
        total = b + f(b)
        return 0.1 * np.abs(F(b + value) - total) / ulp(total)

    cells = []
    for i in range(32):
        low, high, margin = max(0, i / 2 - 0.25), i / 2 + 0.25, 1e-5

        def error(a, b, value, c):
            d = F(a - F(b))
            s, left = slope(d, c), f(a.astype(np.float64))
            right = np.maximum(mul_add(F(s + F(1)), d, F(F(b) + F(value))), a)
            worst = errors(right, a.astype(np.float64) + left).max()
            return max(worst, errors(mul_add(s, d, F(value)), left).max())

        width, middle = high - low, (low + high) / 2
        below, above = max(0, low - margin), high + margin
        sides = [middle + 0.13 * width, middle - 0.13 * width]
        tried = [fit.cell(below, above, error, side, 0.1 * width, 60, inexact, 200_000) for side in sides]
        cells.append(min(tried, key=lambda t: t[0])[1:])
    return cells


def tanh_shrink():
    """In the cells of tanh: up to 1.375 of (a - tanh a)/a^3, beyond of tanh, to which a - f(b) is to be exact."""

    def over_cube(a):
        # By the continued fraction 1/(3 + z/(5 + ...)) of (a/tanh a - 1)/z.
        z = np.asarray(a, np.float64) ** 2
        rest = 0
        for odd in range(59, 1, -2):
            rest = z / (odd + rest) if odd > 3 else 1 / (3 + rest)
        return rest / (1 + z * rest)

    def low_error(a, b, value, c):
        a = a[a > 1e-9]
        d, value, z = F(a - F(b)), F(value), F(a * a)
        w, z_low = F(z * a), mul_add(a, a, -z)
        w_low = mul_add(a, z_low, mul_add(z, a, -w))
        y = mul_add(w, value, mul_add(w, F(d * slope(d, c)), F(w_low * value)))
        a64 = a.astype(np.float64)
        return errors(y, a64**3 * over_cube(a64)).max()

    def high_error(a, b, value, c):
        d = F(a - F(b))
        a64 = a.astype(np.float64)
        return errors(mul_add(-slope(d, c), d, F(a - F(value))), a64 - np.tanh(a64)).max()

    low_fit, high_fit = Fit(over_cube, 4), Fit(np.tanh, 4)
    cells = [None] * 32
    for i, low, high in octaves(0.625, 9.02):
        margin, width, middle = 3e-7, high - low, (low + high) / 2
        below, above = max(0, low - margin), high + margin
        if high <= 1.375:
            best = low_fit.cell(below, above, low_error, middle, 0.1 * width, 60)
        else:
            place = ulp(high - np.tanh(high))
            inexact = lambda _, value: 0.4 * np.abs(value / place - np.round(value / place))
            span = (0.1 if low < 3 else 0.4) * width
            best = high_fit.cell(below, above, high_error, middle, span, 60, inexact)
        cells[i % 32] = best[1:]
    return cells


def squared_tanh():
    """In the cells of tanh. In the first it is a function of a^2, which takes the place of f(b), too."""
    f = lambda a: np.tanh(a) ** 2
    fit = Fit(f, 5)
    cells = [None] * 32
    for i, low, high in octaves(0.625, 9.02):
        margin, width = 3e-7, high - low
        below, above = max(0, low - margin), high + margin
        if low == 0:
            a = chebyshev(1e-3, above, 60)
            c = rounded_fit(a * a, f(a) - a * a, 1 / ulp(f(a)), 5, (0.0,))
            cells[i % 32] = 0.0, 0.0, c
            continue

        def error(a, b, value, c):
            d = F(a - F(b))
            return errors(mul_add(slope(d, c), d, F(value)), f(a.astype(np.float64))).max()

        middles = [(low + high) / 2, (low + high) / 2 + 0.05 * width]
        tried = [fit.cell(below, above, error, middle, 0.1 * width, 40) for middle in middles]
        cells[i % 32] = min(tried, key=lambda t: t[0])[1:]
    return cells


def even_slope(f, scale, turning=None):
    """f(a) in cells ⌊a·(scale + growth·a)⌋ is the derivative at a and -a; or, with the point that the function is
    `turning` at, the one at -a alone, and that at a is 1 - f(a), which counts, too. From half of where f is 0 to twice
    that, its error is an absolute one."""
    scale, growth, degree = float(F(scale[0])), float(F(scale[1])), scale[2]
    fit, cells = Fit(f, degree), []

    def place(a):
        near_zero = turning and (a > 0.5 * turning) & (a < 2 * turning)
        return np.where(near_zero, np.maximum(np.abs(f(a)), 0.25), np.abs(f(a)))

    for i in range(32):
        low = grid_edge(i, scale, growth)
        high = grid_edge(min(i + 1, 31.998), scale, growth)
        margin = 4e-6 * max(low, 0.1)

        def error(a, b, value, c):
            d, a64 = F(a - F(b)), a.astype(np.float64)
            y = mul_add(slope(d, c), d, F(value))
            worst = (np.abs(y.astype(np.float64) - f(a64)) / ulp(place(a64))).max()
            return max(worst, errors(F(F(1) - y), 1 - f(a64)).max()) if turning else worst

        width, middle = high - low, (low + high) / 2
        below, above = max(0, low - margin), high + margin
        sides = [middle + 0.13 * width, middle - 0.13 * width] if degree % 2 else [middle]
        tried = [fit.cell(below, above, error, side, 0.1 * width, 60, of=place) for side in sides]
        cells.append(min(tried, key=lambda t: t[0])[1:])
    return cells


def gated_slope(v, slope_of_v):
    """a -> the derivative of x·σ(v(x)) at -a."""

    def f(a):
        s = expit(-v(a))
        return s - a * slope_of_v(a) * s * (1 - s)

    return f


def mish_cells(scale, growth, limit, arrived):
    """Of x to the nearest integer of x·(scale + growth·|x|): their numbers and edges."""
    scale, growth = float(F(scale)), float(F(growth))
    for i in range(-16, 16):
        halves = np.array([i - 0.5, i + 0.5])
        roots = (scale - np.sqrt(scale * scale + 4 * growth * np.abs(halves))) / (-2 * growth)
        low, high = np.sign(halves) * roots
        if low < arrived and -limit < high:
            yield i, max(low, -limit) - 8e-6, min(high, arrived) + 8e-6


def mish():
    """What mish lacks of max(x, 0). In the cell of 0, which has no point, what it lacks of x/2."""

    def f(x):
        t = np.exp(-np.abs(x))
        right, left = x * 2 * t * t / (1 + 2 * t + 2 * t * t), -x * (t * (t + 2)) / (t * (t + 2) + 2)
        return np.where(x > 0, right, left)

    def whole(x):
        t = np.exp(x)
        return x * (t * (t + 2)) / (t * (t + 2) + 2)

    fit = Fit(f, 6)
    cells = [None] * 32
    for i, below, above in mish_cells(1.9, -0.03, 10.0, 9.4):
        if i == 0:
            x = chebyshev(below, above, 60)
            c = rounded_fit(x, x / 2 - whole(x), 1 / ulp(whole(x)), 6)
            cells[0] = 0.0, 0.0, c
            continue

        def error(a, b, value, c):
            d = F(a - F(b))
            y = mul_add(-slope(d, c), d, F(F(max(i, 0) and 1) * a - F(value)))
            return errors(y, whole(a.astype(np.float64))).max()

        # x - f(b) is to be exact.
        place = ulp(above * 0.999999)
        exactness = lambda _, value: np.where(
            value > 0.5 * place, 0.4 * np.abs(value / place - np.round(value / place)), 0
        )
        inexact = exactness if i > 0 else None
        middle, span = (below + above) / 2, 0.1 * (above - below)
        cells[i % 32] = fit.cell(below, above, error, middle, span, 60, inexact, of=whole)[1:]
    return cells


def mish_slope():
    """The derivative of mish. From half of where it is 0 to twice that, its error is an absolute one."""

    def f(x):
        t = np.exp(-np.abs(x))
        d = 2 + 2 * t + t * t
        left = t * (t + 2) / d + 4 * x * t * (t + 1) / (d * d)
        d = 1 + 2 * t + 2 * t * t
        right = (1 + 2 * t) / d + 4 * x * t * t * (1 + t) / (d * d)
        return np.where(x > 0, right, left)

    def place(x):
        turning = (x > -2.39) & (x < -0.59)
        return np.where(turning, np.maximum(np.abs(f(x)), 0.25), np.abs(f(x)))

    fit = Fit(f, 6)
    cells = [(0.0, 0.0, [0.0] * 6)] * 32
    for i, below, above in mish_cells(1.8, -0.035, 10.0, 10.4):

        def error(a, b, value, c):
            d, a64 = F(a - F(b)), a.astype(np.float64)
            y = mul_add(slope(d, c), d, F(value)).astype(np.float64)
            return (np.abs(y - f(a64)) / ulp(place(a64))).max()

        middle, span = (below + above) / 2, 0.1 * (above - below)
        cells[i % 32] = fit.cell(below, above, error, middle, span, 40, of=place)[1:]
    return cells


GELU_TANH = 2 * np.sqrt(2 / np.pi)


def tables():
    yield "cells_32.rs", "TANH", tanh()
    yield "cells_32.rs", "SIGMOID", sigmoid()
    yield "cells_32.rs", "SILU", gate(lambda a: expit(-a), 5, 1.905, 0, extra=True, last=0.03)[0]
    yield "cells_32.rs", "GELU", gate(lambda a: 0.5 * erfc(a / np.sqrt(2)), 6, 3.1, 0.31)[0]
    v = lambda a: GELU_TANH * a * (1 + 0.044715 * a * a)
    yield "cells_32.rs", "GELU_TANH", gate(lambda a: expit(-v(a)), 6, 3.0, 0.5)[0]
    quick = gate(lambda a: expit(-1.702 * a), 5, 3.4, -0.018, extra=True, last=0.03)
    yield "cells_32.rs", "QUICK_GELU", quick[0]
    yield "cells_32.rs", "SOFTPLUS", softplus()
    yield "cells_32.rs", "TANH_SHRINK", tanh_shrink()
    yield "cells_32.rs", "MISH", mish()
    gelu_slope = lambda a: 0.5 * erfc(a / np.sqrt(2)) - a * np.exp(-a * a / 2) / np.sqrt(2 * np.pi)
    yield "slopes_32.rs", "GELU", even_slope(gelu_slope, (3.1, 0.31, 6), 0.7518)
    slope_of_v = lambda a: GELU_TANH * (1 + 3 * 0.044715 * a * a)
    yield "slopes_32.rs", "GELU_TANH", even_slope(gated_slope(v, slope_of_v), (3.0, 0.5, 6), 0.7525)
    identity, one = lambda a: a, np.ones_like
    yield "slopes_32.rs", "SILU", even_slope(gated_slope(identity, one), (1.576, 0, 6), 1.2785)
    times, factor = lambda a: 1.702 * a, lambda a: np.full_like(a, 1.702)
    yield "slopes_32.rs", "QUICK_GELU", even_slope(gated_slope(times, factor), (2.683, 0, 6), 0.7512)
    yield "slopes_32.rs", "SIGMOID", even_slope(lambda a: expit(a) * expit(-a), (1.98, 0, 5))
    yield "slopes_32.rs", "TANH", even_slope(lambda a: 1 / np.cosh(a) ** 2, (3.95, 0, 5))
    yield "slopes_32.rs", "TANH_SHRINK", squared_tanh()
    yield "slopes_32.rs", "MISH", mish_slope()


def columns(cells):
    """b, f(b), c1, c2, …, as bits."""
    rows = [[b, value, *c] for b, value, c in cells]
    return np.array(rows, F).T.copy().view(np.uint32)


def committed(file, name):
    """The columns in the Rust file."""
    rust = (MATH / file).read_text()
    text = re.search(rf"const {name}: Cells<32, \d> = Cells {{(.*?)\n}};", rust, re.S)[1]
    bits = [int(x, 16) for x in re.findall(r"0x[0-9a-f]{8}", text)]
    return np.array(bits, np.uint32).reshape(-1, 32)


def main():
    check = sys.argv[1:] == ["--check"]
    wrong = False
    for file, name, cells in tables():
        found = columns(cells)
        if not check:
            for column in found:
                print(file, name, "[" + ", ".join(f"0x{bits:08x}" for bits in column) + "]")
            continue
        n = int((found != committed(file, name)).any(0).sum())
        print(f"{name}: 32 cells of {len(found)} numbers, {n} cells differ from {file}")
        wrong |= n > 2
    sys.exit(wrong)


main()
