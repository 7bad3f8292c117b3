//! The functions that smooth operations are made of: e<sup>x</sup>, log1p, tanh, the normal
//! distribution, on registers of `f32` or `f64`.
//!
//! **Errors that count.** A rounding costs half an ulp, and the last one cannot be avoided. For the sum
//! of all others to stay below the other half, an operation must have no second one of full size: a
//! sum or quotient in between carries along what it lost, in a second number ([`DoubleWord`]), and
//! gives it back before the end. That takes an exact residual of a product, which is one instruction
//! with FMA and seventeen without. So `f32` is computed so only on lanes with FMA, and in `f64`
//! otherwise, where nothing of this is needed to be right to half an ulp of `f32`
//! ([`F64ForF32`](crate::precision::F64ForF32)).
//!
//! **No overflow.** The main path of an operation is for arguments whose e<sup>x</sup> and
//! e<sup>−x</sup> are normal numbers ([`Constants::range`](crate::precision::Constants::range)). What
//! lies beyond is rare. If any lane has it, it is computed by a path of its own and selected. The test
//! is three instructions; scaling every result by two powers, for subnormal ones, would be seven.
//!
//! **In pieces.** Where a unit looks up coefficients in registers, most arguments on `f32` take a shorter way:
//! polynomials of low degree in [`cells`], or a table of [`powers`]. So short that it needs no second
//! numbers. What no piece covers has its own way, [`tails`].
//!
//! **By tables.** On `f64`, where a unit gathers from memory, some operations go by a table of some hundred or thousand
//! points ([`gelu_64`], [`tanh_64`]): next to a point, what is added to its value is so small that its errors are, too.

mod by_tables;
mod cells;
mod cells_32;
mod cells_8;
pub(crate) mod cells_bf16;
pub(crate) mod cells_f16;
mod double_word;
mod elu_64;
mod exp;
mod exp_64;
mod gates_64;
mod gelu_64;
mod gelu_tanh_64;
pub(crate) mod half_cells;
mod log;
mod logistic;
mod normal;
mod normal_64;
mod powers;
mod slopes_32;
mod softplus_64;
mod tables;
mod tails;
mod tanh;
mod tanh_64;
mod tanh_shrink_64;

pub(crate) use by_tables::TINY as TINY_64;
pub(crate) use cells::{
    CUBE_LIMIT, Gate, Grid, SIGMOID_DENSITY, TANH_DENSITY, density_32, gate_32,
    gated_derivative_32, gelu_8, left_or_rest, log_sigmoid_32, mish_32, mish_slope_32, sigmoid_32,
    softplus_32, squared_tanh_32, tanh as tanh_in_cells, tanh_shrink_8, tanh_shrink_32,
};
pub(crate) use cells_32::{
    GELU as GELU_32, GELU_TANH as GELU_TANH_32, QUICK_GELU as QUICK_GELU_32, SILU as SILU_32,
};
pub(crate) use double_word::{DoubleWord, is_tiny, lifted, product, reciprocal, two_sum};
pub(crate) use elu_64::{selu_64, selu_near_64};
pub(crate) use exp::{
    Exp, LINEAR, below_range, down_to_minus_one, exp, exp_beyond, exp_minus, exp_minus_one,
    exp_precise, exp_scaled, exp_times, one_minus_exp, times_power,
};
pub(crate) use exp_64::{NATURAL as NATURAL_64, QUICK_GELU as QUICK_GELU_64};
pub(crate) use gates_64::{
    RANGE as GATE_RANGE_64, gated_64, gated_near_64, sigmoid_64, sigmoid_near_64,
};
pub(crate) use gelu_64::gelu_64;
pub(crate) use gelu_tanh_64::gelu_tanh_64;
pub(crate) use log::log1p_exp;
pub(crate) use logistic::{gated, gated_derivative, logistic, logistic_density, times};
pub(crate) use normal::mills;
pub(crate) use powers::{
    GRADIENT_RANGE as GRADIENT_RANGE_8, HALF_RANGE as HALF_RANGE_8, NATURAL, OF_GELU_TANH,
    OF_QUICK_GELU, RANGE as RANGE_8, density_8, exp_left_8, exp_or_one_8, gated_8,
    gated_derivative_8, logistic_8, softplus_8,
};
pub(crate) use slopes_32::{
    GELU as GELU_SLOPE_32, GELU_TANH as GELU_TANH_SLOPE_32, QUICK_GELU as QUICK_GELU_SLOPE_32,
    SILU as SILU_SLOPE_32,
};
pub(crate) use softplus_64::{
    RANGE as SOFTPLUS_RANGE_64, log_sigmoid_64, log_sigmoid_near_64, softplus_64, softplus_near_64,
};
pub(crate) use tails::{
    TINY_PART, density_tail, exp_tail, gate_tail, gated_derivative_tail, mish_slope_tail,
    mish_tail, normal_slope_tail, normal_tail, product_with_tail, shut_or_open, softplus_tail,
    squared_tanh_tail, tanh_shrink_tail, tiny_times,
};
pub(crate) use tanh::{tanh, tanh_shrink};
pub(crate) use tanh_64::tanh_64;
pub(crate) use tanh_shrink_64::tanh_shrink_64;

use crate::precision::Precision;
use crate::register::{Lane, Mask};

/// 2<sup>n</sup>, a normal number.
pub(crate) const fn power_of_2(n: i32) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}

/// q·x², of y = c·x + q·x² + …, where it is so small that `f64` may not see it beside y; elsewhere zero. See
/// [`Unary::unseen`](crate::unary::Unary::unseen).
#[inline(always)]
pub(crate) fn unseen_square<X: Lane>(q: f64, x: X, y: X) -> X {
    let term = x * x * x.splat(q);
    let small = y.abs() * y.splat(power_of_2(-44));
    term.abs().lt(small).select(term, x.splat(0.0))
}

/// Whether a product with a reciprocal in two words is a quotient, but for 2<sup>−24</sup> of an ulp or so: in lanes of
/// `f32` that fuse. It takes two instructions, where a division takes as long as ten.
pub(crate) const fn divides_by_product<X: Lane>() -> bool {
    X::FUSED && size_of::<<X::Precision as Precision>::Lane>() == 4
}

/// Σ c<sub>i</sub> x<sup>i</sup>.
#[inline(always)]
pub(crate) fn polynomial<X: Lane>(x: X, x2: X, c: &'static [f64]) -> X {
    polynomial_of(x, x2, c, false)
}

/// Σ c<sub>i</sub> (±x)<sup>i</sup>: pairs of terms, and Horner's scheme in x² or x⁴ over them (Estrin's
/// first step or two). As many instructions as Horner's alone (one more, for x⁴) in half or a quarter of the
/// time. That is what bounds a smooth operation on 32-byte registers: only so many instructions are in
/// flight at once, and most of them wait for one another. (sigmoid on AVX2, Zen 4: from 1.82 to 2.09 elements
/// per ns by this and by sparing the sign of [`exp_minus`].)
#[inline(always)]
pub(crate) fn polynomial_of<X: Lane>(x: X, x2: X, c: &'static [f64], minus: bool) -> X {
    if c.len() <= 8 {
        let mut i = (c.len() - 1) / 2 * 2;
        let mut sum = pair(x, c, i, minus);
        while i > 0 {
            i -= 2;
            sum = sum.mul_add(x2, pair(x, c, i, minus));
        }
        return sum;
    }
    let x4 = x2 * x2;
    let mut i = (c.len() - 1) / 4 * 4;
    let mut sum = two_pairs(x, x2, c, i, minus);
    while i > 0 {
        i -= 4;
        sum = sum.mul_add(x4, two_pairs(x, x2, c, i, minus));
    }
    sum
}

/// c<sub>i</sub> + c<sub>i + 1</sub>·(±x), as far as there are such.
#[inline(always)]
fn pair<X: Lane>(x: X, c: &'static [f64], i: usize, minus: bool) -> X {
    let first = x.splat(c[i]);
    if i + 1 == c.len() {
        return first;
    }
    let second = if minus { -c[i + 1] } else { c[i + 1] };
    x.mul_add(x.splat(second), first)
}

/// The pair at `i`, and x² times the next.
#[inline(always)]
fn two_pairs<X: Lane>(x: X, x2: X, c: &'static [f64], i: usize, minus: bool) -> X {
    let low = pair(x, c, i, minus);
    if i + 2 >= c.len() {
        return low;
    }
    pair(x, c, i + 2, minus).mul_add(x2, low)
}

/// A power of two by which a parameter is to be multiplied, where it is so small that what products and
/// quotients with it lose might be no normal number; else 1. The lifted one times anything within the
/// [range](crate::precision::Constants::range) of e<sup>x</sup> is finite.
#[inline(always)]
pub(crate) fn lift(parameter: f64) -> f64 {
    const SMALL: f64 = 1.0 / (1u128 << 76) as f64;
    const SMALLER: f64 = SMALL * SMALL * SMALL;
    let magnitude = parameter.abs();
    if magnitude < SMALLER {
        (1u128 << 120) as f64
    } else if magnitude < SMALL {
        (1u128 << 48) as f64
    } else {
        1.0
    }
}

/// The lanes whose magnitude is beyond the [range](crate::precision::Constants::range) of the main
/// path; NaN is not.
#[inline(always)]
pub(crate) fn beyond_range<X: Lane>(x: X) -> X::Mask {
    x.splat(X::CONSTANTS.range).lt(x.abs())
}
