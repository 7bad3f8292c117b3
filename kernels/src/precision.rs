//! In which lanes an operation is computed, and to what precision its constants are rounded.

use crate::coefficients::*;
use crate::number::Number;

/// A kind of lane with its constants: [`f32`], [`f64`], [`F64Full`], [`F64ForF32`], and the bits of a
/// 16-bit float, `HighHalfBits`.
pub trait Precision: Copy {
    /// What a lane holds.
    type Lane: Copy;

    /// What the functions of `math` need to know of these lanes.
    const CONSTANTS: Constants;

    /// A constant of a formula, to the precision of the lanes.
    fn constant(x: f64) -> Self::Lane;

    /// What rounding takes from a constant.
    fn lost(x: f64) -> f64;

    /// A parameter. Operations on `f32`, `f16` and `bf16` have theirs rounded to `f32`, in whatever
    /// lanes they are computed; one that is finite stays so, as the largest `f32`.
    fn parameter(x: f64) -> Self::Lane;

    /// What is made of parameters, rounded as they are, but infinite where it is too large.
    fn derived(x: f64) -> Self::Lane;

    /// The value of a parameter, to compute with outside the lanes.
    fn value(x: f64) -> f64;
}

impl Precision for f32 {
    type Lane = f32;
    const CONSTANTS: Constants = SINGLE;
    #[inline(always)]
    fn constant(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn lost(x: f64) -> f64 {
        x - f64::from(x as f32)
    }
    #[inline(always)]
    fn parameter(x: f64) -> f32 {
        Number::new(x).to_f32()
    }
    #[inline(always)]
    fn derived(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn value(x: f64) -> f64 {
        f64::from(Number::new(x).to_f32())
    }
}

impl Precision for f64 {
    type Lane = f64;
    const CONSTANTS: Constants = DOUBLE;
    #[inline(always)]
    fn constant(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn lost(_: f64) -> f64 {
        0.0
    }
    #[inline(always)]
    fn parameter(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn derived(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn value(x: f64) -> f64 {
        x
    }
}

/// `f64` lanes at their full precision, with the parameters of an operation on `f32`: what a result
/// on a 16-bit float is recomputed in.
#[derive(Clone, Copy, Debug)]
pub struct F64Full;

/// `f64` lanes no more precise than a result needs that is rounded to `f32`.
#[derive(Clone, Copy, Debug)]
pub struct F64ForF32;

macro_rules! f64_lanes {
    ($($P:ident $CONSTANTS:ident)*) => {$(
        impl Precision for $P {
            type Lane = f64;
            const CONSTANTS: Constants = $CONSTANTS;
            #[inline(always)]
            fn constant(x: f64) -> f64 {
                x
            }
            #[inline(always)]
            fn lost(_: f64) -> f64 {
                0.0
            }
            #[inline(always)]
            fn parameter(x: f64) -> f64 {
                f32::value(x)
            }
            #[inline(always)]
            fn derived(x: f64) -> f64 {
                f64::from(x as f32)
            }
            #[inline(always)]
            fn value(x: f64) -> f64 {
                f32::value(x)
            }
        }
    )*};
}
f64_lanes! { F64Full DOUBLE F64ForF32 FOR_F32 }

/// What the functions of `math` need to know of the lanes they are computed in.
#[derive(Debug)]
pub struct Constants {
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
    /// Up to here, e<sup>x</sup> and e<sup>−x</sup> are normal numbers and not too large for `split`; on `f64` so is what
    /// their rounding took.
    pub(crate) range: f64,
    /// From here on, 1 + e<sup>−x</sup> is 1, and log1p(e<sup>−x</sup>) is e<sup>−x</sup>, but for an eighth of an
    /// ulp or less.
    pub(crate) settled: f64,
    /// From here on, e<sup>−x</sup> has vanished, and so has the largest number of the lanes times it.
    /// [`exp_times`](crate::math::exp_times) can scale by as much.
    pub(crate) vanished: f64,
    /// The exponent of the least normal number.
    pub(crate) least_exponent: f64,
    /// The number before twice the least normal one: all bits of its fraction are set, and the last of its exponent.
    pub(crate) below_two_leasts: f64,
    pub(crate) exp: &'static [f64],
    pub(crate) atanh: &'static [f64],
    pub(crate) tanh: &'static [f64],
    /// What rounding took from the first of those.
    pub(crate) tanh_first_low: f64,
}

/// For `f32` lanes.
const SINGLE: Constants = Constants {
    compensated: true,
    shift: 12_582_912.0,
    ln2: (0.693_145_751_953_125, 1.428_606_820_309_417_3e-6),
    split: 4097.0,
    splittable: 1e30,
    range: 87.0,
    settled: 18.5,
    vanished: 193.0,
    least_exponent: -126.0,
    below_two_leasts: f32::from_bits(0x00FF_FFFF) as f64,
    exp: EXP_SINGLE,
    atanh: ATANH_SINGLE,
    tanh: TANH_SINGLE,
    tanh_first_low: 0.0,
};

/// For `f64` lanes.
const DOUBLE: Constants = Constants {
    compensated: true,
    shift: 6_755_399_441_055_744.0,
    ln2: (0.693_147_180_559_890_3, 5.497_923_018_708_371e-14),
    split: 134_217_729.0,
    splittable: 1e300,
    range: 580.0,
    settled: 39.0,
    vanished: 1456.0,
    least_exponent: -1022.0,
    below_two_leasts: f64::from_bits(0x001F_FFFF_FFFF_FFFF),
    exp: EXP_DOUBLE,
    atanh: ATANH_DOUBLE,
    tanh: TANH_DOUBLE,
    tanh_first_low: TANH_FIRST_LOW,
};

/// For `f64` lanes whose result is rounded to `f32`.
const FOR_F32: Constants = Constants {
    compensated: false,
    ln2: (core::f64::consts::LN_2, 0.0),
    exp: EXP_SINGLE,
    atanh: ATANH_SINGLE,
    tanh: TANH_SHORT,
    ..DOUBLE
};
