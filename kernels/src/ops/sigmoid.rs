use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, FromOutput, Unary};
use crate::parameters::parameters;

/// The logistic function `1/(1 + e^-x)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid;

parameters!(Sigmoid);

impl Unary for Sigmoid {
    const FORMULA: &'static str = "1/(1 + e^-x)";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        math::logistic::<R, L>(l, math::Sum::exact(x))
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        math::logistic_density::<R, L>(l, 1.0, math::Sum::exact(x))
    }

    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        l.mul(y, l.sub(math::constant::<R, L>(l, 1.0), y))
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        N::of(1.0) / (N::of(1.0) + (-x).exp())
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        N::of(1.0) / ((N::of(1.0) + (-x.clone()).exp()) * (N::of(1.0) + x.exp()))
    }

    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
        y.clone() * (N::of(1.0) - y)
    }
}
