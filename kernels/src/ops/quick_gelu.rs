use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, Unary};
use crate::parameters::parameters;

/// A quick approximation of [`Gelu`](crate::Gelu): `x·sigmoid(1.702x)` (Hendrycks & Gimpel, 2016).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuickGelu;

parameters!(QuickGelu);

/// 1.702x: the constant is the decimal number, not the nearest of the dtype.
#[inline(always)]
fn argument<R: Real, L: FloatLanes<R::Lane>>(l: L, x: L::V) -> math::Sum<L::V> {
    let (factor, rest) = math::constant_pair::<R, L>(l, math::QUICK_GELU);
    let v = math::product::<R, L>(l, factor, x);
    match v.low {
        Some(low) => math::Sum {
            high: v.high,
            low: Some(l.mul_add(rest, x, low)),
        },
        None => v,
    }
}

impl Unary for QuickGelu {
    const FORMULA: &'static str = "x·sigmoid(1.702·x)";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        math::gated::<R, L>(l, x, argument::<R, L>(l, x))
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let v = argument::<R, L>(l, x);
        math::gated_derivative::<R, L>(l, v, v)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let v = x.clone() * N::of(1702.0) / N::of(1000.0);
        x / (N::of(1.0) + (-v).exp())
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let v = x * N::of(1702.0) / N::of(1000.0);
        let one = || N::of(1.0);
        let gate = one() / (one() + (-v.clone()).exp());
        gate * (one() + v.clone() / (one() + v.exp()))
    }

    fn turn(self) -> Option<f64> {
        Some(-0.751_154_255_441_289)
    }
}
