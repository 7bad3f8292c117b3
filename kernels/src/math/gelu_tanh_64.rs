//! gelu_tanh, x times the logistic function of a cubic v, on `f64` by a table of 16 powers.
//!
//! e<sup>−v</sup> = S·(1 + p) with S = s·2<sup>n</sup>, n in sixteenths. The 16 powers are numbers of `f64` to a tenth of
//! an ulp, all of them times the same s, which is next to 1: its reciprocal is in the polynomial p. So S needs no
//! second part, and 1 + S + S·p is known to twice the digits. Its reciprocal g is corrected by what it lacks.
//! The numbers are from `docs/fits/tables_64.py`: least squares on Chebyshev nodes, one coefficient rounded after the
//! other.

use crate::math::by_tables::{SHIFT_16, horner, scaled_down};
use crate::register::{Mask, TableLane};

/// Up to here e<sup>v</sup> and e<sup>−v</sup> are normal numbers, and so is a millionth of them.
const RANGE: f64 = 20.4;

/// x·σ(2·√(2/π)·(x + 0.044715·x³)).
#[inline(always)]
pub(crate) fn gelu_tanh_64<X: TableLane>(x: X) -> X {
    let (shift, limit) = (x.splat(SHIFT_16), x.splat(RANGE));
    let (inner, far) = within(x, limit);
    let (u, u_low) = cubic(inner);
    let shifted = inner.neg_mul_add(u, shift);
    let n = shifted - shift;
    let r = inner.mul_add(u_low, inner.mul_add(u, n));
    let y = gated(x, shifted.gather(&POWERS).scale(n), horner(r, &EXP));
    if !far {
        return y;
    }
    let left = x.splat(-VANISHED).max(x);
    let (u, u_low) = cubic(left);
    let shifted = left.mul_add(u, shift);
    let n = shifted - shift;
    let r = left.neg_mul_add(u_low, left.neg_mul_add(u, n));
    beyond(x, y, left, shifted, horner(r, &EXP), limit)
}

/// x, and whether it is anywhere beyond the limit; there, the limit. (A branch that is hardly ever taken costs less
/// than to clamp always; without either, what comes to nothing there would pass by subnormal numbers.)
#[inline(always)]
fn within<X: TableLane>(x: X, limit: X) -> (X, bool) {
    if limit.lt(x.abs()).any() {
        ((x.splat(0.0) - limit).max(limit.min(x)), true)
    } else {
        (x, false)
    }
}

/// x/(1 + S·(1 + p)), with g next to the reciprocal, so short that 1 − g is exact unless it matters little.
#[inline(always)]
fn gated<X: TableLane>(x: X, scale: X, p: X) -> X {
    let one = x.splat(1.0);
    let rest = scale * p;
    let g = one / ((scale + one) + rest);
    let g = g.and_bits(x.splat(f64::from_bits(!0 << 32)));
    let e = g.neg_mul_add(rest, g.neg_mul_add(scale, one - g));
    x.mul_add(g, x * g * e.mul_add(e, e))
}

/// `y`; where x is beyond the limit, x or `left`·2<sup>n</sup>·(1 + p)·s, which goes down to nothing.
#[inline(always)]
fn beyond<X: TableLane>(x: X, y: X, left: X, shifted: X, p: X, limit: X) -> X {
    let n = shifted - x.splat(SHIFT_16);
    let y = limit.lt(x).select(x, y);
    let t = shifted.gather(&POWERS);
    let shut = scaled_down(t.mul_add(p, t) * left, n);
    x.lt(x.splat(0.0) - limit).select(shut, y)
}

/// c + d·x², and what it lost; times x it is the octaves of gelu_tanh's exponential.
#[inline(always)]
fn cubic<X: TableLane>(x: X) -> (X, X) {
    let [c, c_low, d, d_low] = CUBIC;
    let (c, d) = (x.splat(c), x.splat(d));
    let z = x * x;
    let z_lost = x.neg_mul_add(x, z);
    let u = d.mul_add(z, c);
    let low = x.splat(d_low).mul_add(z, x.splat(c_low));
    let low = d.neg_mul_add(z_lost, low);
    (u, d.mul_add(z, c - u) + low)
}

/// From here on, x·e<sup>v</sup> has vanished.
const VANISHED: f64 = 22.5;

/// 2<sup>j/16</sup>·s, within 0.098 ulps.
static POWERS: [f64; 16] = [
    1.000004239081324,
    1.044278209188902,
    1.0905123554162208,
    1.1387934621743252,
    1.1892121561483926,
    1.2418630764097423,
    1.296845052059346,
    1.3542612877362896,
    1.4142195573393954,
    1.4768324063256333,
    1.5422173629650484,
    1.610497158948743,
    1.6817999597640076,
    1.7562596052690327,
    1.8340158609187696,
    1.9152146801135133,
];

/// 2<sup>−r</sup>/s − 1.
const EXP: [f64; 7] = [
    -4.239063354230269e-06,
    -0.6931442422651347,
    0.24022548862371865,
    -0.05550387336647643,
    0.009618088334217895,
    -0.0013333763786112425,
    0.00015403721669085904,
];

/// c and d in two parts each. The first of c has 48 bits: its difference from c + d·x² is exact.
const CUBIC: [f64; 4] = [
    2.302208198144328,
    -2.977296208542741e-15,
    0.1029432395800235,
    -5.978177400718744e-18,
];
