//! The logistic function σ(v) = 1/(1 + e<sup>−v</sup>), its density, and what it gates.

use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math::{
    Sum, any, beyond, constant, exp, exp_beyond, exp_minus, exp_times, product, product_of_sums,
    quotient, reciprocal, two_sum,
};

/// factor·x, with what that lost unless the factor is 1.
#[inline(always)]
pub(crate) fn times<R: Real, L: FloatLanes<R::Lane>>(l: L, factor: f64, x: L::V) -> Sum<L::V> {
    if factor == 1.0 {
        return Sum::exact(x);
    }
    let v = product::<R, L>(l, l.splat(R::of(factor)), x);
    if L::FUSED {
        return v;
    }
    // Dekker's splitting of a larger x overflows.
    let (zero, limit) = (
        constant::<R, L>(l, 0.0),
        constant::<R, L>(l, R::MATH.splittable),
    );
    let low = match v.low {
        Some(low) => Some(l.select(l.lt(l.abs(x), limit), low, zero)),
        None => None,
    };
    Sum { high: v.high, low }
}

/// −|v|.
#[inline(always)]
pub(crate) fn negative<R: Real, L: FloatLanes<R::Lane>>(l: L, v: Sum<L::V>) -> Sum<L::V> {
    let zero = constant::<R, L>(l, 0.0);
    let low = match v.low {
        Some(low) => Some(l.select(l.lt(zero, v.high), l.sub(zero, low), low)),
        None => None,
    };
    Sum {
        high: l.copysign(v.high, constant::<R, L>(l, -1.0)),
        low,
    }
}

/// σ(v). One formula for both signs: where e<sup>−v</sup> is small, the sum 1 + e<sup>−v</sup> carries along what
/// it lost of it.
#[inline(always)]
pub(crate) fn logistic<R: Real, L: FloatLanes<R::Lane>>(l: L, v: Sum<L::V>) -> L::V {
    let exp = exp_minus::<R, L>(l, v);
    let y = reciprocal::<R, L>(l, exp.plus_nearly::<R, L>(l, 1.0)).rounded::<R, L>(l);
    let beyond = beyond::<R, L>(l, v.high);
    if !any(l, beyond) {
        return y;
    }
    let far = exp_beyond::<R, L>(l, negative::<R, L>(l, v));
    let (zero, one) = (constant::<R, L>(l, 0.0), constant::<R, L>(l, 1.0));
    l.select(beyond, l.select(l.lt(zero, v.high), one, far), y)
}

/// x·σ(v), where v is infinite or of the sign of x if x is infinite.
#[inline(always)]
pub(crate) fn gated<R: Real, L: FloatLanes<R::Lane>>(l: L, x: L::V, v: Sum<L::V>) -> L::V {
    let exp = exp_minus::<R, L>(l, v);
    let d = exp.plus::<R, L>(l, 1.0);
    // Not the quotient x/d: it would come out of its own correction as +0 for -0.0. And x first, since
    // what the reciprocal lacks may be too small for the dtype.
    let gate = reciprocal::<R, L>(l, d);
    let y = match gate.rest {
        Some(rest) => {
            let rest = l.mul(l.mul(x, rest), gate.reciprocal);
            l.mul_add(x, gate.high, rest)
        }
        None => l.mul(x, gate.high),
    };
    // Without FMA, a result that vanishes would lose its sign.
    let y = if L::FUSED { y } else { l.copysign(y, x) };
    let beyond = beyond::<R, L>(l, v.high);
    if !any(l, beyond) {
        return y;
    }
    let shut = exp_times::<R, L>(l, Sum::exact(x), negative::<R, L>(l, v));
    let open = l.lt(constant::<R, L>(l, 0.0), v.high);
    l.select(beyond, l.select(open, x, shut), y)
}

/// factor·σ′(v) = factor·t/(1 + t)² with t = e<sup>−|v|</sup>, for a power of two.
#[inline(always)]
pub(crate) fn logistic_density<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    factor: f64,
    v: Sum<L::V>,
) -> L::V {
    let factor = constant::<R, L>(l, factor);
    let negative = negative::<R, L>(l, v);
    let t = exp::<R, L>(l, negative);
    let d = t.plus::<R, L>(l, 1.0);
    let d = product_of_sums::<R, L>(l, d, d);
    let y = quotient::<R, L>(l, t.value::<R, L>(l), d).rounded::<R, L>(l);
    let y = l.mul(factor, y);
    let beyond = beyond::<R, L>(l, v.high);
    if !any(l, beyond) {
        return y;
    }
    l.select(
        beyond,
        exp_times::<R, L>(l, Sum::exact(factor), negative),
        y,
    )
}

/// The derivative of x·σ(v): σ(v) + g·σ′(v) with g = x·v′. With u = e<sup>−v</sup> that is
/// (1 + u·(1 + g))/(1 + u)², up to half the range, where (1 + u)² is still finite; what lies beyond is as
/// good as 1, or (1 + g)/u.
#[inline(always)]
pub(crate) fn gated_derivative<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    v: Sum<L::V>,
    g: Sum<L::V>,
) -> L::V {
    let (zero, one) = (constant::<R, L>(l, 0.0), constant::<R, L>(l, 1.0));
    let u = exp_minus::<R, L>(l, v);
    let d = u.plus::<R, L>(l, 1.0);
    let d = product_of_sums::<R, L>(l, d, d);
    let w = two_sum::<R, L>(l, one, g.high);
    let low = match g.low {
        Some(low) => Some(w.low_and::<R, L>(l, low)),
        None => w.low,
    };
    let w = Sum { high: w.high, low };
    let rest = product_of_sums::<R, L>(l, u.value::<R, L>(l), w);
    let n = two_sum::<R, L>(l, one, rest.high);
    let low = match rest.low {
        Some(low) => Some(n.low_and::<R, L>(l, low)),
        None => None,
    };
    let n = Sum { high: n.high, low };
    let y = quotient::<R, L>(l, n, d).rounded::<R, L>(l);
    let half_the_range = constant::<R, L>(l, R::MATH.range / 2.0);
    let beyond = l.lt(half_the_range, l.abs(v.high));
    if !any(l, beyond) {
        return y;
    }
    let shut = exp_times::<R, L>(l, w, negative::<R, L>(l, v));
    let open = l.lt(zero, v.high);
    l.select(beyond, l.select(open, one, shut), y)
}
