//! What the functions of `f64` by tables share.

use crate::math::power_of_2;
use crate::register::{Lane, Mask, TableLane};

/// 1.5·2<sup>52</sup>: added to a number, it rounds it to an integer.
pub(crate) const SHIFT: f64 = 6_755_399_441_055_744.0;

/// The same for sixteenths.
pub(crate) const SHIFT_16: f64 = SHIFT / 16.0;

/// The fourth powers of numbers below this would be subnormal: then they are tiny.
pub(crate) const TINY: f64 = power_of_2(-255);

/// Σ c<sub>i</sub> x<sup>i</sup> in as few instructions as can be: they, and not the time that one takes, are the bound.
#[inline(always)]
pub(crate) fn horner<X: Lane>(x: X, c: &'static [f64]) -> X {
    let mut i = c.len() - 1;
    let mut sum = x.splat(c[i]);
    while i > 0 {
        i -= 1;
        sum = sum.mul_add(x, x.splat(c[i]));
    }
    sum
}

/// y·2<sup>⌊n⌋</sup>, down to nothing, for |y| from 2<sup>−20</sup> to 2<sup>20</sup> and n from −1240 to 0, or |y| from
/// 2<sup>−100</sup> to 2<sup>100</sup> and n from −1160 to 0. No instruction makes a subnormal number, for which Intel's
/// CPUs call microcode.
#[inline(always)]
pub(crate) fn scaled_down<X: TableLane>(y: X, n: X) -> X {
    // Where the bits of the least normal number, 2^256 times as large, are all of a fraction, a sum with it rounds to
    // as many digits as a subnormal number has.
    let least = y.splat(power_of_2(-766));
    let larger = y.abs().scale(n + y.splat(256.0));
    let subnormal = (larger + least).sub_bits(least);
    let normal = least.max(larger).scale(y.splat(-256.0));
    larger.lt(least).select(subnormal, normal).copysign(y)
}

/// x/2 for tiny x. Those of which that is subnormal are not multiplied, since Intel's CPUs call microcode for it: a sum
/// rounds them.
#[inline(always)]
pub(crate) fn half_of_tiny<X: TableLane>(x: X) -> X {
    // Its last place is twice that of subnormal numbers. So what it counts in the sum is x/2 in theirs.
    let twice = x.splat(f64::from_bits(2 << 52));
    let a = x.abs();
    let small = a.lt(twice);
    // (Not of zero where it is small: that became a product under a mask, which takes as long.)
    let half = twice.max(a) * x.splat(0.5);
    let subnormal = (a + twice).sub_bits(twice);
    small.select(subnormal, half).copysign(x)
}

/// slope·x for tiny x and a slope from 1 to 2, in the same way.
#[inline(always)]
pub(crate) fn tiny_times<X: TableLane>(x: X, slope: X) -> X {
    let (one, least) = (x.splat(1.0), x.splat(f64::MIN_POSITIVE));
    let a = x.abs();
    let small = a.lt(least);
    let normal = least.max(a) * slope;
    // The bits of a subnormal number are as many 2^-52 behind those of 1. What they are times slope - 1 is added to them.
    let minus_one = x.splat(f64::from_bits(1f64.to_bits().wrapping_neg()));
    let count = a.sub_bits(minus_one) - one;
    let more = count.mul_add(slope - one, one);
    let subnormal = a.sub_bits(one.sub_bits(more));
    small.select(subnormal, normal).copysign(x)
}
