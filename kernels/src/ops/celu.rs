use crate::element::{Float, Real};
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, FromOutput, Unary};
use crate::parameters::{POSITIVE, parameters};

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
/// use halfwave_kernels::Celu;
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
}

impl Celu {
    /// x/α for x ≤ 0, and what it lost; no further than where e to it has vanished.
    #[inline(always)]
    fn argument<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> math::Sum<L::V> {
        if self.alpha == 1.0 {
            return math::Sum::exact(x);
        }
        let alpha = l.splat(R::of(self.alpha));
        let last = l.mul(alpha, math::constant::<R, L>(l, -2.0 * R::MATH.range));
        let finite = l.max(last, x);
        let v = math::quotient::<R, L>(l, math::Sum::exact(finite), math::Sum::exact(alpha));
        v.sum::<R, L>(l)
    }
}

/// 2^-60: expm1 of less is its argument, on every dtype.
const SMALL: f64 = 1.0 / (1u64 << 60) as f64;

impl Unary for Celu {
    const FORMULA: &'static str = "x < 0 ? alpha·expm1(x/alpha) : x";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let v = self.argument::<R, L>(l, x);
        let y = math::exp_minus_one::<R, L>(l, v);
        let y = if self.alpha == 1.0 {
            y.high
        } else {
            let y = math::product_of_sum::<R, L>(l, l.splat(R::of(self.alpha)), y);
            // Where x/α is so small that it may have lost digits, the result is x.
            let small = l.lt(l.abs(v.high), math::constant::<R, L>(l, SMALL));
            l.select(small, x, y.rounded::<R, L>(l))
        };
        l.select(l.lt(x, math::constant::<R, L>(l, 0.0)), y, x)
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let one = math::constant::<R, L>(l, 1.0);
        let slope = math::exp_scaled::<R, L>(l, one, self.argument::<R, L>(l, x));
        l.select(l.lt(math::constant::<R, L>(l, 0.0), x), one, slope)
    }

    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        let (one, alpha) = (math::constant::<R, L>(l, 1.0), l.splat(R::of(self.alpha)));
        let slope = l.div(l.add(y, alpha), alpha);
        l.select(l.lt(math::constant::<R, L>(l, 0.0), y), one, slope)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let alpha = N::of(R::value(self.alpha));
        if x < N::of(0.0) {
            alpha.clone() * (x / alpha).exp_m1()
        } else {
            x
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        if x > N::of(0.0) {
            N::of(1.0)
        } else {
            (x / N::of(R::value(self.alpha))).exp()
        }
    }

    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
        if y > N::of(0.0) {
            N::of(1.0)
        } else {
            let alpha = N::of(R::value(self.alpha));
            (y + alpha.clone()) / alpha
        }
    }

    // -α must be a number of the dtype, or near one: not infinity, nor one of few subnormal ones.
    fn output_suffices<E: Float>(self) -> bool {
        let rounded = E::from_f64(self.alpha).to_f64();
        (rounded - self.alpha).abs() <= self.alpha / 128.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

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
