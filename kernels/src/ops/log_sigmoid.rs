use crate::math::{
    DoubleWord, SOFTPLUS_RANGE_64, beyond_range, exp_beyond, exp_precise, log_sigmoid_32,
    log_sigmoid_64, log_sigmoid_near_64, log1p_exp, logistic, one_minus_exp, softplus_8,
    softplus_tail,
};
use crate::ops::Sigmoid;
use crate::prelude::*;

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
///
/// On `f32` the bits are each backend's own: `avx512` computes by 32 cells and `avx2` by a
/// table of 8 powers and 8 cells. So are those of the derivative from the
/// input, which is computed as [`Sigmoid`](crate::Sigmoid).
/// On `f64`, `avx512` computes by a table of 16 powers and one of 16 logarithms: its bits are not those of the other
/// backends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogSigmoid;

parameters!(LogSigmoid);

impl Unary for LogSigmoid {
    const FORMULA: &'static str = "-log1p(e^-x)";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FORWARD_ENTRIES: usize = 8;
    const NEAR_BELOW: Option<f64> = Some(60.0);
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    // min(x, 0) - log1p(e^-|x|)
    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let zero = x.splat(0.0);
        let negative = x.copysign(x.splat(-1.0));
        let beyond = beyond_range(x);
        let near = DoubleWord::exact(x).lifted_unless(beyond);
        let log = log1p_exp(exp_precise(near.minus_abs()));
        let y = (DoubleWord::exact(zero.min(x)) + log.zero_minus()).rounded();
        let y = y.or_nan_of(x);
        if !beyond.any() {
            return y;
        }
        let far = exp_beyond(DoubleWord::exact(negative)).copysign(negative);
        beyond.select(x.lt(zero).select(x, far), y)
    }

    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            let minus_zero = x.splat(-0.0);
            (minus_zero - softplus_8(minus_zero - x), None)
        } else {
            log_sigmoid_32(x)
        }
    }

    #[inline(always)]
    fn far<X: PieceLane>(self, x: X) -> X {
        let tail = softplus_tail(x.splat(1.0), x.abs());
        let tail = tail.copysign(x.splat(-1.0));
        x.lt(x.splat(0.0)).select(x, tail)
    }

    const BY_TABLES: ByTables = ByTables::Scaling;

    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        log_sigmoid_64(x)
    }

    const TABLE_RANGE: Option<(f64, f64)> = Some((0.0, SOFTPLUS_RANGE_64));

    #[inline(always)]
    fn near_by_tables<X: TableLane>(self, x: X) -> X {
        log_sigmoid_near_64(x)
    }

    // σ(-x)
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        logistic(DoubleWord::exact(x.splat(0.0) - x))
    }

    const DERIVATIVE_ENTRIES: usize = 8;
    const NEAR_DERIVATIVE_BELOW: Option<f64> = Sigmoid::NEAR_DERIVATIVE_BELOW;

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        Sigmoid.near(x.splat(0.0) - x)
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        Sigmoid.far(x.splat(0.0) - x)
    }

    // 1 - e^y
    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        one_minus_exp(y)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for LogSigmoid {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let log = (-x.clone().abs()).exp().ln_1p();
        if x < N::of(0.0) { x - log } else { -log }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        N::of(1.0) / (N::of(1.0) + x.exp())
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
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
