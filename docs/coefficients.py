"""Computes every coefficient of kernels/src/coefficients.rs, and prints that file's tables.

    pip install mpmath==1.3.0
    python3 docs/coefficients.py

Polynomials by Remez's exchange algorithm; the ratio of two by Loeb's, which solves for P - f Q = 0
with the weight of the last Q until that settles. All in 100 digits. The comment above each table
says how large the error is that the approximation itself makes, of the result in question, before
f64 coefficients are rounded, and after f32 ones are.
"""

import struct

import mpmath as mp

mp.mp.prec = 330


def chebyshev(basis, f, weight, points):
    """Coefficients that minimise max |weight (sum c_j basis_j - f)| over sorted points."""
    n = len(basis) + 1
    rows = [[b(x) for b in basis] for x in points]
    fs = [f(x) for x in points]
    ws = [weight(x) for x in points]
    last = len(points) - 1
    at = [int(last * (1 - mp.cos(mp.pi * i / (n - 1))) / 2) for i in range(n)]
    for i in range(1, n):
        at[i] = max(at[i], at[i - 1] + 1)
    for i in range(n - 2, -1, -1):
        at[i] = min(at[i], at[i + 1] - 1)
    for _ in range(20):
        a = mp.matrix(n, n)
        y = mp.matrix(n, 1)
        for i, k in enumerate(at):
            for j in range(n - 1):
                a[i, j] = rows[k][j]
            a[i, n - 1] = (-1) ** i / ws[k]
            y[i] = fs[k]
        solution = mp.lu_solve(a, y)
        c = [solution[j] for j in range(n - 1)]
        errors = [w * (mp.fdot(c, row) - v) for w, row, v in zip(ws, rows, fs)]
        # The largest error between each two changes of sign.
        starts = [0] + [k for k in range(1, last + 1) if errors[k] * errors[k - 1] < 0] + [last + 1]
        peaks = [max(range(i, j), key=lambda k: abs(errors[k])) for i, j in zip(starts, starts[1:])]
        if len(peaks) < n:
            break
        while len(peaks) > n:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        at = peaks
        if max(map(abs, errors)) < abs(solution[n - 1]) * (1 + mp.mpf(10) ** -4):
            break
    return c, max(map(abs, errors))


def between(a, b, count=600):
    a, b = mp.mpf(a), mp.mpf(b)
    return [a + (b - a) * (1 - mp.cos(mp.pi * i / count)) / 2 for i in range(count + 1)]


def powers(degree):
    return [lambda x, j=j: x**j for j in range(degree + 1)]


def double(f, degree, weight, points):
    return chebyshev(powers(degree), f, weight, points)


def single(f, degree, weight, points):
    """A polynomial with f32 coefficients: each is rounded in turn, and the others fitted to what is left."""
    fixed = []
    for i in range(degree + 1):
        rest = lambda x: f(x) - mp.polyval(fixed[::-1], x) if fixed else f(x)
        basis = [lambda x, j=j: x**j for j in range(i, degree + 1)]
        c, _ = chebyshev(basis, rest, weight, points)
        fixed.append(mp.mpf(struct.unpack("f", struct.pack("f", c[0]))[0]))
    error = max(abs(weight(x) * (mp.polyval(fixed[::-1], x) - f(x))) for x in points)
    return fixed, error


def ratio(f, m, n, points):
    """P and Q of degrees m and n, Q(0) = 1, by relative error."""
    fs = {x: f(x) for x in points}
    q = {x: mp.mpf(1) for x in points}
    for _ in range(8):
        basis = powers(m) + [lambda x, j=j: -fs[x] * x**j for j in range(1, n + 1)]
        c, _ = chebyshev(basis, lambda x: fs[x], lambda x: 1 / (fs[x] * q[x]), points)
        bottom = [mp.mpf(1)] + c[m + 1 :]
        q = {x: mp.polyval(bottom[::-1], x) for x in points}
    top = c[: m + 1]
    error = max(abs(mp.polyval(top[::-1], x) / q[x] / fs[x] - 1) for x in points)
    return top, bottom, error


def table(name, coefficients, error, what):
    print(f"/// {what}: error below 2^{mp.nstr(mp.log(error, 2), 3)}.")
    print(f"pub(crate) const {name}: &[f64] = &[")
    for c in coefficients:
        print(f"    {float(c)!r},")
    print("];\n")


def pair(name, x, what):
    """x as the sum of two f64."""
    high = mp.mpf(float(x))
    print(f"/// {what}.")
    print(f"pub(crate) const {name}: (f64, f64) = ({float(x)!r}, {float(x - high)!r});\n")


# e^r = 1 + r + r^2 q(r), |r| <= ln(2)/2. The error of e^r - 1, relative to that.
def q(r):
    return (mp.expm1(r) - r) / r**2 if r else mp.mpf(1) / 2


half = mp.log(2) / 2
for name, degree in (("EXP_SINGLE", 5), ("EXP_DOUBLE", 9)):
    points = between(-half, half, 601)
    fit = single if name.endswith("SINGLE") else double
    c, e = fit(q, degree, lambda r: abs(r * r / mp.expm1(r)), points)
    table(name, c, e, "q of e<sup>r</sup> = 1 + r + r²·q(r), relative to e<sup>r</sup> − 1")


# 2 atanh(s/2) = s + s z a(z), z = s^2, 0 <= s <= 2/3, which is log1p(t) for s = 2t/(2 + t), t <= 1.
def a(z):
    s = mp.sqrt(z)
    return (2 * mp.atanh(s / 2) / s - 1) / z if z else mp.mpf(1) / 12


for name, degree in (("ATANH_SINGLE", 4), ("ATANH_DOUBLE", 9)):
    fit = single if name.endswith("SINGLE") else double
    c, e = fit(a, degree, lambda z: z + mp.mpf(2) ** -30, between(0, mp.mpf(4) / 9))
    table(name, c, e, "a of 2·atanh(s/2) = s + s³·a(s²), relative to that")


# tanh(x) = x + x z p(z), z = x^2 <= 1. The error of p relative to p, which is that of x - tanh(x).
def p(z):
    x = mp.sqrt(z)
    if z < mp.mpf(10) ** -40:
        return mp.mpf(-1) / 3
    return (mp.tanh(x) / x - 1) / z


c, e = single(p, 7, lambda z: z / (1 + z * p(z)) + mp.mpf(2) ** -30, between(0, 1))
table("TANH_SINGLE", c, e, "p of tanh x = x + x³·p(x²), relative to tanh x")
for name, degree in (("TANH_SHORT", 7), ("TANH_DOUBLE", 15)):
    c, e = double(p, degree, lambda z: 1 / abs(p(z)), between(0, 1))
    table(name, c, e, "p of tanh x = x + x³·p(x²), relative to x − tanh x")
print("/// What rounding took from the first of these.")
print(f"pub(crate) const TANH_FIRST_LOW: f64 = {float(c[0] - mp.mpf(float(c[0])))!r};\n")


# Mills' ratio as it stands in the normal distribution's tail: Phi(-a) = e^(-a^2/2) m(a).
def m(a):
    return mp.erfc(a / mp.sqrt(2)) * mp.exp(a * a / 2) / 2


def a_of(t):
    return 4 * (1 + t) / (1 - t)


# Down to where a Phi(-a) vanishes: 14.5 for f32, 38.8 for f64.
top, bottom, e = ratio(m, 5, 6, [a_of(t) for t in between(-1, (mp.mpf("14.5") - 4) / (mp.mpf("14.5") + 4), 400)])
table("MILLS_TOP", top, e, "Numerator of Φ(−a)·e<sup>a²/2</sup> for a ≤ 14.5, relative to that")
table("MILLS_BOTTOM", bottom, e, "Its denominator")
limit = (mp.mpf("38.8") - 4) / (mp.mpf("38.8") + 4)
c, e = chebyshev(
    powers(24),
    lambda t: m(a_of(t)) * (a_of(t) + 4),
    lambda t: 1 / (m(a_of(t)) * (a_of(t) + 4)),
    between(-1, limit, 400),
)
table("MILLS_DOUBLE", c, e, "(a + 4)·Φ(−a)·e<sup>a²/2</sup> in t = (a − 4)/(a + 4), a ≤ 38.8, relative to that")

tau = mp.sqrt(2 / mp.pi)
pair("GELU_TANH_1", -2 * tau, "−2·√(2/π)")
pair("GELU_TANH_3", -2 * tau * mp.mpf("0.044715"), "−2·√(2/π)·0.044715")
pair("QUICK_GELU", mp.mpf("1.702"), "1.702")
pair("DENSITY_0", 1 / mp.sqrt(2 * mp.pi), "1/√(2π), the normal density at 0")
# The two of the paper, as f64 has them.
scale, alpha = mp.mpf(1.0507009873554805), mp.mpf(1.6732632423543772)
pair("SELU_SCALE", scale, "selu's λ")
pair("SELU_SCALE_ALPHA", scale * alpha, "selu's λ·α")
