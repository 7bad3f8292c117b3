use crate::prelude::*;

/// The thresholded rectifier: `x > alpha ? x : 0` (Konda, Memisevic & Krueger, 2014).
///
/// The default `alpha`, 1, is ONNX's and Keras'. PyTorch has it as `Threshold(alpha, 0)`.
///
/// | x | thresholded_relu(x) |
/// |---|---|
/// | `x ≤ alpha`, `-∞` | `+0` |
/// | `x > alpha`, `+∞` | `x` |
/// | `±0` where `alpha ≥ 0` | `+0` |
/// | `-0.0` where `alpha < 0` | `-0.0` |
/// | NaN | the same NaN |
///
/// The derivative is 0 up to and at `alpha`, and 1 beyond and for NaN. Unless `alpha` is negative, the
/// output tells it as well.
///
/// *Exact*. `alpha` is any number but NaN, and is rounded to `f32` for `f32`, `f16` and `bf16`, if finite
/// to a finite one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdedRelu {
    alpha: f64,
}

parameters!(ThresholdedRelu { alpha: 1.0 in NUMBER });

impl ThresholdedRelu {
    /// What `x` must exceed to be kept; any number but NaN, default 1.
    pub const fn alpha(self) -> f64 {
        self.alpha
    }
}

impl Unary for ThresholdedRelu {
    const FORMULA: &'static str = "x > alpha ? x : 0";
    const ON_HALF: OnHalf = OnHalf::Select;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let out = x.le(x.parameter(self.alpha));
        out.select(x.splat(0.0), x)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let out = x.le(x.parameter(self.alpha));
        out.select(x.splat(0.0), x.splat(1.0))
    }

    fn output_suffices<E: Float>(self) -> bool {
        self.alpha >= 0.0
    }
}

#[cfg(feature = "oracle")]
impl Oracle for ThresholdedRelu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x <= N::of(P::value(self.alpha)) {
            N::of(0.0)
        } else {
            x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let low = x <= N::of(P::value(self.alpha));
        N::of(if low { 0.0 } else { 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            ThresholdedRelu::default(),
            &[
                (-INF, 0.0),
                (-2.0, 0.0),
                (-0.0, 0.0),
                (0.0, 0.0),
                (1.0, 0.0),
                (1.5, 1.5),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        let below = ThresholdedRelu::new(-1.0).unwrap();
        outputs(below, &[(-1.0, 0.0), (-0.5, -0.5), (-0.0, -0.0)]);
    }

    #[test]
    fn the_derivative_at_the_kink() {
        derivatives(
            ThresholdedRelu::default(),
            &[(-INF, 0.0), (1.0, 0.0), (1.5, 1.0), (INF, 1.0), (NAN, 1.0)],
        );
    }
}
