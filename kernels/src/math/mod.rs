//! The functions that smooth operations are made of: e<sup>x</sup>, log1p, tanh, the normal
//! distribution, on lanes of `f32` or `f64`.
//!
//! **Errors that count.** A rounding costs half an ulp, and the last one cannot be avoided. For the sum
//! of all others to stay below the other half, an operation must have no second one of full size: a
//! sum or quotient in between carries along what it lost, in a second number ([`Sum`]), and gives it
//! back before the end. That takes an exact residual of a product, which is one instruction with FMA
//! and seventeen without; so `f32` is computed so only on lanes with FMA, and in `f64` otherwise, where
//! nothing of this is needed to be right to half an ulp of `f32` ([`Short`](crate::Short)).
//!
//! **No overflow.** The main path of an operation is for arguments whose e<sup>x</sup> and
//! e<sup>−x</sup> are normal numbers ([`Math::range`]). What lies beyond is rare and is computed, if any
//! lane has it, by a path of its own and selected. The test is three instructions; scaling every result
//! by two powers, for subnormal ones, would be seven.

mod coefficients;
mod exp;
mod log;
mod logistic;
mod normal;
mod sum;
mod tanh;

use coefficients::*;
pub(crate) use coefficients::{
    DENSITY_0, GELU_TANH_1, GELU_TANH_3, QUICK_GELU, SELU_SCALE, SELU_SCALE_ALPHA,
};
pub(crate) use exp::{
    Exp, exp, exp_beyond, exp_minus, exp_minus_one, exp_precise, exp_scaled, exp_times,
    one_minus_exp,
};
pub(crate) use log::log1p_exp;
pub(crate) use logistic::{gated, gated_derivative, logistic, logistic_density, negative, times};
pub(crate) use normal::mills;
pub(crate) use sum::{
    Sum, product, product_of_sum, product_of_sums, quotient, reciprocal, two_sum,
};
pub(crate) use tanh::{tanh, tanh_shrink};

use crate::element::Real;
use crate::lanes::{FloatLanes, Lanes};

/// What the functions need to know of the precision they are computed in.
#[derive(Debug)]
pub struct Math {
    /// Whether sums carry along what they lost; else the lanes have so many more bits than the result
    /// that they need not.
    pub(crate) compensated: bool,
    /// 1.5 · 2<sup>p</sup> for p bits of fraction: added to a number, it rounds it to an integer.
    pub(crate) shift: f64,
    /// ln 2 in two parts, the first so short that its products with exponents are exact.
    pub(crate) ln2: (f64, f64),
    /// Dekker's constant, 2<sup>⌈p/2⌉</sup> + 1: splits a number into two halves.
    pub(crate) split: f64,
    /// Up to here, `split` times that is finite.
    pub(crate) splittable: f64,
    /// e<sup>x</sup> and e<sup>−x</sup> are normal numbers up to here, and not too large for `split`.
    pub(crate) range: f64,
    /// e<sup>−x</sup> has vanished from here on, and any smaller number of the lanes times it; so much also
    /// [`exp_times`] can scale by.
    pub(crate) vanished: f64,
    /// The largest finite number.
    pub(crate) largest: f64,
    pub(crate) exp: &'static [f64],
    pub(crate) atanh: &'static [f64],
    pub(crate) tanh: &'static [f64],
    /// What rounding took from the first of those.
    pub(crate) tanh_first_low: f64,
}

/// For `f32` lanes.
pub(crate) const SINGLE: Math = Math {
    compensated: true,
    shift: 12_582_912.0,
    ln2: (0.693_145_751_953_125, 1.428_606_820_309_417_3e-6),
    split: 4097.0,
    splittable: 1e30,
    range: 87.0,
    vanished: 174.0,
    largest: f32::MAX as f64,
    exp: EXP_SINGLE,
    atanh: ATANH_SINGLE,
    tanh: TANH_SINGLE,
    tanh_first_low: 0.0,
};

/// For `f64` lanes.
pub(crate) const DOUBLE: Math = Math {
    compensated: true,
    shift: 6_755_399_441_055_744.0,
    ln2: (0.693_147_180_559_890_3, 5.497_923_018_708_371e-14),
    split: 134_217_729.0,
    splittable: 1e300,
    range: 690.0,
    vanished: 1416.0,
    largest: f64::MAX,
    exp: EXP_DOUBLE,
    atanh: ATANH_DOUBLE,
    tanh: TANH_DOUBLE,
    tanh_first_low: TANH_FIRST_LOW,
};

/// For `f64` lanes whose result is rounded to `f32`.
pub(crate) const SHORT: Math = Math {
    compensated: false,
    ln2: (core::f64::consts::LN_2, 0.0),
    exp: EXP_SINGLE,
    atanh: ATANH_SINGLE,
    tanh: TANH_SHORT,
    ..DOUBLE
};

/// A coefficient in every lane.
#[inline(always)]
pub(crate) fn constant<R: Real, L: FloatLanes<R::Lane>>(l: L, x: f64) -> L::V {
    l.splat(R::coefficient(x))
}

/// A constant in two parts: in `f32`, their sum to twice the precision.
#[inline(always)]
pub(crate) fn constant_pair<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    (high, low): (f64, f64),
) -> (L::V, L::V) {
    (
        constant::<R, L>(l, high),
        constant::<R, L>(l, R::lost(high) + low),
    )
}

/// Σ c<sub>i</sub> x<sup>i</sup>.
#[inline(always)]
pub(crate) fn polynomial<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    x: L::V,
    x2: L::V,
    c: &'static [f64],
) -> L::V {
    polynomial_of::<R, L>(l, x, x2, c, false)
}

/// Σ c<sub>i</sub> (±x)<sup>i</sup>: pairs of terms, and Horner's scheme in x² or x⁴ over them (Estrin's
/// first step or two). As many instructions as Horner's alone (one more, for x⁴) in half or a quarter of the
/// time. That is what bounds a smooth operation on 32-byte registers: only so many instructions are in
/// flight at once, and most of them wait for one another. (sigmoid on AVX2, Zen 4: from 1.82 to 2.09 elements
/// per ns by this and by sparing the sign of [`exp_minus`].)
#[inline(always)]
pub(crate) fn polynomial_of<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    x: L::V,
    x2: L::V,
    c: &'static [f64],
    minus: bool,
) -> L::V {
    if c.len() <= 8 {
        let mut i = (c.len() - 1) / 2 * 2;
        let mut sum = pair::<R, L>(l, x, c, i, minus);
        while i > 0 {
            i -= 2;
            sum = l.mul_add(sum, x2, pair::<R, L>(l, x, c, i, minus));
        }
        return sum;
    }
    let x4 = l.mul(x2, x2);
    let mut i = (c.len() - 1) / 4 * 4;
    let mut sum = four::<R, L>(l, x, x2, c, i, minus);
    while i > 0 {
        i -= 4;
        sum = l.mul_add(sum, x4, four::<R, L>(l, x, x2, c, i, minus));
    }
    sum
}

/// c<sub>i</sub> + c<sub>i + 1</sub>·(±x), as far as there are such.
#[inline(always)]
fn pair<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    x: L::V,
    c: &'static [f64],
    i: usize,
    minus: bool,
) -> L::V {
    let first = constant::<R, L>(l, c[i]);
    if i + 1 == c.len() {
        return first;
    }
    let second = if minus { -c[i + 1] } else { c[i + 1] };
    l.mul_add(x, constant::<R, L>(l, second), first)
}

/// Two pairs.
#[inline(always)]
fn four<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    x: L::V,
    x2: L::V,
    c: &'static [f64],
    i: usize,
    minus: bool,
) -> L::V {
    let low = pair::<R, L>(l, x, c, i, minus);
    if i + 2 >= c.len() {
        return low;
    }
    l.mul_add(pair::<R, L>(l, x, c, i + 2, minus), x2, low)
}

/// Whether any lane holds.
#[inline(always)]
pub(crate) fn any<T: Copy, L: Lanes<T>>(l: L, m: L::M) -> bool {
    l.bitmask(m) != 0
}

/// The lanes whose magnitude is beyond the [range](Math::range) of the main path; NaN is not.
#[inline(always)]
pub(crate) fn beyond<R: Real, L: FloatLanes<R::Lane>>(l: L, x: L::V) -> L::M {
    l.lt(constant::<R, L>(l, R::MATH.range), l.abs(x))
}
