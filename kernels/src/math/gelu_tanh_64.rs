//! gelu_tanh, x times the logistic function of a cubic v, on `f64` by a table of 16 powers.
//!
//! v is in two parts, and e<sup>−v</sup> and the gate are those of [`exp_64`](super::exp_64).
//! The numbers are from `docs/fits/tables_64.py`: least squares on Chebyshev nodes, one coefficient rounded after the
//! other.

use crate::math::by_tables::{SHIFT_16, TINY, half_of_tiny};
use crate::math::exp_64::Decayed;
use crate::register::{Mask, TableLane};

/// Up to here 1 + e<sup>−v</sup> and its reciprocal are normal numbers of `f32`.
const RANGE: f64 = 9.9;

/// x·σ(2·√(2/π)·(x + 0.044715·x³)).
#[inline(always)]
pub(crate) fn gelu_tanh_64<X: TableLane>(x: X) -> X {
    let (zero, shift, limit) = (x.splat(0.0), x.splat(SHIFT_16), x.splat(RANGE));
    let a = x.abs();
    let (inside, tiny) = (a.le(limit), a.lt(x.splat(TINY)));
    let all = inside.all() & !tiny.any();
    let inner = if all {
        x
    } else {
        tiny.select(zero, inside.select(x, zero))
    };
    let y = gelu_tanh_near_64(inner);
    if all {
        return y;
    }
    let y = tiny.select(half_of_tiny(x), y);
    if inside.all() {
        return y;
    }
    let left = zero - x.splat(VANISHED).min(a);
    let (u, u_low) = cubic(left);
    let shifted = left.mul_add(u, shift);
    let n = shifted - shift;
    let r = left.neg_mul_add(u_low, left.neg_mul_add(u, n));
    let shut = Decayed::new(shifted, r, &EXP).times(left);
    let far = x.lt(zero).select(shut, x);
    inside.select(y, far.or_nan_of(x))
}

/// That in the range, for x that is not tiny.
#[inline(always)]
fn gelu_tanh_near_64<X: TableLane>(x: X) -> X {
    let shift = x.splat(SHIFT_16);
    let (u, u_low) = cubic(x);
    let shifted = x.neg_mul_add(u, shift);
    let n = shifted - shift;
    let r = x.mul_add(u_low, x.mul_add(u, n));
    let (g, t) = Decayed::new(shifted, r, &EXP).gate();
    x.mul_add(g, x * g * t)
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
