"""Fits SOFTPLUS and TANH_SHRINK of kernels/src/math/cells_8.rs, prints them, and checks the file.

    pip install numpy mpmath
    python3 docs/fits/cells_8.py
    python3 docs/fits/cells_8.py --check     # exit status 1 if the file has others in more than 1 cell of a table

Each of 8 cells has a point b, a value and a polynomial in d = a - b for what is left of the function, divided by
d. It is fitted for the least maximum of the error relative to the operation (Lawson's weights); coefficients
are rounded to f32 one at a time, from the first on, and the rest fitted again.
"""

import re
import struct
import sys
from pathlib import Path

import numpy as np
from mpmath import atanh, findroot, log1p, mp, mpf, tanh

mp.prec = 140

FILE = Path(__file__).resolve().parents[2] / "kernels" / "src" / "math" / "cells_8.rs"


def f32(x):
    return float(np.float32(float(x)))


def bits(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def of_bits(u):
    return struct.unpack("<f", struct.pack("<I", u))[0]


def chebyshev(low, high, n):
    return (low + high) / 2 - (high - low) / 2 * np.cos(np.pi * (np.arange(n) + 0.5) / n)


def fit(d, y, weight, powers):
    """The coefficients of these powers of d for the least maximum of |weight·(p(d) - y)|, nearly."""
    scale = np.max(np.abs(d))
    a = np.stack([(d / scale) ** q for q in powers], 1)
    lawson = np.ones(len(d))
    for _ in range(60):
        w = np.sqrt(lawson) * weight
        x, *_ = np.linalg.lstsq(a * w[:, None], y * w, rcond=None)
        lawson = lawson * (np.abs((a @ x - y) * weight) + 1e-18)
        lawson /= lawson.sum()
    return [c / scale**q for c, q in zip(x, powers)]


def rounded(d, y, weight, first, end):
    """The same, rounded to f32; those before the first are 0."""
    c = [0.0] * end
    for i in range(first, end):
        rest = y - sum(c[q] * d**q for q in range(i))
        c[i] = f32(fit(d, rest, weight, range(i, end))[0])
    return c


def best(candidates):
    """The point and value of the least number."""
    return min(candidates)[1:]


def softplus():
    """log1p(w) = w + c + d·m(d): c has 12 bits behind the point, and in the first cell m(0) = 0."""
    edge = 0.99999
    for j in range(8):
        low = j / 8 / edge - 1e-6 if j else 0.0
        high = (j + 1) / 8 / edge + 1e-6
        middle, half = (low + high) / 2, (high - low) / 2
        lacks = lambda w: log1p(mpf(w)) - mpf(w)
        b, c = 0.0, 0.0
        if j:
            nearest = int(mp.nint(lacks(middle) * 2**12))
            found = []
            for k in range(nearest - 24, nearest + 25):
                point = f32(findroot(lambda w: lacks(w) - mpf(k) / 2**12, mpf(middle)))
                if abs(point - middle) <= 0.2 * half:
                    off = abs(float(lacks(point) - mpf(k) / 2**12))
                    found.append((off + 2.0**-37 * abs(point - middle) / half, point, k / 2**12))
            b, c = best(found)
        w = chebyshev(low, high, 200)
        d = w - b
        y = np.array([float((lacks(x) - mpf(c)) / (mpf(x) - mpf(b))) for x in w])
        weight = np.array([float(abs(mpf(x) - mpf(b)) / log1p(mpf(x))) for x in w])
        yield b, c, rounded(d, y, weight, 0 if j else 1, 5)


def tanh_shrink():
    """Cells are half octaves of 1 + 1.66a. In four of them (a - tanh a)/a³, then tanh a with a value of so few bits that
    a less it is exact; the last starts from its end, where tanh is 1. The seventh coefficient, of 8 bits, is in the
    lower half of the sixth."""
    ends = [(x - 1) / 1.662970781326294 for x in (1, 1.5, 2, 3, 4, 6, 8, 12)] + [9.02]
    cubic = lambda a: (mpf(a) - tanh(mpf(a))) / mpf(a) ** 3
    for j in range(8):
        low = ends[j] - 1e-6 * (j > 0)
        high = ends[j + 1] + 1e-6 * (j < 7)
        middle, half = (low + high) / 2, (high - low) / 2
        f = cubic if j < 4 else lambda a: tanh(mpf(a))
        if j == 7:
            b, value = f32(9.02), 1.0
        elif j < 4:
            found = []
            for k in range(-3000, 3001):
                point = f32(middle * (1 + k * 27e-6))
                if abs(point - middle) <= 0.12 * half:
                    v = f(point)
                    off = abs(float((v - mpf(f32(v))) / v))
                    found.append((off + 2.0**-34 * abs(point - middle) / half, point, f32(v)))
            b, value = best(found)
        else:
            unit = 2.0 ** -(22 if j < 6 else 21)
            nearest = round(float(f(middle)) / unit)
            found = []
            for k in range(nearest - 400, nearest + 401):
                if 0 < k * unit < 1:
                    point = f32(atanh(mpf(k) * unit))
                    if abs(point - middle) <= 0.2 * half:
                        off = abs(float(f(point) - k * unit))
                        found.append((off + 2.0**-34 * abs(point - middle) / half, point, k * unit))
            b, value = best(found)
        a = np.array([x for x in chebyshev(low, high, 240) if abs(x - b) > 1e-5])
        d = a - b
        of = cubic if j < 4 else lambda x: mpf(x) - tanh(mpf(x))
        y = np.array([float((f(x) - mpf(value)) / (mpf(x) - mpf(b))) for x in a])
        weight = np.array([float(abs(mpf(x) - mpf(b)) / of(x)) for x in a])
        seventh = (bits(fit(d, y, weight, range(7))[6]) + 0x8000) >> 16
        y = y - of_bits(seventh << 16) * d**6
        sixth = fit(d, y, weight, range(6))[5]
        near = [(bits(sixth) >> 16) + up << 16 | seventh for up in (-1, 0, 1)]
        packed = min((abs(of_bits(u) - sixth), of_bits(u)) for u in near)[1]
        yield b, value, rounded(d, y - packed * d**5, weight, 0, 5) + [packed]


def columns(rows):
    """b, value, c0, c1, …, as bits."""
    points, values, coefficients = zip(*rows)
    return [[bits(x) for x in column] for column in (points, values, *zip(*coefficients))]


def committed(name):
    """The columns in the Rust file."""
    text = re.search(rf"const {name}: Cells<8, \d> = Cells {{(.*?)\n}};", FILE.read_text(), re.S)[1]
    found = [int(x, 16) for x in re.findall(r"0x[0-9a-f]{8}", text)]
    return [found[i : i + 8] for i in range(0, len(found), 8)]


def main():
    check = sys.argv[1:] == ["--check"]
    wrong = False
    # 1 + 1.66a starts with the bits of 1, so that the first cell is number 6.
    shrink = list(tanh_shrink())
    for name, rows in [("SOFTPLUS", list(softplus())), ("TANH_SHRINK", shrink[2:] + shrink[:2])]:
        fitted = columns(rows)
        if not check:
            print(name)
            for column in fitted:
                print("    " + ", ".join(f"0x{x:08x}" for x in column))
            continue
        cells, others = list(zip(*fitted)), list(zip(*committed(name)))
        n = sum(a != b for a, b in zip(cells, others, strict=True))
        print(f"{name}: 8 cells of {len(fitted)} numbers, {n} cells differ from {FILE.name}")
        wrong |= n > 1
    sys.exit(wrong)


if __name__ == "__main__":
    main()
