use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, Unary};
use crate::parameters::parameters;

/// `x·tanh(softplus(x))` (Misra, 2019).
///
/// | x | mish(x) |
/// |---|---|
/// | `-∞` | `-0.0` (PyTorch and ONNX Runtime make NaN of it); so is what rounds to it |
/// | `±0` | `x` |
/// | `+∞` | `+∞`; far on the right it is `x` |
/// | NaN | the same NaN |
///
/// Its minimum is -0.30884 at `x = -1.19243`. On the far left it is `x·e^x`, down to the smallest subnormal number. On
/// `f32`, PyTorch's mish of -102.87 is `-0.0`, where `-2.2e-43` is true, and ONNX Runtime's of -98.65, where
/// `-1.4e-41` is.
///
/// The derivative is 0 at `-∞`, negative up to `x = -1.19243`, 0.6 at 0, largest, 1.0885, at 1.49, 1 at `+∞`, and for
/// NaN a NaN. The output does not tell it: the function falls before it rises.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`; from half of where it changes its sign to twice
/// that, half an ulp of 1 counts as two (2^-24 on `f32`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mish;

parameters!(Mish);

/// From here on, mish is x, and its derivative 1, on every dtype.
const SATURATED: f64 = 44.0;

/// With t = e^x, tanh(softplus(x)) = n/(n + 2) where n = t·(t + 2).
#[inline(always)]
fn n<R: Real, L: FloatLanes<R::Lane>>(l: L, t: math::Exp<L::V>) -> math::Sum<L::V> {
    math::product_of_sums::<R, L>(l, t.value::<R, L>(l), t.plus::<R, L>(l, 2.0))
}

#[inline(always)]
fn n_plus_two<R: Real, L: FloatLanes<R::Lane>>(l: L, n: math::Sum<L::V>) -> math::Sum<L::V> {
    let d = math::two_sum::<R, L>(l, n.high, math::constant::<R, L>(l, 2.0));
    let low = match n.low {
        Some(low) => Some(d.low_and::<R, L>(l, low)),
        None => None,
    };
    math::Sum { high: d.high, low }
}

impl Unary for Mish {
    const FORMULA: &'static str = "x·tanh(softplus(x))";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Double;
    const COMPUTE_BOUND: bool = true;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let saturated = math::constant::<R, L>(l, SATURATED);
        let t = math::exp::<R, L>(l, math::Sum::exact(l.min(saturated, x)));
        let n = n::<R, L>(l, t);
        let d = n_plus_two::<R, L>(l, n);
        let n = math::product_of_sum::<R, L>(l, x, n);
        // Its correction would make +0 of -0.0.
        let y = math::quotient::<R, L>(l, n, d).rounded::<R, L>(l);
        let y = l.copysign(y, x);
        let y = l.select(l.lt(saturated, x), x, y);
        let beyond = l.lt(x, math::constant::<R, L>(l, -R::MATH.range));
        if !math::any(l, beyond) {
            return y;
        }
        l.select(
            beyond,
            math::exp_times::<R, L>(l, math::Sum::exact(x), math::Sum::exact(x)),
            y,
        )
    }

    // n/d + x·4t(t + 1)/d², and (1 + x)·t where t vanishes beside 1.
    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let one = math::constant::<R, L>(l, 1.0);
        let saturated = math::constant::<R, L>(l, SATURATED);
        let near = l.min(saturated, x);
        let t = math::exp::<R, L>(l, math::Sum::exact(near));
        let n = n::<R, L>(l, t);
        let d = n_plus_two::<R, L>(l, n);
        let rest = math::product_of_sums::<R, L>(l, t.value::<R, L>(l), t.plus::<R, L>(l, 1.0));
        let four_x = l.mul(math::constant::<R, L>(l, 4.0), near);
        let rest = math::product_of_sum::<R, L>(l, four_x, rest);
        let n = math::product_of_sums::<R, L>(l, n, d);
        let sum = math::two_sum::<R, L>(l, n.high, rest.high);
        let low = match (n.low, rest.low) {
            (Some(a), Some(b)) => Some(sum.low_and::<R, L>(l, l.add(a, b))),
            _ => None,
        };
        let n = math::Sum {
            high: sum.high,
            low,
        };
        let d = math::product_of_sums::<R, L>(l, d, d);
        let slope = math::quotient::<R, L>(l, n, d).rounded::<R, L>(l);
        let beyond = l.lt(x, math::constant::<R, L>(l, -R::MATH.range));
        let slope = l.select(l.lt(saturated, x), one, slope);
        if !math::any(l, beyond) {
            return slope;
        }
        let far = math::exp_times::<R, L>(l, math::Sum::exact(l.add(x, one)), math::Sum::exact(x));
        l.select(beyond, far, slope)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        x.clone() * softplus(x).tanh()
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let gate = softplus(x.clone()).tanh();
        let slope = N::of(2.0) / (softplus(x.clone()).exp() + (-softplus(x.clone())).exp());
        let sigmoid = N::of(1.0) / (N::of(1.0) + (-x.clone()).exp());
        gate + x * slope.clone() * slope * sigmoid
    }

    fn turn(self) -> Option<f64> {
        Some(-1.192_431_214_515_1)
    }
}

fn softplus<N: Num>(x: N) -> N {
    let log = (-x.clone().abs()).exp().ln_1p();
    if x > N::of(0.0) { x + log } else { log }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Mish,
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
            Mish,
            &[(-INF, 0.0), (-1024.0, 0.0), (1024.0, 1.0), (INF, 1.0)],
        );
    }
}
