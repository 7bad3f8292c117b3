//! tanh, and what it lacks of x.
//!
//! For |x| < 1 by tanh x = x + x³·p(x²), where the second term is at most a quarter of the first and
//! the roundings in it count a quarter. Beyond, as 1 − 2/(1 + e<sup>2|x|</sup>): the quotient is below 0.24,
//! so that all its errors together are below 0.43 ulps of the difference, and it need carry nothing
//! along. Both are computed and one is selected.

use crate::math::{DoubleWord, exp, is_tiny, lifted, polynomial, power_of_2, product, times_power};
use crate::register::{Lane, Mask};

/// From here on, tanh is 1 on `f64`.
const SATURATED: f64 = 20.0;

/// Below it, what a³ loses may be subnormal.
const TINY: f64 = power_of_2(-300);

/// p(z), of which Horner's last step is by itself, since next to 1 the even and the odd powers nearly
/// cancel.
#[inline(always)]
fn p<X: Lane>(z: X) -> X {
    let (first, rest) = X::CONSTANTS.tanh.split_at(1);
    let rest = polynomial(z, z * z, rest);
    z.mul_add(rest, z.splat(first[0]))
}

/// The same with what the last two steps lose: where p counts for the whole result, the last but one's is half an ulp.
#[inline(always)]
fn precise_p<X: Lane>(z: X) -> DoubleWord<X> {
    let (steps, rest) = X::CONSTANTS.tanh.split_at(2);
    let rest = polynomial(z, z * z, rest);
    let second = step(z, rest, z.splat(steps[1]));
    let first = step(z, second.high, z.splat(steps[0]));
    let low = z.mul_add(second.low_or_zero(), first.low_or_zero());
    DoubleWord::compensated(first.high, low + z.splat(X::CONSTANTS.tanh_first_low))
}

/// c + z·rest, where c is the larger, and what that loses. Without FMA, what the product loses is not counted.
#[inline(always)]
fn step<X: Lane>(z: X, rest: X, c: X) -> DoubleWord<X> {
    let high = z.mul_add(rest, c);
    DoubleWord::compensated(high, z.mul_add(rest, c - high))
}

/// 1 + e<sup>2a</sup> for a ≥ 0.
#[inline(always)]
fn denominator<X: Lane>(a: X) -> DoubleWord<X> {
    let a = lifted(a.splat(SATURATED).min(a));
    exp(DoubleWord::exact(a + a)).plus_nearly(1.0)
}

/// 2/(1 + e<sup>2a</sup>) for a ≥ 0: what tanh a lacks of 1.
#[inline(always)]
fn lacking<X: Lane>(a: X) -> X {
    a.splat(2.0) / denominator(a).high
}

/// The same by both words of the denominator.
#[inline(always)]
fn precise_lacking<X: Lane>(a: X) -> X {
    let d = denominator(a);
    let y = a.splat(2.0) / d.high;
    match d.low {
        Some(low) => (y * y * a.splat(0.5)).neg_mul_add(low, y),
        None => y,
    }
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
    let near = a.mul_add(z * p(z), a);
    let far = one - lacking(a);
    let y = a.lt(one).select(near, far).copysign(x);
    if tiny.any() { tiny.select(x, y) } else { y }
}

/// x − tanh x. Beyond 1, |x| − 1 is exact up to 2, and from there the other order of the sum loses less.
#[inline(always)]
pub(crate) fn tanh_shrink<X: Lane>(x: X) -> X {
    let (one, two) = (x.splat(1.0), x.splat(2.0));
    let tiny = x.abs().lt(x.splat(TINY));
    let some = tiny.any();
    let a = if some {
        tiny.select(one, x.abs())
    } else {
        x.abs()
    };
    let z = product(a, a);
    let near = (z * precise_p(z.high) * a).rounded();
    let lacking = precise_lacking(a);
    let to_two = (a - one) + lacking;
    let beyond = a - (one - lacking);
    let far = a.lt(two).select(to_two, beyond);
    let y = a.lt(one).select(near, far);
    let y = if some {
        tiny.select(third_of_cube(x.abs()), y)
    } else {
        y
    };
    y.copysign(x)
}

/// a³/3 for tiny a, down to nothing, by (2<sup>330</sup>·a)³.
#[inline(always)]
fn third_of_cube<X: Lane>(a: X) -> X {
    let a = a.splat(power_of_2(-360)).max(a) * a.splat(power_of_2(330));
    let third = precise_p(a.splat(0.0));
    let y = (product(a, a) * third * a).rounded();
    times_power(y.abs(), a.splat(-990.0))
}
