use crate::coefficients::{SELU_SCALE, SELU_SCALE_ALPHA};
use crate::math::{
    DoubleWord, LINEAR, TINY_64, below_range, exp_left_8, exp_minus_one, exp_scaled, exp_tail,
    selu_64, selu_near_64,
};
use crate::prelude::*;

/// The self-normalising elu: `λ` times [`Elu`](crate::Elu) of `α`, with `λ = 1.0507009873554805` and
/// `α = 1.6732632423543772` (Klambauer, Unterthiner, Mayr & Hochreiter, 2017).
///
/// These two are PyTorch's, Keras' and JAX', and not parameters there either. In ONNX they are attributes,
/// whose defaults are the `f32` next to them. Here they are the decimal numbers on every dtype, however few
/// digits it has.
///
/// | x | selu(x) |
/// |---|---|
/// | `-∞` | `-λα`, -1.7580993408473766; so is what rounds to it |
/// | `x < 0` | `λα·expm1(x)` |
/// | `±0` | `x` (ONNX Runtime makes `+0` of `-0.0`) |
/// | `x > 0` | `λ·x`, infinite where that is beyond the dtype |
/// | `+∞` | `+∞` |
/// | NaN | the same NaN |
///
/// The derivative is `λ` for `x > 0`, else `λα·e^x`: `λα` at 0, 0 at `-∞`, and for NaN a NaN. The output tells
/// it as well: it is `y + λα` for `y ≤ 0`, accurate for `y`, so it knows of `x` what `y` does, and never negative.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`.
///
/// On `f32` the bits of the derivative from the input are each backend's own: `avx512` and `avx2` compute by a table of
/// 8 powers.
/// On `f64`, `avx512` computes by a table of 16 powers: its bits are not those of the other backends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selu;

parameters!(Selu);

impl Unary for Selu {
    const FORMULA: &'static str = "λ·(x < 0 ? α·expm1(x) : x)";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    // Next to 0 and on the right it is c·x with c > 1: as x + (c − 1)·x, what rounding takes from c − 1 is little.
    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let linear = x.mul_add(slope_less_one(x), x);
        let (limit, limit_low) = x.splat_pair(SELU_SCALE_ALPHA);
        let end = x.splat(LINEAR);
        let y = exp_minus_one(DoubleWord::exact(x.min(end)));
        let low = y.low_or_zero().mul_add(limit, y.high * limit_low);
        let left = y.high.mul_add(limit, low);
        x.lt(end).select(left, linear)
    }

    const BY_TABLES: ByTables = ByTables::Scaling;

    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        selu_64(x)
    }

    const TABLE_RANGE: Option<(f64, f64)> = Some((TINY_64, f64::INFINITY));

    #[inline(always)]
    fn near_by_tables<X: TableLane>(self, x: X) -> X {
        selu_near_64(x)
    }

    // x > 0 ? λ : λα·e^x
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let (scale, _) = x.splat_pair(SELU_SCALE);
        let (limit, _) = x.splat_pair(SELU_SCALE_ALPHA);
        let zero = x.splat(0.0);
        let v = DoubleWord::exact(zero.min(x));
        let slope = exp_scaled(limit, v, below_range(x));
        zero.lt(x).select(scale, slope)
    }

    const DERIVATIVE_ENTRIES: usize = 8;

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        let (exp, near) = exp_left_8(x);
        let (scale, _) = x.splat_pair(SELU_SCALE);
        let (limit, _) = x.splat_pair(SELU_SCALE_ALPHA);
        let slope = x.splat(0.0).lt(x).select(scale, exp * limit);
        (slope, near)
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        let (limit, _) = x.splat_pair(SELU_SCALE_ALPHA);
        exp_tail(limit, x.abs())
    }

    // y > 0 ? λ : y + λα. On no dtype is -λα rounded to less, so that is not negative.
    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        let (scale, _) = y.splat_pair(SELU_SCALE);
        let (limit, limit_low) = y.splat_pair(SELU_SCALE_ALPHA);
        let slope = (y + limit) + limit_low;
        y.splat(0.0).lt(y).select(scale, slope)
    }
}

/// By how much the slope next to 0 is more than 1.
#[inline(always)]
fn slope_less_one<X: Lane>(x: X) -> X {
    let (left, right) = (SELU_SCALE_ALPHA.0 - 1.0, SELU_SCALE.0 - 1.0);
    x.lt(x.splat(0.0)).select(x.splat(left), x.splat(right))
}

#[cfg(feature = "oracle")]
const SCALE: f64 = 1.0507009873554805;
#[cfg(feature = "oracle")]
const ALPHA: f64 = 1.6732632423543772;

#[cfg(feature = "oracle")]
impl Oracle for Selu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x < N::of(0.0) {
            N::of(SCALE) * N::of(ALPHA) * x.exp_m1()
        } else {
            N::of(SCALE) * x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x > N::of(0.0) {
            N::of(SCALE)
        } else {
            N::of(SCALE) * N::of(ALPHA) * x.exp()
        }
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        if y > N::of(0.0) {
            N::of(SCALE)
        } else {
            y + N::of(SCALE) * N::of(ALPHA)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Selu,
            &[
                (-0.0, -0.0),
                (0.0, 0.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative() {
        derivatives(Selu, &[(-INF, 0.0), (-1024.0, 0.0)]);
    }
}
