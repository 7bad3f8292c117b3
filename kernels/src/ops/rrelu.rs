use crate::ops::LeakyRelu;
use crate::prelude::*;

/// The randomized leaky rectifier (Xu, Wang, Chen & Li, 2015) as it is after training:
/// [`LeakyRelu`] with the mean of the slopes, `(lower + upper) / 2`.
///
/// `lower` and `upper` are any finite numbers, `lower` not above `upper`. The defaults, 1/8 and 1/3, are
/// PyTorch's.
///
/// | x | rrelu(x) |
/// |---|---|
/// | `x < 0`, `-∞` | as [`LeakyRelu`] of the mean slope, rounded once |
/// | `x > 0`, `±0`, `+∞` | `x` |
/// | NaN | the same NaN |
///
/// The derivative is 1 for `x > 0`, else the mean slope, at 0 and for NaN too. Unless the mean is negative,
/// the output tells it as well.
///
/// *Exact* (one rounding). The mean is rounded to a finite `f32` for `f32`, `f16` and `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rrelu {
    lower: f64,
    upper: f64,
}

parameters!(Rrelu { lower: 0.125 in FINITE, upper: 0.3333333333333333 in FINITE } where lower <= upper);

impl Rrelu {
    /// The smallest slope; finite, not above `upper`, default 1/8.
    pub const fn lower(self) -> f64 {
        self.lower
    }

    /// The largest slope; finite, default 1/3.
    pub const fn upper(self) -> f64 {
        self.upper
    }

    /// The leaky rectifier that this is: the mean of two finite slopes is finite. Not `f64::midpoint`: its
    /// branches stay in the loop, which on bf16 took up to 1.8 times as long (Zen 5, AVX2).
    #[inline(always)]
    const fn mean(self) -> LeakyRelu {
        let (sum, sum_of_halves) = (self.lower + self.upper, self.lower * 0.5 + self.upper * 0.5);
        LeakyRelu::unchecked(if sum.is_finite() {
            sum * 0.5
        } else {
            sum_of_halves
        })
    }
}

impl Unary for Rrelu {
    const FORMULA: &'static str = "x < 0 ? (lower + upper)/2·x : x";
    const ON_HALF: OnHalf = LeakyRelu::ON_HALF;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        self.mean().forward(x)
    }

    #[inline(always)]
    fn forward_half<X: Lane>(self, x: X) -> X {
        self.mean().forward_half(x)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        self.mean().derivative(x)
    }

    fn output_suffices<E: Float>(self) -> bool {
        self.mean().output_suffices::<E>()
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Rrelu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let mean = self.lower.midpoint(self.upper);
        LeakyRelu::unchecked(mean).oracle::<P, N>(x)
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let mean = self.lower.midpoint(self.upper);
        LeakyRelu::unchecked(mean).derivative_oracle::<P, N>(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        let quarter = Rrelu::new(0.0, 0.5).unwrap();
        outputs(
            quarter,
            &[
                (-INF, -INF),
                (-2.0, -0.5),
                (-0.0, -0.0),
                (0.0, 0.0),
                (2.0, 2.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        derivatives(
            quarter,
            &[(-1.0, 0.25), (-0.0, 0.25), (0.0, 0.25), (1.0, 1.0)],
        );
    }

    #[test]
    fn the_order_of_the_slopes_is_checked() {
        assert!(Rrelu::new(0.5, 0.25).is_err());
        assert!(Rrelu::new(0.25, 0.25).is_ok());
        assert_eq!(Rrelu::default().upper(), 1.0 / 3.0);
    }
}
