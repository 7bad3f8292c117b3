use crate::element::{Float, Real};
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, FromOutput, Unary};
use crate::parameters::{FINITE_ON_F32, parameters};

/// The exponential linear unit: x, and below zero `α·expm1(x)` (Clevert, Unterthiner & Hochreiter, 2016).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    alpha: f64,
}

parameters!(Elu { alpha: 1.0 in FINITE_ON_F32 });

impl Elu {
    /// α: minus the limit on the left; finite, default 1.
    pub fn alpha(self) -> f64 {
        self.alpha
    }
}

impl Unary for Elu {
    const FORMULA: &'static str = "x < 0 ? alpha·expm1(x) : x";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let y = math::exp_minus_one::<R, L>(l, math::Sum::exact(x));
        let y = if self.alpha == 1.0 {
            y.high
        } else {
            let y = math::product_of_sum::<R, L>(l, l.splat(R::of(self.alpha)), y);
            // Zero times that is -0.0.
            l.copysign(y.rounded::<R, L>(l), y.high)
        };
        l.select(l.lt(x, math::constant::<R, L>(l, 0.0)), y, x)
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let alpha = l.splat(R::of(self.alpha));
        let slope = math::exp_scaled::<R, L>(l, alpha, math::Sum::exact(x));
        l.select(
            l.lt(math::constant::<R, L>(l, 0.0), x),
            math::constant::<R, L>(l, 1.0),
            slope,
        )
    }

    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        let slope = l.add(y, l.splat(R::of(self.alpha)));
        l.select(
            l.lt(math::constant::<R, L>(l, 0.0), y),
            math::constant::<R, L>(l, 1.0),
            slope,
        )
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        if x < N::of(0.0) {
            N::of(R::value(self.alpha)) * x.exp_m1()
        } else {
            x
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        if x > N::of(0.0) {
            N::of(1.0)
        } else {
            N::of(R::value(self.alpha)) * x.exp()
        }
    }

    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
        if y > N::of(0.0) {
            N::of(1.0)
        } else {
            y + N::of(R::value(self.alpha))
        }
    }

    // With a negative α, both halves of the line give positive outputs.
    fn output_suffices<E: Float>(self) -> bool {
        self.alpha >= 0.0
    }
}
