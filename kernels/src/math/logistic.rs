//! The logistic function σ(v) = 1/(1 + e<sup>−v</sup>), its density, and what it gates.

use crate::math::{
    DoubleWord, beyond_range, exp, exp_beyond, exp_minus, exp_times, is_tiny, lift, lifted,
    product, reciprocal,
};
use crate::register::{Lane, Mask};

/// A parameter times x, with what that lost.
///
/// A caller whose parameter is 1 does without. If that were decided here, the compiler would compute with the second word
/// in either case, and select: where there is none, with whatever its register holds. That may be a subnormal number,
/// which takes long.
#[inline(always)]
pub(crate) fn times<X: Lane>(parameter: f64, x: X) -> DoubleWord<X> {
    if X::FUSED {
        return product(x.parameter(parameter), x);
    }
    // Dekker's splitting of a larger x overflows, which matters where the parameter is as small.
    let lift = lift(parameter);
    let x = x * x.splat(1.0 / lift);
    let v = product(x.parameter(parameter) * x.splat(lift), x);
    let (zero, limit) = (x.splat(0.0), x.splat(X::CONSTANTS.splittable));
    let low = match v.low {
        Some(low) => Some(x.abs().lt(limit).select(low, zero)),
        None => None,
    };
    DoubleWord { low, ..v }
}

/// σ(v). One formula for both signs: where e<sup>−v</sup> is small, the sum 1 + e<sup>−v</sup> carries along what
/// it lost of it.
#[inline(always)]
pub(crate) fn logistic<X: Lane>(v: DoubleWord<X>) -> X {
    let beyond = beyond_range(v.high);
    let y = reciprocal(exp_minus(v.lifted_unless(beyond)).plus_nearly(1.0)).rounded();
    if !beyond.any() {
        return y;
    }
    // On the right e^0, which is that.
    let right = y.splat(0.0).lt(v.high);
    beyond.select(exp_beyond(v.minus_abs().unless(right)), y)
}

/// x·σ(v), where v is infinite or of the sign of x if x is infinite. Beyond `range` it is x or x·e<sup>v</sup>:
/// at the lanes' own, or from where 1 + e<sup>−v</sup> has settled. That is for an x that may be small where v
/// is not, since what the gate lacks would be lost in the product.
#[inline(always)]
pub(crate) fn gated<X: Lane>(x: X, v: DoubleWord<X>, range: f64) -> X {
    let zero = x.splat(0.0);
    let beyond = x.splat(range).lt(v.high.abs());
    // Where v is tiny the gate is 1/2, and x times what it lacks of that may be subnormal.
    let tiny = is_tiny(v.high);
    let near = if tiny.any() { tiny.select(zero, x) } else { x };
    // Not the quotient x/d: it would come out of its own correction as +0 for -0.0. And x first, since
    // what the reciprocal lacks may be too small for the dtype.
    let gate = reciprocal(exp_minus(v.lifted_unless(beyond)).plus(1.0));
    let y = match gate.rest {
        Some(rest) => near.mul_add(gate.high, near * rest * gate.reciprocal),
        None => near * gate.high,
    };
    // Without FMA, a result that vanishes would lose its sign.
    let mut y = if X::FUSED { y } else { y.copysign(x) };
    if tiny.any() {
        y = tiny.select(x * x.splat(0.5), y);
    }
    if !beyond.any() {
        return y;
    }
    let open = zero.lt(v.high);
    let shut = exp_times(DoubleWord::exact(x), v.minus_abs().unless(open));
    beyond.select(open.select(x, shut), y)
}

/// factor·σ′(v) = factor·t/(1 + t)² with t = e<sup>−|v|</sup>, for a power of two.
#[inline(always)]
pub(crate) fn logistic_density<X: Lane>(factor: f64, v: DoubleWord<X>) -> X {
    let factor = v.high.splat(factor);
    let beyond = beyond_range(v.high);
    let t = exp(v.lifted_unless(beyond).minus_abs());
    let d = t.plus(1.0);
    let y = factor * (t.value() / (d * d)).rounded();
    if !beyond.any() {
        return y;
    }
    beyond.select(exp_times(DoubleWord::exact(factor), v.minus_abs()), y)
}

/// The derivative of x·σ(v): σ(v) + g·σ′(v) with g = x·v′. With u = e<sup>−v</sup> that is
/// (1 + u·(1 + g))/(1 + u)², up to half the range, where (1 + u)² is still finite; what lies beyond is as
/// good as 1, or (1 + g)/u.
#[inline(always)]
pub(crate) fn gated_derivative<X: Lane>(v: DoubleWord<X>, g: DoubleWord<X>) -> X {
    let one = DoubleWord::exact(v.high.splat(1.0));
    let half_the_range = v.high.splat(X::CONSTANTS.range / 2.0);
    let beyond = half_the_range.lt(v.high.abs());
    let u = exp_minus(v.lifted_unless(beyond));
    let d = u.plus(1.0);
    let high = lifted(g.high);
    let w = one + DoubleWord { high, ..g };
    let n = one + u.value() * w;
    let y = (n / (d * d)).rounded();
    if !beyond.any() {
        return y;
    }
    let open = y.splat(0.0).lt(v.high);
    let shut = exp_times(w, v.minus_abs().unless(open));
    beyond.select(open.select(one.high, shut), y)
}
