use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, Unary, nan_of};
use crate::parameters::parameters;

/// The Gaussian error linear unit `x·Φ(x) = x/2·erfc(-x/√2)` (Hendrycks & Gimpel, 2016).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gelu;

parameters!(Gelu);

/// Far in the tail, whatever the dtype, and squares are still finite.
const FAR: f64 = 60.0;

/// -x²/2, and what it lost.
#[inline(always)]
fn exponent<R: Real, L: FloatLanes<R::Lane>>(l: L, x: L::V) -> math::Sum<L::V> {
    let half = math::constant::<R, L>(l, -0.5);
    let z = math::product::<R, L>(l, x, x);
    let low = match z.low {
        Some(low) => Some(l.mul(half, low)),
        None => None,
    };
    math::Sum {
        high: l.mul(half, z.high),
        low,
    }
}

impl Unary for Gelu {
    const FORMULA: &'static str = "x·Φ(x) = x/2·erfc(−x/√2)";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Double;
    const COMPUTE_BOUND: bool = true;

    // x·Φ(-|x|) where x is negative, and x less that where it is not.
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let zero = math::constant::<R, L>(l, 0.0);
        let v = exponent::<R, L>(l, x);
        let exp = math::exp::<R, L>(l, v).value::<R, L>(l);
        let (top, bottom) = math::mills::<R, L>(l, l.abs(x));
        let n = math::product_of_sums::<R, L>(l, exp, top);
        let tail = math::quotient::<R, L>(l, n, bottom).sum::<R, L>(l);
        let tail = math::product_of_sum::<R, L>(l, x, tail);
        let body = math::two_sum::<R, L>(l, x, l.sub(zero, tail.high));
        let tail_low = tail.low_and::<R, L>(l, zero);
        let body = l.add(body.high, l.sub(body.low_and::<R, L>(l, zero), tail_low));
        let y = l.select(l.lt(x, zero), l.add(tail.high, tail_low), body);
        let y = l.select(l.le(l.abs(x), zero), x, y);
        let y = nan_of::<R, L>(l, x, y);
        let beyond = math::beyond::<R, L>(l, v.high);
        if !math::any(l, beyond) {
            return y;
        }
        let near = l.max(math::constant::<R, L>(l, -FAR), x);
        let (top, bottom) = math::mills::<R, L>(l, l.abs(near));
        let m = math::quotient::<R, L>(l, top, bottom).rounded::<R, L>(l);
        let far = math::exp_times::<R, L>(l, l.mul(near, m), exponent::<R, L>(l, near));
        l.select(beyond, l.select(l.lt(x, zero), far, x), y)
    }

    // Φ(x) + x·φ(x)
    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let (zero, one) = (
            math::constant::<R, L>(l, 0.0),
            math::constant::<R, L>(l, 1.0),
        );
        let near = l.min(
            math::constant::<R, L>(l, FAR),
            l.max(math::constant::<R, L>(l, -FAR), x),
        );
        let (top, bottom) = math::mills::<R, L>(l, l.abs(near));
        let m = math::quotient::<R, L>(l, top, bottom).rounded::<R, L>(l);
        // Φ(x) + x·φ(x) for negative x, and 1 less that for positive.
        let density = math::constant::<R, L>(l, math::DENSITY_0.0);
        let tail = l.neg_mul_add(density, l.abs(near), m);
        let tail = math::exp_times::<R, L>(l, tail, exponent::<R, L>(l, near));
        l.select(l.lt(x, zero), tail, l.sub(one, tail))
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        x.clone() / N::of(2.0) * (-x / N::of(2.0).sqrt()).erfc()
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let two = || N::of(2.0);
        let tail = (-x.clone() / two().sqrt()).erfc() / two();
        let density = (-(x.clone() * x.clone()) / two()).exp() / (two() * N::pi()).sqrt();
        tail + x * density
    }

    fn turn(self) -> Option<f64> {
        Some(-0.751_791_524_693_564_5)
    }
}
