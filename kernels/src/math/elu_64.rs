//! selu on `f64` by a table of 16 powers.
//!
//! e<sup>x</sup> = 2<sup>n</sup>·e<sup>r</sup> with n in sixteenths; λα is in the table: S = λα·2<sup>n</sup>. So
//! λα·expm1(x) = (S − λα) + S·(e<sup>r</sup> − 1), where the product by r is the last: next to 0, where S is λα, nothing
//! else rounds at full size.
//! What rounding took from the 16 numbers is added to e<sup>r</sup> − 1, less what it took from the first, since that is in λα
//! twice, and is a quarter of an ulp.
//! The numbers are from `docs/fits/tables_64.py`: least squares on Chebyshev nodes, one coefficient rounded after the
//! other.

use crate::coefficients::{SELU_SCALE, SELU_SCALE_ALPHA};
use crate::math::by_tables::{SHIFT_16, TINY, tiny_times};
use crate::math::polynomial;
use crate::math::tables::Aligned;
use crate::register::{Mask, TableLane};

/// From here on, down, the result is −λα.
const SATURATED: f64 = -40.0;

/// λ·(x < 0 ? α·expm1(x) : x).
#[inline(always)]
pub(crate) fn selu_64<X: TableLane>(x: X) -> X {
    let zero = x.splat(0.0);
    let (scale, limit) = (x.splat(SELU_SCALE.0), x.splat(SELU_SCALE_ALPHA.0));
    let tiny = x.abs().lt(x.splat(TINY));
    let some = tiny.any();
    let inner = if some { tiny.select(zero, x) } else { x };
    let y = selu_near_64(inner);
    if !some {
        return y;
    }
    tiny.select(tiny_times(x, x.lt(zero).select(limit, scale)), y)
}

/// That for x that is not tiny.
#[inline(always)]
pub(crate) fn selu_near_64<X: TableLane>(x: X) -> X {
    let (zero, shift) = (x.splat(0.0), x.splat(SHIFT_16));
    let (scale, limit) = (x.splat(SELU_SCALE.0), x.splat(SELU_SCALE_ALPHA.0));
    let v = x.splat(SATURATED).max(x);
    let shifted = v.mul_add(x.splat(core::f64::consts::LOG2_E), shift);
    let n = shifted - shift;
    let r = n.neg_mul_add(x.splat(core::f64::consts::LN_2), v);
    let r = n.neg_mul_add(x.splat(LN_2_LOW), r);
    let s = shifted.power(&SELU.0);
    let r2 = r * r;
    let rest = r2.mul_add(polynomial(r, r2, &EXP), shifted.gather(&SELU_REST.0));
    let left = (s - limit) + s.mul_add(r, s * rest);
    x.lt(zero).select(left, x * scale)
}

/// What ln 2 lacks.
const LN_2_LOW: f64 = 2.3190468138462996e-17;

/// λα·2<sup>j/16</sup>.
static SELU: Aligned<[f64; 16]> = Aligned([
    1.7580993408473766,
    1.8359370485498332,
    1.9172209259877568,
    2.0021035481302234,
    2.0907442450172944,
    2.1833094008325578,
    2.2799727662167455,
    2.380915784408655,
    2.4863279318255587,
    2.5964070737224056,
    2.7113598355973894,
    2.831401991041057,
    2.956758866756955,
    3.087665765514079,
    3.2243684078250237,
    3.3671233931788955,
]);

/// What that lacks, relative to it, less what the first lacks.
static SELU_REST: Aligned<[f64; 16]> = Aligned([
    0.0,
    -7.204070501556135e-17,
    -7.759789726106804e-17,
    6.352112241579355e-17,
    -3.5230616649720235e-17,
    -6.361601586217604e-17,
    2.3204789423082616e-17,
    -8.038090049556623e-17,
    3.4075605578570543e-17,
    -1.0492182186878708e-16,
    1.4374547735414513e-17,
    -2.0738259331398084e-17,
    -4.786708878220198e-19,
    -3.8292732907690665e-17,
    -3.640017890631502e-17,
    -3.699939771670675e-17,
]);

/// (expm1(r) − r)/r².
const EXP: [f64; 6] = [
    0.5000000000000001,
    0.16666666666666669,
    0.04166666666332378,
    0.008333333332887615,
    0.0013889068203813144,
    0.0001984148331143258,
];
