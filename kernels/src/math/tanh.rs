//! tanh, and what it lacks of x.
//!
//! For |x| < 1 by tanh x = x + x³·p(x²), where the second term is at most a quarter of the first and
//! the roundings in it count a quarter. Beyond, as 1 − 2/(1 + e<sup>2|x|</sup>): the quotient is below 0.24,
//! so that all its errors together are below 0.43 ulps of the difference, and it need carry nothing
//! along. Both are computed and one is selected.

use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math::{Sum, constant, exp, polynomial, product, product_of_sum, product_of_sums};

/// From here on, tanh is 1 on `f64`.
const SATURATED: f64 = 20.0;

/// p(z), of which Horner's first step is by itself, since next to 1 the even and the odd powers nearly
/// cancel.
#[inline(always)]
fn p<R: Real, L: FloatLanes<R::Lane>>(l: L, z: L::V) -> Sum<L::V> {
    let (first, rest) = R::MATH.tanh.split_at(1);
    let first = constant::<R, L>(l, first[0]);
    let rest = polynomial::<R, L>(l, z, l.mul(z, z), rest);
    let high = l.mul_add(z, rest, first);
    let low = if R::MATH.compensated {
        let low = l.mul_add(z, rest, l.sub(first, high));
        Some(l.add(low, constant::<R, L>(l, R::MATH.tanh_first_low)))
    } else {
        None
    };
    Sum { high, low }
}

/// 2/(1 + e<sup>2a</sup>) for a ≥ 0.
#[inline(always)]
fn lacking<R: Real, L: FloatLanes<R::Lane>>(l: L, a: L::V) -> L::V {
    let a = l.min(constant::<R, L>(l, SATURATED), a);
    let exp = exp::<R, L>(l, Sum::exact(l.add(a, a)));
    l.div(
        constant::<R, L>(l, 2.0),
        exp.plus_nearly::<R, L>(l, 1.0).high,
    )
}

#[inline(always)]
pub(crate) fn tanh<R: Real, L: FloatLanes<R::Lane>>(l: L, x: L::V) -> L::V {
    let (a, one) = (l.abs(x), constant::<R, L>(l, 1.0));
    let z = l.mul(x, x);
    let near = l.mul_add(x, l.mul(z, p::<R, L>(l, z).high), x);
    let far = l.sub(one, lacking::<R, L>(l, a));
    // Next to zero the sum has lost the sign of -0.0.
    l.copysign(l.select(l.lt(a, one), near, far), x)
}

/// x − tanh x. Beyond 1, |x| − 1 is exact up to 2, and from there the other order of the sum loses less.
#[inline(always)]
pub(crate) fn tanh_shrink<R: Real, L: FloatLanes<R::Lane>>(l: L, x: L::V) -> L::V {
    let (a, one) = (l.abs(x), constant::<R, L>(l, 1.0));
    let z = product::<R, L>(l, x, x);
    let lost = product_of_sums::<R, L>(l, z, p::<R, L>(l, z.high));
    let near = product_of_sum::<R, L>(l, a, lost).rounded::<R, L>(l);
    let lacking = lacking::<R, L>(l, a);
    let to_two = l.add(l.sub(a, one), lacking);
    let beyond = l.sub(a, l.sub(one, lacking));
    let far = l.select(l.lt(a, constant::<R, L>(l, 2.0)), to_two, beyond);
    l.copysign(l.select(l.lt(a, one), near, far), x)
}
