//! The logistic function σ(v) = 1/(1 + e<sup>−v</sup>), its density, and what it gates.

use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math::{
    Sum, any, beyond, constant, exp, exp_beyond, exp_minus, exp_times, product, reciprocal,
};

/// factor·x, with what that lost unless the factor is 1.
#[inline(always)]
pub(crate) fn times<R: Real, L: FloatLanes<R::Lane>>(l: L, factor: f64, x: L::V) -> Sum<L::V> {
    if factor == 1.0 {
        return Sum::exact(x);
    }
    product::<R, L>(l, l.splat(R::of(factor)), x)
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
    let y = reciprocal::<R, L>(l, exp.plus::<R, L>(l, 1.0)).rounded::<R, L>(l);
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
    // Not the quotient x/d: it would come out of its own correction as +0 for -0.0.
    let Sum { high, low } = reciprocal::<R, L>(l, d).sum::<R, L>(l);
    let y = match low {
        Some(low) => l.mul_add(x, high, l.mul(x, low)),
        None => l.mul(x, high),
    };
    let beyond = beyond::<R, L>(l, v.high);
    if !any(l, beyond) {
        return y;
    }
    let shut = exp_times::<R, L>(l, x, negative::<R, L>(l, v));
    let open = l.lt(constant::<R, L>(l, 0.0), v.high);
    l.select(beyond, l.select(open, x, shut), y)
}

/// σ′(v) = t/(1 + t)² with t = e<sup>−|v|</sup>.
#[inline(always)]
pub(crate) fn logistic_density<R: Real, L: FloatLanes<R::Lane>>(l: L, v: Sum<L::V>) -> L::V {
    let negative = negative::<R, L>(l, v);
    let t = exp::<R, L>(l, negative).value::<R, L>(l).high;
    let d = l.add(t, constant::<R, L>(l, 1.0));
    let y = l.div(t, l.mul(d, d));
    let beyond = beyond::<R, L>(l, v.high);
    if !any(l, beyond) {
        return y;
    }
    l.select(beyond, exp_beyond::<R, L>(l, negative), y)
}

/// The derivative of x·σ(v): σ(v) + g·σ′(v) with g = x·v′. With t = e<sup>−|v|</sup> that is
/// (1 + t + g·t)/(1 + t)² where the gate is more open than shut, and t·(1 + t + g)/(1 + t)² where not.
#[inline(always)]
pub(crate) fn gated_derivative<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    v: Sum<L::V>,
    g: L::V,
) -> L::V {
    let (zero, one) = (constant::<R, L>(l, 0.0), constant::<R, L>(l, 1.0));
    let negative = negative::<R, L>(l, v);
    let t = exp::<R, L>(l, negative).value::<R, L>(l).high;
    let d = l.add(t, one);
    let open = l.lt(zero, v.high);
    let n = l.select(open, l.mul_add(g, t, d), l.mul(t, l.add(d, g)));
    let y = l.div(n, l.mul(d, d));
    let beyond = beyond::<R, L>(l, v.high);
    if !any(l, beyond) {
        return y;
    }
    let shut = exp_times::<R, L>(l, l.add(one, g), negative);
    l.select(beyond, l.select(open, one, shut), y)
}
