use crate::math::{
    DoubleWord, Exp, exp, exp_times, is_tiny, mish_32, mish_slope_32, mish_slope_tail, mish_tail,
};
use crate::prelude::*;

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
///
/// On `f32`, `avx512` computes it and its derivative by 32 cells: its bits are not those of the other backends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mish;

parameters!(Mish);

/// From here on, mish is x, and its derivative 1, on every dtype.
const SATURATED: f64 = 44.0;

/// n and d = n + 2, of which n/d = tanh(softplus(x)): n = t·(t + 2) with t = e^x.
#[inline(always)]
fn gate<X: Lane>(t: Exp<X>) -> (DoubleWord<X>, DoubleWord<X>) {
    let two = DoubleWord::exact(t.scale.splat(2.0));
    let n = t.value() * t.plus(2.0);
    (n, n + two)
}

/// The lanes in which the square of e^x is no normal number.
#[inline(always)]
fn beyond<X: Lane>(x: X) -> X::Mask {
    x.lt(x.splat(X::CONSTANTS.range / -2.0))
}

impl Unary for Mish {
    const FORMULA: &'static str = "x·tanh(softplus(x))";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Double;
    const COMPUTE_BOUND: bool = true;
    const FORWARD_ENTRIES: usize = 32;

    // x·n/d, and x·t where t vanishes beside 1.
    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let saturated = x.splat(SATURATED);
        let beyond = beyond(x);
        let near = DoubleWord::exact(saturated.min(x)).lifted_unless(beyond);
        let (n, d) = gate(exp(near));
        // There it is 0.6·x, and what the quotient lacks of that may be subnormal.
        let tiny = is_tiny(x);
        let factor = if tiny.any() {
            tiny.select(x.splat(0.0), x)
        } else {
            x
        };
        // The correction of the quotient would make +0 of -0.0.
        let y = (n * factor / d).rounded().copysign(x);
        let mut y = saturated.lt(x).select(x, y);
        if tiny.any() {
            y = tiny.select(x * x.splat(0.6), y);
        }
        if !beyond.any() {
            return y;
        }
        let far = exp_times(DoubleWord::exact(x), DoubleWord::exact(x));
        beyond.select(far, y)
    }

    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        mish_32(x)
    }

    #[inline(always)]
    fn far<X: PieceLane>(self, x: X) -> X {
        mish_tail(x).copysign(x)
    }

    // n/d + x·4t(t + 1)/d², and (1 + x)·t where t vanishes beside 1.
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let one = x.splat(1.0);
        let saturated = x.splat(SATURATED);
        let beyond = beyond(x);
        let near = DoubleWord::exact(saturated.min(x)).lifted_unless(beyond);
        let t = exp(near);
        let (n, d) = gate(t);
        let four_x = x.splat(4.0) * near.high;
        let top = n * d + t.value() * t.plus(1.0) * four_x;
        let slope = (top / (d * d)).rounded();
        let slope = saturated.lt(x).select(one, slope);
        if !beyond.any() {
            return slope;
        }
        let far = exp_times(DoubleWord::exact(x + one), DoubleWord::exact(x));
        beyond.select(far, slope)
    }

    const DERIVATIVE_ENTRIES: usize = 32;

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        mish_slope_32(x)
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        mish_slope_tail(x.abs())
    }

    fn stationary_point(self) -> Option<f64> {
        Some(-1.192_431_214_515_1)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Mish {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        x.clone() * softplus(x).tanh()
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let gate = softplus(x.clone()).tanh();
        let slope = N::of(2.0) / (softplus(x.clone()).exp() + (-softplus(x.clone())).exp());
        let sigmoid = N::of(1.0) / (N::of(1.0) + (-x.clone()).exp());
        gate + x * slope.clone() * slope * sigmoid
    }
}

#[cfg(feature = "oracle")]
fn softplus<N: OracleNumber>(x: N) -> N {
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
