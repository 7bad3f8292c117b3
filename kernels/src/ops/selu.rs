use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, FromOutput, Unary};
use crate::parameters::parameters;

const SCALE: f64 = 1.0507009873554805;
const ALPHA: f64 = 1.6732632423543772;

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
/// it as well: it is `y + λα` for `y ≤ 0`, accurate for `y`, so it knows of `x` what `y` does.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selu;

parameters!(Selu);

impl Unary for Selu {
    const FORMULA: &'static str = "λ·(x < 0 ? α·expm1(x) : x)";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    // On the right, what λ lacks of its last place is a small product that must not be infinite less
    // infinite, nor change the sign of -0.0.
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let (scale, rest) = math::constant_pair::<R, L>(l, math::SELU_SCALE);
        let finite = l.min(math::constant::<R, L>(l, R::MATH.largest), x);
        let right = l.copysign(l.mul_add(x, scale, l.mul(finite, rest)), x);
        let y = math::exp_minus_one::<R, L>(l, math::Sum::exact(x));
        let (scale, rest) = math::constant_pair::<R, L>(l, math::SELU_SCALE_ALPHA);
        let left = math::product_of_sum::<R, L>(l, scale, y);
        let low = l.mul_add(rest, y.high, left.low_or_zero::<R, L>(l));
        l.select(
            l.lt(x, math::constant::<R, L>(l, 0.0)),
            l.add(left.high, low),
            right,
        )
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let (scale, _) = math::constant_pair::<R, L>(l, math::SELU_SCALE);
        let (times, _) = math::constant_pair::<R, L>(l, math::SELU_SCALE_ALPHA);
        let slope = math::exp_scaled::<R, L>(l, times, math::Sum::exact(x));
        l.select(l.lt(math::constant::<R, L>(l, 0.0), x), scale, slope)
    }

    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        let (scale, _) = math::constant_pair::<R, L>(l, math::SELU_SCALE);
        let (limit, rest) = math::constant_pair::<R, L>(l, math::SELU_SCALE_ALPHA);
        let slope = l.add(l.add(y, limit), rest);
        l.select(l.lt(math::constant::<R, L>(l, 0.0), y), scale, slope)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        if x < N::of(0.0) {
            N::of(SCALE) * N::of(ALPHA) * x.exp_m1()
        } else {
            N::of(SCALE) * x
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        if x > N::of(0.0) {
            N::of(SCALE)
        } else {
            N::of(SCALE) * N::of(ALPHA) * x.exp()
        }
    }

    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
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
