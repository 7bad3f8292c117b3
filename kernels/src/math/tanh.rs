//! tanh, and what it lacks of x.
//!
//! For |x| < 1 by tanh x = x + x³·p(x²), where the second term is at most a quarter of the first and
//! the roundings in it count a quarter. Beyond, as 1 − 2/(1 + e<sup>2|x|</sup>): the quotient is below 0.24,
//! so that all its errors together are below 0.43 ulps of the difference, and it need carry nothing
//! along. Both are computed and one is selected.

use crate::math::{DoubleWord, exp, is_tiny, lifted, polynomial, product};
use crate::register::{Lane, Mask};

/// From here on, tanh is 1 on `f64`.
const SATURATED: f64 = 20.0;

/// Below it, a³/3 is zero on every dtype.
const CUBE_VANISHED: f64 = f64::from_bits((1023 - 359) << 52);

/// p(z), of which Horner's first step is by itself, since next to 1 the even and the odd powers nearly
/// cancel.
#[inline(always)]
fn p<X: Lane>(z: X) -> DoubleWord<X> {
    let (first, rest) = X::CONSTANTS.tanh.split_at(1);
    let first = z.splat(first[0]);
    let rest = polynomial(z, z * z, rest);
    let high = z.mul_add(rest, first);
    let low = z.mul_add(rest, first - high);
    DoubleWord::compensated(high, low + z.splat(X::CONSTANTS.tanh_first_low))
}

/// 2/(1 + e<sup>2a</sup>) for a ≥ 0: what tanh a lacks of 1.
#[inline(always)]
fn lacking<X: Lane>(a: X) -> X {
    let a = lifted(a.splat(SATURATED).min(a));
    a.splat(2.0) / exp(DoubleWord::exact(a + a)).plus_nearly(1.0).high
}

/// tanh x.
#[inline(always)]
pub(crate) fn tanh<X: Lane>(x: X) -> X {
    let one = x.splat(1.0);
    let tiny = is_tiny(x);
    // There it is x, and what is computed might be subnormal, which takes Intel's CPUs a detour through microcode.
    let a = if tiny.any() {
        tiny.select(one, x.abs())
    } else {
        x.abs()
    };
    let z = a * a;
    let near = a.mul_add(z * p(z).high, a);
    let far = one - lacking(a);
    let y = a.lt(one).select(near, far).copysign(x);
    if tiny.any() { tiny.select(x, y) } else { y }
}

/// x − tanh x. Beyond 1, |x| − 1 is exact up to 2, and from there the other order of the sum loses less.
#[inline(always)]
pub(crate) fn tanh_shrink<X: Lane>(x: X) -> X {
    let (zero, one, two) = (x.splat(0.0), x.splat(1.0), x.splat(2.0));
    let a = x.abs();
    let cube_vanished = a.lt(x.splat(CUBE_VANISHED));
    let a = cube_vanished.select(zero, a);
    let z = product(a, a);
    let near = (z * p(z.high) * a).rounded();
    let lacking = lacking(a);
    let to_two = (a - one) + lacking;
    let beyond = a - (one - lacking);
    let far = a.lt(two).select(to_two, beyond);
    a.lt(one).select(near, far).copysign(x)
}
