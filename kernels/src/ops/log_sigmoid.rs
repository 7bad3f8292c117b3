use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, FromOutput, Unary, nan_of};
use crate::parameters::parameters;

/// The logarithm of [`Sigmoid`](crate::Sigmoid): `-log1p(e^-x)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogSigmoid;

parameters!(LogSigmoid);

impl Unary for LogSigmoid {
    const FORMULA: &'static str = "-log1p(e^-x)";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    // min(x, 0) - log1p(e^-|x|)
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let zero = math::constant::<R, L>(l, 0.0);
        let negative = l.copysign(x, math::constant::<R, L>(l, -1.0));
        let exp = math::exp_precise::<R, L>(l, math::Sum::exact(negative));
        let log = math::log1p_exp::<R, L>(l, exp);
        let sum = math::two_sum::<R, L>(l, l.min(zero, x), l.sub(zero, log.high));
        let low = sum.low_and::<R, L>(l, l.sub(zero, log.low_or_zero::<R, L>(l)));
        let y = l.add(sum.high, low);
        let y = nan_of::<R, L>(l, x, y);
        let beyond = math::beyond::<R, L>(l, x);
        if !math::any(l, beyond) {
            return y;
        }
        let far = math::exp_beyond::<R, L>(l, math::Sum::exact(negative));
        let far = l.copysign(far, negative);
        l.select(beyond, l.select(l.lt(x, zero), x, far), y)
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        math::logistic::<R, L>(
            l,
            math::Sum::exact(l.sub(math::constant::<R, L>(l, 0.0), x)),
        )
    }

    // 1 - e^y
    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        math::one_minus_exp::<R, L>(l, y)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let log = (-x.clone().abs()).exp().ln_1p();
        if x < N::of(0.0) { x - log } else { -log }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        N::of(1.0) / (N::of(1.0) + x.exp())
    }

    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
        -y.exp_m1()
    }
}
