use crate::math::{
    DoubleWord, LINEAR, beyond_range, down_to_minus_one, exp, exp_minus_one, exp_or_one_8,
    exp_scaled, exp_tail, exp_times, lift,
};
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
/// `alpha` is from 1e-30 to 1e30, or from -1e30 to -1e-30. With a negative one, as ONNX and PyTorch have it
/// too, the formula is the same, and falls without end on the left: `-∞` gives `-∞`.
///
/// The derivative is 1 for `x > 0`, else `e^(x/alpha)`: 1 at 0 from both sides, 0 at `-∞` (for a negative `alpha`
/// `+∞`), and for NaN a NaN. The output tells it as well: it is `(y + alpha)/alpha` for `y ≤ 0`, accurate for `y`,
/// so it knows of `x` what `y` does. (Once `y` has become `-alpha`, that is 0; where the dtype has no such number,
/// 0 or what rounding took from it.) It does not where `-alpha` is no number of `f16` or `bf16`, nor near one, nor
/// where `alpha` is below -1, because the output is infinite then before the derivative is.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`. `alpha` is rounded to `f32` for `f32`, `f16` and `bf16`.
///
/// On `f32` with an `alpha` of 1, the bits of the derivative from the input are each backend's own: `avx512` and `avx2`
/// compute by a table of 8 powers.
///
/// ```
/// use halfwave::Celu;
///
/// assert!(Celu::new(0.5).is_ok() && Celu::new(-0.5).is_ok());
/// let error = Celu::new(0.0).unwrap_err().to_string();
/// assert!(error.starts_with("alpha is 0; it must be from -1e30 to 1e30, and at least 1e-30 from 0"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Celu {
    alpha: f64,
}

parameters!(Celu { alpha: 1.0 in NOT_ZERO });

impl Celu {
    /// α: minus the limit on the left, and how slowly it is approached, if positive; default 1.
    pub fn alpha(self) -> f64 {
        self.alpha
    }

    /// x/α for x ≤ 0, and what it lost; no further than where e to it has vanished, or α times that is
    /// infinite.
    #[inline(always)]
    fn argument<X: Lane>(self, x: X) -> DoubleWord<X> {
        let lift = x.splat(lift(self.alpha));
        let alpha = x.parameter(self.alpha) * lift;
        let last = alpha.abs() * x.splat(-2.0 * X::CONSTANTS.range);
        let x = last.max(x * lift);
        (DoubleWord::exact(x) / DoubleWord::exact(alpha)).double_word()
    }
}

impl Celu {
    /// `y` = α·expm1(v); with a negative α, where e<sup>v</sup> is no normal number too.
    #[inline(always)]
    fn falling<X: Lane>(self, v: DoubleWord<X>, y: X) -> X {
        if self.alpha > 0.0 {
            return y;
        }
        // Of a product that is infinite, what it lost is a NaN.
        let y = y.le(y.splat(0.0)).select(y, y.splat(f64::NEG_INFINITY));
        let beyond = beyond_range(v.high);
        if !beyond.any() {
            return y;
        }
        // A large α comes last, lest it be infinite on the way.
        let last = if self.alpha < -1.0 { LARGE } else { 1.0 };
        let alpha = y.parameter(self.alpha) * y.splat(1.0 / last);
        let far = exp_times(DoubleWord::exact(alpha), v) * y.splat(last);
        beyond.select(far, y)
    }
}

/// e<sup>v</sup> − 1 for v ≥ 0, from `e`, which is that with a larger error: for v just above ln(2)/2 it was made as
/// 2·(e<sup>r</sup> − ½), and the difference is less than a third of e<sup>r</sup>, whose error so counts more than three
/// times: up to 1.07 ulps of `f32`. (e<sup>v/2</sup> − 1)·(e<sup>v/2</sup> + 1) does not cancel so.
#[inline(always)]
fn rising<X: Lane>(v: DoubleWord<X>, e: DoubleWord<X>) -> DoubleWord<X> {
    let half = v.scaled(v.high.splat(0.5));
    let root = exp(half).minus_one_of_any();
    let by_half = root * (root + DoubleWord::exact(v.high.splat(2.0)));
    let small = v.high.lt(v.high.splat(0.45));
    let low = small.select(by_half.low_or_zero(), e.low_or_zero());
    DoubleWord::compensated(small.select(by_half.high, e.high), low)
}

/// 2^100, about the largest magnitude of α.
const LARGE: f64 = (1u128 << 100) as f64;

impl Unary for Celu {
    const FORMULA: &'static str = "x < 0 ? alpha·expm1(x/alpha) : x";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        if self.alpha == 1.0 {
            let linear = x.splat(LINEAR);
            let y = exp_minus_one(DoubleWord::exact(x.min(linear))).high;
            return x.lt(linear).select(y, x);
        }
        let v = self.argument(x);
        let (alpha, lift) = (x.parameter(self.alpha), lift(self.alpha));
        let e = exp(down_to_minus_one(v)).minus_one_of_any();
        let e = if self.alpha < 0.0 { rising(v, e) } else { e };
        let y = e * (alpha * x.splat(lift));
        let y = y.rounded() * x.splat(1.0 / lift);
        // Where x/α is so small that it, or its product with α, may have lost digits, the result is x, but for 1/128 of an
        // ulp. (With α from 2^-76 on, that is wherever the result is below 2^-106 on `f32`.)
        let small = 1.0 / (128.0 * X::CONSTANTS.shift);
        let y = v.high.abs().lt(x.splat(small)).select(x, y);
        x.lt(x.splat(0.0)).select(self.falling(v, y), x)
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
        let right = zero.lt(x);
        let x = right.select(zero, x);
        let slope = if self.alpha == 1.0 {
            exp_scaled(one, DoubleWord::exact(x), beyond_range(x))
        } else {
            let v = self.argument(x);
            exp_scaled(one, v, beyond_range(v.high))
        };
        right.select(one, slope)
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

    // y > 0 ? 1 : (y + α)/α, which is not negative, though y was rounded to less than -α. No dtype rounds -1.
    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        let (zero, one) = (y.splat(0.0), y.splat(1.0));
        let alpha = y.parameter(self.alpha);
        let mut slope = (y + alpha) / alpha;
        if self.alpha != 1.0 {
            slope = zero.max(slope);
        }
        zero.lt(y).select(one, slope)
    }

    #[inline(always)]
    fn derivative_overflows(self) -> bool {
        self.alpha < 0.0
    }

    // -α must be a number of the dtype, or near one: not infinity, nor one of few subnormal ones. A negative
    // α must not make y infinite before e^(x/α) is.
    fn output_suffices<E: Float>(self) -> bool {
        if self.alpha < 0.0 {
            return self.alpha >= -1.0;
        }
        let rounded = E::from_f64(self.alpha).to_f64();
        (rounded - self.alpha).abs() <= self.alpha / 128.0
    }
}

/// x/α, but no further than where e to it is beyond all dtypes.
#[cfg(feature = "oracle")]
fn argument<N: OracleNumber>(x: N, alpha: N) -> N {
    let (v, last) = (x / alpha, N::of(1e4));
    if v > last { last } else { v }
}

#[cfg(feature = "oracle")]
impl Oracle for Celu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let alpha = N::of(P::value(self.alpha));
        if x < N::of(0.0) {
            alpha.clone() * argument(x, alpha).exp_m1()
        } else {
            x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x > N::of(0.0) {
            N::of(1.0)
        } else {
            argument(x, N::of(P::value(self.alpha))).exp()
        }
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        if y > N::of(0.0) {
            N::of(1.0)
        } else {
            let alpha = N::of(P::value(self.alpha));
            crate::oracle::not_negative((y + alpha.clone()) / alpha)
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
    fn a_negative_alpha_falls_without_end() {
        let minus_one = Celu::new(-1.0).unwrap();
        outputs(
            minus_one,
            &[
                (-INF, -INF),
                (-1024.0, -INF),
                (-0.0, -0.0),
                (0.0, 0.0),
                (3.0, 3.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        derivatives(
            minus_one,
            &[
                (-INF, INF),
                (-1024.0, INF),
                (-0.0, 1.0),
                (0.0, 1.0),
                (INF, 1.0),
            ],
        );
        let suffices = |alpha| Celu::new(alpha).unwrap().output_suffices::<f32>();
        assert!(suffices(-1.0) && suffices(-0.1) && !suffices(-2.0));
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
        for value in [
            0.0,
            -0.0,
            1e-39,
            -1e-39,
            1e39,
            -1e39,
            f64::INFINITY,
            f64::NAN,
        ] {
            assert!(Celu::new(value).is_err(), "{value}");
        }
    }
}
