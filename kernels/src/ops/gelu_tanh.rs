use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, Unary};
use crate::parameters::parameters;

/// [`Gelu`](crate::Gelu) by the approximation with tanh, `x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))` (Hendrycks
/// & Gimpel, 2016), which is `x` times the sigmoid of twice that argument.
///
/// PyTorch and ONNX have it as `approximate="tanh"`, TensorFlow and Keras as `approximate=True`, which is the default
/// in JAX. It is off from [`Gelu`](crate::Gelu) by up to 4.8e-4, at `x = ±2.70`; on the far left the two have no
/// digit in common.
///
/// | x | gelu_tanh(x) |
/// |---|---|
/// | `-∞` | `-0.0` (PyTorch and ONNX Runtime make NaN of it); so is what rounds to it |
/// | `±0` | `x` |
/// | `+∞` | `+∞`; far on the right it is `x` |
/// | NaN | the same NaN |
///
/// Its minimum is -0.17004 at `x = -0.75246`. On `f32`, PyTorch's gelu_tanh of -6.04 is `-0.0`, where
/// `-5.82e-11` is true.
///
/// The derivative is 0 at `-∞`, negative up to `x = -0.75246`, 1/2 at 0, largest, 1.1290, at 1.42, 1 at `+∞`, and for
/// NaN a NaN. The output does not tell it: the function falls before it rises.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`; from half of where it changes its sign to twice
/// that, half an ulp of 1 counts as two (2^-24 on `f32`). `√(2/π)` and
/// `0.044715` are taken to more digits than the dtype has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeluTanh;

parameters!(GeluTanh);

/// Where the gate is open or shut on every dtype, and x³ is still finite.
const SATURATED: f64 = 1000.0;

impl Unary for GeluTanh {
    const FORMULA: &'static str = "x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    // The factor of the derivative has three roundings of its own.
    const F32_SLOPE: F32Lanes = F32Lanes::Double;
    const COMPUTE_BOUND: bool = true;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        math::gated::<R, L>(l, x, argument::<R, L>(l, x))
    }

    // σ(v) + x·σ′(v)·v′
    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let zero = math::constant::<R, L>(l, 0.0);
        let v = argument::<R, L>(l, x);
        let x = clamped::<R, L>(l, x);
        let first = math::constant_pair::<R, L>(l, math::GELU_TANH_1).0;
        let third = math::constant::<R, L>(l, 3.0 * math::GELU_TANH_3.0);
        let slope = l.mul(x, l.mul_add(third, l.mul(x, x), first));
        math::gated_derivative::<R, L>(l, v, math::Sum::exact(l.sub(zero, slope)))
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let (v, _) = oracle_argument(x.clone());
        x / (N::of(1.0) + (-v).exp())
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let (v, slope) = oracle_argument(x.clone());
        let one = || N::of(1.0);
        let gate = one() / (one() + (-v.clone()).exp());
        gate * (one() + x * slope / (one() + v.exp()))
    }

    fn turn(self) -> Option<f64> {
        Some(-0.752_461_415_588_463)
    }
}

/// 2·√(2/π)·(x + 0.044715x³), and its derivative.
fn oracle_argument<N: Num>(x: N) -> (N, N) {
    let factor = N::of(2.0) * (N::of(2.0) / N::pi()).sqrt();
    let cubic = N::of(44715.0) / N::of(1e6) * x.clone() * x.clone();
    let v = factor.clone() * x * (N::of(1.0) + cubic.clone());
    (v, factor * (N::of(1.0) + N::of(3.0) * cubic))
}

#[inline(always)]
fn clamped<R: Real, L: FloatLanes<R::Lane>>(l: L, x: L::V) -> L::V {
    let limit = math::constant::<R, L>(l, SATURATED);
    l.min(limit, l.max(math::constant::<R, L>(l, -SATURATED), x))
}

/// 2·√(2/π)·(x + 0.044715x³) = x·(c + d·x²), in two parts: up to 87 (or 708) of it go into an exponential,
/// where an error of its own last place would be one of 64 (or 512).
#[inline(always)]
fn argument<R: Real, L: FloatLanes<R::Lane>>(l: L, x: L::V) -> math::Sum<L::V> {
    let x = clamped::<R, L>(l, x);
    let zero = math::constant::<R, L>(l, 0.0);
    let (c, c_low) = math::constant_pair::<R, L>(l, math::GELU_TANH_1);
    let (d, d_low) = math::constant_pair::<R, L>(l, math::GELU_TANH_3);
    let z = math::product::<R, L>(l, x, x);
    let w = l.mul_add(d, z.high, c);
    let Some(z_low) = z.low else {
        return math::Sum::exact(l.sub(zero, l.mul(x, w)));
    };
    let of_d = math::product::<R, L>(l, d, z.high);
    let sum = math::two_sum::<R, L>(l, c, of_d.high);
    let rest = l.mul_add(d_low, z.high, l.mul_add(d, z_low, c_low));
    let rest = l.add(rest, sum.low_and::<R, L>(l, of_d.low_or_zero::<R, L>(l)));
    let v = math::product::<R, L>(l, x, sum.high);
    let low = l.mul_add(x, rest, v.low_or_zero::<R, L>(l));
    math::Sum {
        high: l.sub(zero, v.high),
        low: Some(l.sub(zero, low)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            GeluTanh,
            &[
                (-INF, -0.0),
                (-1024.0, -0.0),
                (-0.0, -0.0),
                (0.0, 0.0),
                (1024.0, 1024.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative() {
        derivatives(
            GeluTanh,
            &[
                (-INF, 0.0),
                (-1024.0, 0.0),
                (-0.0, 0.5),
                (0.0, 0.5),
                (1024.0, 1.0),
                (INF, 1.0),
            ],
        );
    }
}
