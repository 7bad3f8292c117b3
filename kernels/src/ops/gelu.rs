use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, Unary, nan_of};
use crate::parameters::parameters;

/// The Gaussian error linear unit: `x·Φ(x) = x/2·erfc(-x/√2)`, with `Φ` the distribution function of the
/// standard normal distribution (Hendrycks & Gimpel, 2016).
///
/// What PyTorch, ONNX, TensorFlow and Keras call gelu, unless told to approximate it. JAX approximates by
/// default: its `gelu` is [`GeluTanh`](crate::GeluTanh), and this one is `gelu(x, approximate=False)`.
///
/// | x | gelu(x) |
/// |---|---|
/// | `-∞` | `-0.0` (PyTorch and ONNX Runtime make NaN of it); so is what rounds to it |
/// | `±0` | `x` |
/// | `+∞` | `+∞` (NaN in PyTorch); far on the right it is `x` |
/// | NaN | the same NaN |
///
/// Its minimum is -0.16997 at `x = -0.75179`. On `f32`, PyTorch's and ONNX Runtime's gelu of -6 is 0, where
/// `-5.9e-9` is true, and PyTorch's is infinite above 1.7e38.
///
/// The derivative is `Φ(x) + x·φ(x)`, with `φ` the density: 0 at `-∞`, negative up to `x = -0.75179`, 1/2 at 0,
/// largest, 1.1289, at `√2`, 1 at `+∞`, and for NaN a NaN. The output does not tell it: the function falls before it
/// rises.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`; from half of where it changes its sign to twice
/// that, half an ulp of 1 counts as two (2^-24 on `f32`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gelu;

parameters!(Gelu);

/// Where the tail has vanished.
#[inline(always)]
fn far<R: Real, L: FloatLanes<R::Lane>>(l: L) -> L::V {
    // On `f64`, and on `f32`.
    math::constant::<R, L>(l, if R::MATH.compensated { 39.0 } else { 20.0 })
}

/// -x²/2, and what it lost.
#[inline(always)]
fn exponent<R: Real, L: FloatLanes<R::Lane>>(l: L, x: L::V) -> math::Sum<L::V> {
    let half = math::constant::<R, L>(l, -0.5);
    let z = math::product::<R, L>(l, x, x);
    let low = match z.low {
        Some(low) => Some(l.mul(half, low)),
        None => None,
    };
    math::Sum {
        high: l.mul(half, z.high),
        low,
    }
}

impl Unary for Gelu {
    const FORMULA: &'static str = "x·Φ(x) = x/2·erfc(-x/√2)";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Double;
    const COMPUTE_BOUND: bool = true;

    // max(x, 0) - |x|·Φ(-|x|)
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let zero = math::constant::<R, L>(l, 0.0);
        let relu = l.max(zero, x);
        let a = l.min(far::<R, L>(l), l.abs(x));
        let v = exponent::<R, L>(l, a);
        let (top, bottom) = math::mills::<R, L>(l, a);
        let exp = math::exp::<R, L>(l, v).value::<R, L>(l);
        let n = math::product_of_sums::<R, L>(l, exp, top);
        let n = math::product_of_sum::<R, L>(l, a, n);
        let tail = math::quotient::<R, L>(l, n, bottom).sum::<R, L>(l);
        if !R::MATH.compensated {
            return l.sub(relu, tail.high);
        }
        let sum = math::two_sum::<R, L>(l, relu, l.sub(zero, tail.high));
        let low = l.sub(sum.low_or_zero::<R, L>(l), tail.low_or_zero::<R, L>(l));
        let mut y = l.add(sum.high, low);
        let beyond = math::beyond::<R, L>(l, v.high);
        if math::any(l, beyond) {
            let m = math::quotient::<R, L>(l, top, bottom).sum::<R, L>(l);
            let m = math::product_of_sum::<R, L>(l, l.sub(zero, a), m);
            let far = math::exp_times::<R, L>(l, m, v);
            y = l.select(beyond, l.add(relu, far), y);
        }
        // The sums have made +0 of -0.0.
        nan_of::<R, L>(l, x, l.copysign(y, x))
    }

    // Φ(x) + x·φ(x)
    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let (zero, one) = (
            math::constant::<R, L>(l, 0.0),
            math::constant::<R, L>(l, 1.0),
        );
        let a = l.min(far::<R, L>(l), l.abs(x));
        let (top, bottom) = math::mills::<R, L>(l, a);
        let m = math::quotient::<R, L>(l, top, bottom).rounded::<R, L>(l);
        // Φ(-a) - a·φ(a) is the derivative for negative x, and 1 less that for positive.
        let density = math::constant::<R, L>(l, math::DENSITY_0.0);
        let tail = l.neg_mul_add(density, a, m);
        let v = exponent::<R, L>(l, a);
        let tail = if R::MATH.compensated {
            math::exp_times::<R, L>(l, math::Sum::exact(tail), v)
        } else {
            l.mul(tail, math::exp::<R, L>(l, v).value::<R, L>(l).high)
        };
        let tail = nan_of::<R, L>(l, x, tail);
        l.select(l.lt(x, zero), tail, l.sub(one, tail))
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        x.clone() / N::of(2.0) * (-x / N::of(2.0).sqrt()).erfc()
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let two = || N::of(2.0);
        let tail = (-x.clone() / two().sqrt()).erfc() / two();
        let density = (-(x.clone() * x.clone()) / two()).exp() / (two() * N::pi()).sqrt();
        tail + x * density
    }

    fn turn(self) -> Option<f64> {
        Some(-0.751_791_524_693_564_5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Gelu,
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
            Gelu,
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
