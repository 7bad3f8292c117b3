use crate::math::{DoubleWord, exp_minus_one, exp_scaled};
use crate::prelude::*;

/// The continuously differentiable elu: `x`, and below 0 `alpha·expm1(x/alpha)` (Barron, 2017). With the
/// default `alpha`, 1, it is [`Elu`](crate::Elu).
///
/// That default is PyTorch's, ONNX's, Keras' and JAX'.
///
/// | x | celu(x) |
/// |---|---|
/// | `-∞` | `-alpha`; so is what rounds to it, below about `-17.3·alpha` on `f32` and `-37.4·alpha` on `f64` |
/// | `x < 0` | `alpha·expm1(x/alpha)` |
/// | `x > 0`, `±0`, `+∞` | `x` |
/// | NaN | the same NaN |
///
/// `alpha` is from 1e-30 to 1e30. (PyTorch takes a
/// negative one too, with which the function falls without end on the left.)
///
/// The derivative is 1 for `x > 0`, else `e^(x/alpha)`: 1 at 0 from both sides, 0 at `-∞`, and for NaN a NaN.
/// The output tells it as well: it is `(y + alpha)/alpha` for `y ≤ 0`, accurate for `y`, so it knows of `x`
/// what `y` does (0 once `y` has become `-alpha`).
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`. `alpha` is rounded to `f32` for `f32`, `f16` and `bf16`.
///
/// ```
/// use halfwave::Celu;
///
/// assert!(Celu::new(0.5).is_ok());
/// let error = Celu::new(-1.0).unwrap_err().to_string();
/// assert!(error.starts_with("alpha is -1; it must be from 1e-30"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Celu {
    alpha: f64,
}

parameters!(Celu { alpha: 1.0 in POSITIVE });

impl Celu {
    /// α: minus the limit on the left, and how slowly it is approached; positive, default 1.
    pub fn alpha(self) -> f64 {
        self.alpha
    }

    /// x/α for x ≤ 0, and what it lost; no further than where e to it has vanished.
    #[inline(always)]
    fn argument<X: Lane>(self, x: X) -> DoubleWord<X> {
        if self.alpha == 1.0 {
            return DoubleWord::exact(x);
        }
        let alpha = x.parameter(self.alpha);
        let last = alpha * x.splat(-2.0 * X::CONSTANTS.range);
        (DoubleWord::exact(last.max(x)) / DoubleWord::exact(alpha)).double_word()
    }
}

/// 2^-60: expm1 of less is its argument, on every dtype.
const SMALL: f64 = 1.0 / (1u64 << 60) as f64;

impl Unary for Celu {
    const FORMULA: &'static str = "x < 0 ? alpha·expm1(x/alpha) : x";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let v = self.argument(x);
        let y = exp_minus_one(v);
        let y = if self.alpha == 1.0 {
            y.high
        } else {
            let y = (y * x.parameter(self.alpha)).rounded();
            // Where x/α is so small that it may have lost digits, the result is x.
            v.high.abs().lt(x.splat(SMALL)).select(x, y)
        };
        x.lt(x.splat(0.0)).select(y, x)
    }

    // Far on the left it is -α·(1 - e^(x/α)).
    #[inline(always)]
    fn unseen<X: Lane>(self, x: X, _y: X) -> X {
        let alpha = x.parameter(self.alpha);
        let far = (x / alpha).lt(x.splat(-36.0));
        far.select(alpha * x.splat(f64::EPSILON), x.splat(0.0))
    }

    // x > 0 ? 1 : e^(x/α)
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let (zero, one) = (x.splat(0.0), x.splat(1.0));
        let slope = exp_scaled(one, self.argument(x));
        zero.lt(x).select(one, slope)
    }

    // y > 0 ? 1 : (y + α)/α
    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        let (zero, one) = (y.splat(0.0), y.splat(1.0));
        let alpha = y.parameter(self.alpha);
        zero.lt(y).select(one, (y + alpha) / alpha)
    }

    // -α must be a number of the dtype, or near one: not infinity, nor one of few subnormal ones.
    fn output_suffices<E: Float>(self) -> bool {
        let rounded = E::from_f64(self.alpha).to_f64();
        (rounded - self.alpha).abs() <= self.alpha / 128.0
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Celu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let alpha = N::of(P::value(self.alpha));
        if x < N::of(0.0) {
            alpha.clone() * (x / alpha).exp_m1()
        } else {
            x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x > N::of(0.0) {
            N::of(1.0)
        } else {
            (x / N::of(P::value(self.alpha))).exp()
        }
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        if y > N::of(0.0) {
            N::of(1.0)
        } else {
            let alpha = N::of(P::value(self.alpha));
            (y + alpha.clone()) / alpha
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, beside_a_middle, derivatives, outputs};

    #[test]
    fn an_alpha_on_the_middle_between_two_numbers_is_not_reached() {
        let op = Celu::new(1.0 + 3.0 / 256.0).unwrap();
        beside_a_middle(op, -50.0, -1.0 - 2.0 / 256.0);
    }

    #[test]
    fn the_documented_table() {
        outputs(
            Celu::default(),
            &[
                (-INF, -1.0),
                (-1024.0, -1.0),
                (-0.0, -0.0),
                (0.0, 0.0),
                (3.0, 3.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative() {
        derivatives(
            Celu::default(),
            &[
                (-INF, 0.0),
                (-1024.0, 0.0),
                (-0.0, 1.0),
                (0.0, 1.0),
                (3.0, 1.0),
                (INF, 1.0),
            ],
        );
    }

    #[test]
    fn other_alphas() {
        for alpha in [0.5, 2.0, 0.25] {
            outputs(
                Celu::new(alpha).unwrap(),
                &[
                    (-INF, -alpha),
                    (-4096.0, -alpha),
                    (-0.0, -0.0),
                    (0.0, 0.0),
                    (3.0, 3.0),
                    (INF, INF),
                    (NAN, NAN),
                    (-NAN, -NAN),
                ],
            );
            derivatives(
                Celu::new(alpha).unwrap(),
                &[
                    (-INF, 0.0),
                    (-4096.0, 0.0),
                    (-0.0, 1.0),
                    (0.0, 1.0),
                    (3.0, 1.0),
                    (INF, 1.0),
                ],
            );
        }
    }

    #[test]
    fn the_smallest_and_the_largest_alpha() {
        derivatives(
            Celu::new(2f64.powi(-99)).unwrap(),
            &[(-INF, 0.0), (-1.0, 0.0), (-0.0, 1.0), (3.0, 1.0)],
        );
        outputs(
            Celu::new(1e30).unwrap(),
            &[
                (-0.0, -0.0),
                (0.0, 0.0),
                (3.0, 3.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        derivatives(
            Celu::new(1e30).unwrap(),
            &[(-INF, 0.0), (-1.0, 1.0), (0.0, 1.0)],
        );
    }

    #[test]
    fn parameters_that_cannot_be_meant_are_refused() {
        for value in [0.0, -1.0, 1e-39, 1e39, f64::INFINITY, f64::NAN] {
            assert!(Celu::new(value).is_err(), "{value}");
        }
    }
}
