//! The logistic function, and what it gates, on `f64` by [`exp_64`](super::exp_64).

use crate::math::by_tables::{TINY, half_of_tiny};
use crate::math::exp_64::{Decay, NATURAL, decay};
use crate::register::{Mask, TableLane};

/// Up to here 1 + e<sup>x</sup> and its reciprocal are normal numbers of `f32`.
pub(crate) const RANGE: f64 = 87.0;

/// From here on e<sup>−x</sup>, and x times that, has vanished.
const VANISHED: f64 = 760.0;

/// σ(x). Beyond the range it is 1 or e<sup>x</sup>.
#[inline(always)]
pub(crate) fn sigmoid_64<X: TableLane>(x: X) -> X {
    let (zero, one) = (x.splat(0.0), x.splat(1.0));
    let a = x.abs();
    let inside = a.le(x.splat(RANGE));
    let all = inside.all();
    let inner = if all { x } else { inside.select(x, zero) };
    let y = sigmoid_near_64(inner);
    if all {
        return y;
    }
    let shut = decay(x.splat(VANISHED).min(a), &NATURAL).times(one);
    let far = x.lt(zero).select(shut, one);
    inside.select(y, far.or_nan_of(x))
}

/// That in the range.
#[inline(always)]
pub(crate) fn sigmoid_near_64<X: TableLane>(x: X) -> X {
    // Products with a subnormal number would take long; the sum is none.
    let (g, t) = decay(x + x.splat(TINY), &NATURAL).gate();
    g.mul_add(t, g)
}

/// x·σ(factor·x), for a factor from 1 to 2. Beyond the range it is x or x·e<sup>factor·x</sup>.
#[inline(always)]
pub(crate) fn gated_64<X: TableLane>(x: X, factor: f64, by: &'static Decay) -> X {
    let zero = x.splat(0.0);
    let a = x.abs();
    let (inside, tiny) = (a.le(x.splat(RANGE / factor)), a.lt(x.splat(TINY)));
    let all = inside.all() & !tiny.any();
    let inner = if all {
        x
    } else {
        tiny.select(zero, inside.select(x, zero))
    };
    let y = gated_near_64(inner, by);
    if all {
        return y;
    }
    let y = tiny.select(half_of_tiny(x), y);
    if inside.all() {
        return y;
    }
    let last = x.splat(VANISHED / factor).min(a);
    let shut = decay(last, by).times(zero - last);
    let far = x.lt(zero).select(shut, x);
    inside.select(y, far.or_nan_of(x))
}

/// That in the range, for x that is not tiny.
#[inline(always)]
pub(crate) fn gated_near_64<X: TableLane>(x: X, by: &'static Decay) -> X {
    let (g, t) = decay(x, by).gate();
    x.mul_add(g, x * g * t)
}
