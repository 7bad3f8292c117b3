use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, FromOutput, Unary, nan_of};
use crate::parameters::parameters;

/// The logarithm of [`Sigmoid`](crate::Sigmoid): `-log1p(e^-x)`, which is `-softplus(-x)`.
///
/// PyTorch's `logsigmoid`, TensorFlow's, Keras' and JAX' `log_sigmoid`. ONNX has none.
///
/// | x | log_sigmoid(x) |
/// |---|---|
/// | `-∞` | `-∞`; far on the left it is `x` |
/// | `±0`, subnormal | `-ln 2` |
/// | `+∞` | `-0.0`; so is what rounds to it, above about 104 on `f32` and 745 on `f64` |
/// | NaN | the same NaN |
///
/// The derivative is `sigmoid(-x)`: 1 at `-∞`, 1/2 at 0, 0 at `+∞`, and for NaN a NaN. From the output it is
/// `1 - e^y`; on the right, where `y` is small, that loses nothing.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            LogSigmoid,
            &[
                (-INF, -INF),
                (-1024.0, -1024.0),
                (1024.0, -0.0),
                (INF, -0.0),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative() {
        derivatives(
            LogSigmoid,
            &[
                (-INF, 1.0),
                (-1024.0, 1.0),
                (-0.0, 0.5),
                (0.0, 0.5),
                (1024.0, 0.0),
                (INF, 0.0),
            ],
        );
    }
}
