use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, FromOutput, Unary};
use crate::parameters::parameters;

/// The hyperbolic tangent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tanh;

parameters!(Tanh);

impl Unary for Tanh {
    const FORMULA: &'static str = "tanh x";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        math::tanh::<R, L>(l, x)
    }

    // 1/cosh² x = 4σ′(2x)
    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        math::logistic_density::<R, L>(l, 4.0, math::Sum::exact(l.add(x, x)))
    }

    // (1 - y)(1 + y)
    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        let one = math::constant::<R, L>(l, 1.0);
        l.mul(l.sub(one, y), l.add(one, y))
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        x.tanh()
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let d = N::of(2.0) / (x.clone().exp() + (-x).exp());
        d.clone() * d
    }

    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
        (N::of(1.0) - y.clone()) * (N::of(1.0) + y)
    }
}
