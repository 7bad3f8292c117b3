use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, FromOutput, Unary};
use crate::parameters::{POSITIVE, parameters};

/// The continuously differentiable elu: x, and below zero `α·expm1(x/α)` (Barron, 2017).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Celu {
    alpha: f64,
}

parameters!(Celu { alpha: 1.0 in POSITIVE });

impl Celu {
    /// α: minus the limit on the left, and how slowly it is approached; positive, default 1.
    pub fn alpha(self) -> f64 {
        self.alpha
    }
}

impl Celu {
    /// x/α for x ≤ 0, and what it lost; no further than where e to it has vanished.
    #[inline(always)]
    fn argument<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> math::Sum<L::V> {
        if self.alpha == 1.0 {
            return math::Sum::exact(x);
        }
        let alpha = l.splat(R::of(self.alpha));
        let last = l.mul(alpha, math::constant::<R, L>(l, -2.0 * R::MATH.range));
        let finite = l.max(last, x);
        let v = math::quotient::<R, L>(l, math::Sum::exact(finite), math::Sum::exact(alpha));
        v.sum::<R, L>(l)
    }
}

impl Unary for Celu {
    const FORMULA: &'static str = "x < 0 ? alpha·expm1(x/alpha) : x";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let y = math::exp_minus_one::<R, L>(l, self.argument::<R, L>(l, x));
        let y = if self.alpha == 1.0 {
            y.high
        } else {
            math::product_of_sum::<R, L>(l, l.splat(R::of(self.alpha)), y).rounded::<R, L>(l)
        };
        l.select(l.lt(x, math::constant::<R, L>(l, 0.0)), y, x)
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let one = math::constant::<R, L>(l, 1.0);
        let slope = math::exp_scaled::<R, L>(l, one, self.argument::<R, L>(l, x));
        l.select(l.lt(math::constant::<R, L>(l, 0.0), x), one, slope)
    }

    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        let (one, alpha) = (math::constant::<R, L>(l, 1.0), l.splat(R::of(self.alpha)));
        let slope = l.div(l.add(y, alpha), alpha);
        l.select(l.lt(math::constant::<R, L>(l, 0.0), y), one, slope)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let alpha = N::of(R::value(self.alpha));
        if x < N::of(0.0) {
            alpha.clone() * (x / alpha).exp_m1()
        } else {
            x
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        if x > N::of(0.0) {
            N::of(1.0)
        } else {
            (x / N::of(R::value(self.alpha))).exp()
        }
    }

    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
        if y > N::of(0.0) {
            N::of(1.0)
        } else {
            let alpha = N::of(R::value(self.alpha));
            (y + alpha.clone()) / alpha
        }
    }
}
