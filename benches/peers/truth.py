"""The operations in f64, relatively accurate everywhere: enough of a truth for f32.

Each stands beside the plain formula, which `check` evaluates with mpmath.
"""

import mpmath
import numpy as np
from mpmath import mp
from scipy.special import erfc, expit

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # of selu, as PyTorch has them

# Of tanh's Taylor series, from x³ on, with the sign of x − tanh x.
SHRINK = np.array([
    1 / 3, -2 / 15, 17 / 315, -62 / 2835, 1382 / 155925, -21844 / 6081075, 929569 / 638512875,
    -6404582 / 10854718875, 443861162 / 1856156927625,
])  # fmt: skip


def tanh_shrink(x):
    # x − tanh x cancels near 0; at 0.3 it has lost a factor of 34, and the series' next term is 1e-15.
    near = np.where(np.abs(x) < 0.3, x, 0)
    square = near * near
    return np.where(np.abs(x) < 0.3, near * square * np.polyval(SHRINK[::-1], square), x - np.tanh(x))


def log_sigmoid(x):
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def gelu_tanh(x):
    # (1 + tanh u) / 2 is the sigmoid of 2u, which does not cancel.
    return x * expit(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x * x * x))


def mish(x):
    # tanh(log1p e) = ((1 + e)² − 1) / ((1 + e)² + 1), by powers of e^−|x| only.
    e = np.exp(-np.abs(x))
    negative = e * (e + 2) / (e * (e + 2) + 2)
    positive = (1 + 2 * e) / (1 + 2 * e + 2 * e * e)
    return x * np.where(x < 0, negative, positive)


def selu(scale, alpha):
    return lambda x: np.where(x < 0, scale * alpha * np.expm1(np.minimum(x, 0)), scale * x)


TRUTHS = {
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "sigmoid": expit,
    "log_sigmoid": log_sigmoid,
    "tanh": np.tanh,
    "tanh_shrink": tanh_shrink,
    "softplus": lambda x: np.logaddexp(x, 0),
    "elu": lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x),
    "celu": lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x),
    "selu": selu(SCALE, ALPHA),
    "silu": lambda x: x * expit(x),
    "gelu": lambda x: x / 2 * erfc(-x / np.sqrt(2)),
    "gelu_tanh": gelu_tanh,
    "quick_gelu": lambda x: x * expit(1.702 * x),
    "mish": mish,
}

FORMULAS = {
    "hard_swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "log_sigmoid": lambda x: -mp.log1p(mp.exp(-x)),
    "tanh": mp.tanh,
    "tanh_shrink": lambda x: x - mp.tanh(x),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "elu": lambda x: mp.expm1(x) if x < 0 else x,
    "celu": lambda x: mp.expm1(x) if x < 0 else x,
    "selu": lambda x: mp.mpf(SCALE) * (mp.mpf(ALPHA) * mp.expm1(x) if x < 0 else x),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "gelu": lambda x: x / 2 * mp.erfc(-x / mp.sqrt(2)),
    "gelu_tanh": lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))),
    "quick_gelu": lambda x: x / (1 + mp.exp(-mp.mpf("1.702") * x)),
    "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
}

# Of an f32 ulp: what a truth may be off by. The share of correctly rounded results is then known to
# about as much.
ALLOWED = 1e-4


def ulp(t):
    """The distance of the f32 numbers around each of `t`."""
    exponents = np.frexp(t)[1] - 24
    return np.ldexp(1.0, np.maximum(exponents, -149))


def points():
    """Some thousand f32 numbers: all magnitudes, and the tails of all operations densely."""
    magnitudes = np.geomspace(2.0**-149, 3e38, 300)
    x = np.concatenate([magnitudes, -magnitudes, np.linspace(-110, 110, 1001)])
    return x.astype(np.float32).astype(np.float64)


def check(name):
    """The largest error of the truth, in f32 ulps. Exits if it is too much."""
    x = points()
    y = TRUTHS[name](x)
    worst = 0.0
    # x − tanh x of the least x has 90 digits fewer; beyond |x| = 1e4 nothing happens that mpmath
    # should take its time for.
    with mpmath.workdps(150):
        for a, b in zip(x, y):
            if abs(a) > 1e4 and name != "hard_swish":
                continue
            t = FORMULAS[name](mp.mpf(a))
            off = float(abs(mp.mpf(float(b)) - t) / mp.mpf(float(ulp(float(t)))))
            worst = max(worst, off)
            if not off <= ALLOWED:
                raise SystemExit(
                    f"truth.py: {name}({a!r}) is {mp.nstr(t, 20)} by mpmath, and {float(b)!r} here: "
                    f"{off:.2g} f32 ulp off, more than {ALLOWED:g}; correct the formula"
                )
    return worst
