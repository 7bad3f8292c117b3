use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, FromOutput, Unary, nan_of};
use crate::parameters::{POSITIVE, parameters};

/// A smooth relu: `log1p(e^(βx))/β`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softplus {
    beta: f64,
}

parameters!(Softplus { beta: 1.0 in POSITIVE });

impl Softplus {
    /// β: how sharply it bends; positive, default 1.
    pub fn beta(self) -> f64 {
        self.beta
    }
}

impl Unary for Softplus {
    const FORMULA: &'static str = "log1p(e^(beta·x))/beta";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    // max(x, 0) + log1p(e^-|βx|)/β
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let zero = math::constant::<R, L>(l, 0.0);
        let beta = l.splat(R::of(self.beta));
        let v = math::times::<R, L>(l, self.beta, x);
        let exp = math::exp_precise::<R, L>(l, math::negative::<R, L>(l, v));
        let mut log = math::log1p_exp::<R, L>(l, exp);
        if self.beta != 1.0 {
            log = math::quotient::<R, L>(l, log, math::Sum::exact(beta)).sum::<R, L>(l);
        }
        let sum = math::two_sum::<R, L>(l, l.max(zero, x), log.high);
        let y = l.add(sum.high, log.low_and::<R, L>(l, sum.low_or_zero::<R, L>(l)));
        let y = nan_of::<R, L>(l, x, y);
        let beyond = math::beyond::<R, L>(l, v.high);
        if !math::any(l, beyond) {
            return y;
        }
        let inverse = l.div(math::constant::<R, L>(l, 1.0), beta);
        let far =
            math::exp_times::<R, L>(l, math::Sum::exact(inverse), math::negative::<R, L>(l, v));
        l.select(beyond, l.select(l.lt(zero, x), x, far), y)
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        math::logistic::<R, L>(l, math::times::<R, L>(l, self.beta, x))
    }

    // 1 - e^(-βy)
    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        let beta = l.splat(R::of(self.beta));
        let zero = math::constant::<R, L>(l, 0.0);
        math::one_minus_exp::<R, L>(l, l.sub(zero, l.mul(beta, y)))
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let beta = N::of(R::value(self.beta));
        let log = (-(x.clone() * beta.clone()).abs()).exp().ln_1p() / beta;
        if x > N::of(0.0) { x + log } else { log }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        N::of(1.0) / (N::of(1.0) + (-(x * N::of(R::value(self.beta)))).exp())
    }

    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
        -(-(y * N::of(R::value(self.beta)))).exp_m1()
    }
}
