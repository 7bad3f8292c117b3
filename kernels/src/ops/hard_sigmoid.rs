use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::num::Num;
use crate::ops::{FromOutput, Unary};
use crate::parameters::parameters;

/// The piecewise-linear sigmoid: `alpha·x + beta`, clipped to `[0, 1]` (Courbariaux, Bengio & David,
/// 2015).
///
/// The defaults, 1/6 and 0.5, are PyTorch's and Keras' `relu6(x + 3)/6`. ONNX's default `alpha` is 0.2, which
/// older versions of Keras have too.
///
/// | x | hard_sigmoid(x) |
/// |---|---|
/// | `x ≤ -beta/alpha` (−3), `-∞` | `+0` |
/// | `x ≥ (1 - beta)/alpha` (3), `+∞` | 1 |
/// | `±0` | `beta`, clipped |
/// | NaN | the same NaN |
///
/// `alpha` is from 1e-30 to 1e30, `beta` from -1e30 to 1e30.
///
/// The derivative is `alpha` strictly between the two ends, and 0 elsewhere and for NaN, as PyTorch.
/// The output tells it as well: it is `alpha` where that is neither 0 nor 1. (Just below the upper end
/// it may be 1 already.)
///
/// At most 1 ulp on `f32` and `f64`, at the lower end too, where `x·alpha + beta` would lose all its
/// bits; correctly rounded on `f16` and `bf16`. (With a negative `beta` at most 1.5 ulps.) What is
/// rounded to the precision of the lanes are `1/alpha` and `beta/alpha`, 6 and 3 by default, and
/// `beta`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardSigmoid {
    alpha: f64,
    beta: f64,
}

parameters!(HardSigmoid { alpha: 0.16666666666666666 in (1e-30, 1e30), beta: 0.5 in (-1e30, 1e30) });

impl HardSigmoid {
    /// The slope.
    pub fn alpha(self) -> f64 {
        self.alpha
    }

    /// The value at 0.
    pub fn beta(self) -> f64 {
        self.beta
    }

    /// `beta/alpha`: the lower end with its sign turned.
    #[inline(always)]
    fn shift(self) -> f64 {
        self.beta / self.alpha
    }

    /// The upper end.
    #[inline(always)]
    fn upper(self) -> f64 {
        (1.0 - self.beta) / self.alpha
    }

    /// Below it, `(x + shift) · alpha`, above it, `x · alpha + beta`.
    ///
    /// For a positive shift: from twice the lower end to half of it, `x + shift` is exact
    /// (Sterbenz), so only the division rounds: half an ulp. From there on `y ≥ beta/2`, the
    /// quotient `q = x·alpha` is no larger than `y`, and `y = q + beta` adds half an ulp to the
    /// half ulp of `q`: at most 1 ulp, and with the defaults, where `q` is below the binade of `y`,
    /// at most 3/4. For a negative one the sum is exact up to twice the lower end, and
    /// beyond it is the quotient of something rounded: at most 1.5 ulps.
    #[inline(always)]
    fn middle<R: Real>(self) -> f64 {
        let shift = R::value(self.shift());
        if shift < 0.0 {
            f64::INFINITY
        } else {
            -shift / 2.0
        }
    }
}

impl Unary for HardSigmoid {
    const FORMULA: &'static str = "min(max(alpha·x + beta, 0), 1)";
    const ULPS: i32 = 1;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let low = l.lt(x, l.splat(R::of(self.middle::<R>())));
        let x = l.select(low, l.add(x, l.splat(R::of(self.shift()))), x);
        let q = l.div(x, l.splat(R::of(1.0 / self.alpha)));
        let y = l.select(low, q, l.add(q, l.splat(R::of(self.beta))));
        l.min(l.splat(R::of(1.0)), l.max(l.splat(R::of(0.0)), y))
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let zero = l.splat(R::of(0.0));
        let below = l.lt(x, l.splat(R::of(self.upper())));
        let inside = l.select(below, l.splat(R::of(self.alpha)), zero);
        l.select(l.lt(l.splat(R::of(-self.shift())), x), inside, zero)
    }

    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        let zero = l.splat(R::of(0.0));
        let inside = l.select(
            l.lt(y, l.splat(R::of(1.0))),
            l.splat(R::of(self.alpha)),
            zero,
        );
        l.select(l.lt(zero, y), inside, zero)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let (shift, divisor) = (R::value(self.shift()), R::value(1.0 / self.alpha));
        let y = if x < N::of(self.middle::<R>()) {
            (x + N::of(shift)) / N::of(divisor)
        } else {
            x / N::of(divisor) + N::of(R::value(self.beta))
        };
        if y <= N::of(0.0) {
            N::of(0.0)
        } else if y >= N::of(1.0) {
            N::of(1.0)
        } else {
            y
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let (lower, upper) = (R::value(-self.shift()), R::value(self.upper()));
        let inside = x > N::of(lower) && x < N::of(upper);
        N::of(if inside { R::value(self.alpha) } else { 0.0 })
    }

    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
        let inside = y > N::of(0.0) && y < N::of(1.0);
        N::of(if inside { R::value(self.alpha) } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            HardSigmoid::default(),
            &[
                (-INF, 0.0),
                (-4.0, 0.0),
                (-3.0, 0.0),
                (-1.5, 0.25),
                (-0.0, 0.5),
                (0.0, 0.5),
                (1.5, 0.75),
                (3.0, 1.0),
                (4.0, 1.0),
                (INF, 1.0),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        let quarter = HardSigmoid::new(0.25, -1.0).unwrap();
        outputs(
            quarter,
            &[
                (-INF, 0.0),
                (0.0, 0.0),
                (4.0, 0.0),
                (5.0, 0.25),
                (8.0, 1.0),
                (INF, 1.0),
            ],
        );
        for (alpha, beta) in [(1e30, 1e30), (1e-30, 1e30), (1e30, -1e30), (1e-30, -1e30)] {
            let extreme = HardSigmoid::new(alpha, beta).unwrap();
            outputs(extreme, &[(-INF, 0.0), (INF, 1.0), (NAN, NAN)]);
        }
    }

    #[test]
    fn the_derivative_at_the_kinks() {
        derivatives(
            HardSigmoid::new(0.25, 0.5).unwrap(),
            &[
                (-INF, 0.0),
                (-2.0, 0.0),
                (0.0, 0.25),
                (1.75, 0.25),
                (2.0, 0.0),
                (NAN, 0.0),
            ],
        );
    }
}
