use crate::math::{
    DoubleWord, LINEAR, below_range, exp_minus_one, exp_or_one_8, exp_scaled, exp_tail, lift,
    unseen_square,
};
use crate::prelude::*;

/// The exponential linear unit: `x`, and below 0 `alpha·expm1(x)` (Clevert, Unterthiner & Hochreiter,
/// 2016).
///
/// The default `alpha`, 1, is PyTorch's, ONNX's, Keras' and JAX'.
///
/// | x | elu(x) |
/// |---|---|
/// | `-∞` | `-alpha`; so is what rounds to it, with `alpha` 1 below about -17.3 on `f32` and -37.4 on `f64` |
/// | `x < 0` | `alpha·expm1(x)`; `-0.0` for an `alpha` of 0 |
/// | `x > 0`, `±0`, `+∞` | `x` |
/// | NaN | the same NaN |
///
/// `alpha` is any number from -1e30 to 1e30. With a negative one, negative inputs give positive
/// outputs.
///
/// The derivative is 1 for `x > 0`, else `alpha·e^x`: `alpha` at 0, 0 at `-∞`, and for NaN a NaN. Unless
/// `alpha` is negative, the output tells it as well: it is `y + alpha` for `y ≤ 0`, accurate for `y`, so it
/// knows of `x` what `y` does (0 once `y` has become `-alpha`; where the dtype has no such number, 0 or what
/// rounding took from it).
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`. `alpha` is rounded to `f32` for `f32`, `f16` and `bf16`.
///
/// On `f32` with an `alpha` of 1, the bits of the derivative from the input are each backend's own: `avx512` and `avx2`
/// compute by a table of 8 powers.
///
/// ```
/// use halfwave::Elu;
///
/// assert!(Elu::new(0.5).is_ok());
/// let error = Elu::new(f64::NAN).unwrap_err().to_string();
/// assert!(error.starts_with("alpha is NaN; it must be "));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    alpha: f64,
}

parameters!(Elu { alpha: 1.0 in MODERATE });

impl Elu {
    /// α: minus the limit on the left; finite, default 1.
    pub fn alpha(self) -> f64 {
        self.alpha
    }
}

impl Unary for Elu {
    const FORMULA: &'static str = "x < 0 ? alpha·expm1(x) : x";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let zero = x.splat(0.0);
        let (v, end) = if self.alpha == 1.0 {
            let linear = x.splat(LINEAR);
            (x.min(linear), linear)
        } else {
            // e^x of positive numbers is not needed, and may be slow: they become zero.
            (x.min(zero), zero)
        };
        let y = exp_minus_one(DoubleWord::exact(v));
        let y = if self.alpha == 1.0 {
            y.high
        } else {
            // Zero times that is -0.0. Where this is selected, expm1 is negative, so the sign is that of -α.
            // Asking y·α for its sign, which is the same, made this 1.1 times as slow on SSE2.
            let (alpha, sign) = (x.parameter(self.alpha), x.parameter(-self.alpha));
            let lift = lift(self.alpha);
            let y = (y * (alpha * x.splat(lift))).rounded() * x.splat(1.0 / lift);
            y.copysign(sign)
        };
        x.lt(end).select(y, x)
    }

    #[inline(always)]
    fn unseen<X: Lane>(self, x: X, y: X) -> X {
        // α·(x + x²/2), and far on the left -α·(1 - e^x).
        let alpha = X::Precision::value(self.alpha);
        let far = x.lt(x.splat(-36.0));
        far.select(
            x.splat(alpha * f64::EPSILON),
            unseen_square(alpha / 2.0, x, y),
        )
    }

    // x > 0 ? 1 : α·e^x
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let (zero, one) = (x.splat(0.0), x.splat(1.0));
        let v = DoubleWord::exact(zero.min(x));
        let slope = exp_scaled(x.parameter(self.alpha), v, below_range(x));
        zero.lt(x).select(one, slope)
    }

    // The derivative alone.
    #[inline(always)]
    fn in_pieces(self) -> bool {
        self.alpha == 1.0
    }

    const DERIVATIVE_ENTRIES: usize = 8;

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        exp_or_one_8(x)
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        exp_tail(x.splat(1.0), x.abs())
    }

    // y > 0 ? 1 : y + α, which is not negative, though y was rounded to less than -α. No dtype rounds -1.
    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        let (zero, one) = (y.splat(0.0), y.splat(1.0));
        let mut slope = y + y.parameter(self.alpha);
        if self.alpha != 1.0 {
            slope = zero.max(slope);
        }
        zero.lt(y).select(one, slope)
    }

    // With a negative α, both halves of the line give positive outputs; and -α must be a number of the dtype.
    fn output_suffices<E: Float>(self) -> bool {
        self.alpha >= 0.0 && E::from_f64(self.alpha).to_f64() < f64::INFINITY
    }
}

#[cfg(feature = "oracle")]
use crate::oracle::not_negative;

#[cfg(feature = "oracle")]
impl Oracle for Elu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x < N::of(0.0) {
            N::of(P::value(self.alpha)) * x.exp_m1()
        } else {
            x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x > N::of(0.0) {
            N::of(1.0)
        } else {
            N::of(P::value(self.alpha)) * x.exp()
        }
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        if y > N::of(0.0) {
            N::of(1.0)
        } else {
            not_negative(y + N::of(P::value(self.alpha)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, beside_a_middle, derivatives, outputs};

    #[test]
    fn an_alpha_on_the_middle_between_two_numbers_is_not_reached() {
        let op = Elu::new(1.0 + 3.0 / 256.0).unwrap();
        beside_a_middle(op, -50.0, -1.0 - 2.0 / 256.0);
    }

    #[test]
    fn the_documented_table() {
        outputs(
            Elu::default(),
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
            Elu::default(),
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
    fn a_large_alpha() {
        outputs(
            Elu::new(2.0).unwrap(),
            &[
                (-INF, -2.0),
                (-1024.0, -2.0),
                (-0.0, -0.0),
                (0.0, 0.0),
                (3.0, 3.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        derivatives(
            Elu::new(2.0).unwrap(),
            &[
                (-INF, 0.0),
                (-1024.0, 0.0),
                (-0.0, 2.0),
                (0.0, 2.0),
                (3.0, 1.0),
                (INF, 1.0),
            ],
        );
    }

    #[test]
    fn a_negative_alpha() {
        outputs(
            Elu::new(-1.0).unwrap(),
            &[
                (-INF, 1.0),
                (-1024.0, 1.0),
                (-0.0, -0.0),
                (0.0, 0.0),
                (3.0, 3.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        derivatives(
            Elu::new(-1.0).unwrap(),
            &[
                (-INF, 0.0),
                (-1024.0, 0.0),
                (-0.0, -1.0),
                (0.0, -1.0),
                (3.0, 1.0),
                (INF, 1.0),
            ],
        );
    }

    #[test]
    fn an_alpha_of_zero() {
        outputs(
            Elu::new(0.0).unwrap(),
            &[
                (-INF, -0.0),
                (-1024.0, -0.0),
                (-1.0, -0.0),
                (-0.0, -0.0),
                (0.0, 0.0),
                (3.0, 3.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        derivatives(
            Elu::new(0.0).unwrap(),
            &[
                (-INF, 0.0),
                (-1.0, 0.0),
                (-0.0, 0.0),
                (0.0, 0.0),
                (3.0, 1.0),
                (INF, 1.0),
            ],
        );
    }

    #[test]
    fn parameters_that_cannot_be_meant_are_refused() {
        for value in [1e39, -1e39, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert!(Elu::new(value).is_err(), "{value}");
        }
    }
}
