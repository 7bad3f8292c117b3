use crate::prelude::*;

/// ONNX's `Shrink`: `x < -lambd ? x + bias : x > lambd ? x - bias : 0`.
///
/// The defaults, a `lambd` of 0.5 and a `bias` of 0, are ONNX's. With no bias it is
/// [`HardShrink`](crate::HardShrink), with a bias of `lambd` it is
/// [`SoftShrink`](crate::SoftShrink).
///
/// | x | shrink(x) |
/// |---|---|
/// | `x < -lambd`, `-∞` | `x + bias`, rounded once |
/// | `\|x\| ≤ lambd`, `-0.0` too | `+0` |
/// | `x > lambd`, `+∞` | `x - bias`, rounded once |
/// | both `x < -lambd` and `x > lambd`, for a negative `lambd` | `x + bias` |
/// | NaN | the same NaN |
///
/// The derivative is 0 where the third case of the formula holds, and 1 elsewhere and for NaN. The
/// output does not tell it: with a bias, numbers outside may become zero too.
///
/// *Exact* (one rounding). The parameters are any finite numbers, and are rounded to finite `f32`s for `f32`,
/// `f16` and `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shrink {
    lambd: f64,
    bias: f64,
}

parameters!(Shrink { lambd: 0.5 in FINITE, bias: 0.0 in FINITE });

impl Shrink {
    /// The end of the dead zone; finite, default 0.5.
    pub const fn lambd(self) -> f64 {
        self.lambd
    }

    /// How far the numbers outside it are moved towards zero; finite, default 0.
    pub const fn bias(self) -> f64 {
        self.bias
    }
}

impl Unary for Shrink {
    const FORMULA: &'static str = "x < -lambd ? x + bias : x > lambd ? x - bias : 0";
    const ON_HALF: OnHalf = OnHalf::Once;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let bias = x.parameter(self.bias);
        let dead = x.le(x.parameter(self.lambd));
        let not_below = dead.select(x.splat(0.0), x - bias);
        let below = x.lt(x.parameter(-self.lambd));
        below.select(x + bias, not_below)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let one = x.splat(1.0);
        let dead = x.le(x.parameter(self.lambd));
        let not_below = dead.select(x.splat(0.0), one);
        x.lt(x.parameter(-self.lambd)).select(one, not_below)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Shrink {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let (lambd, bias) = (P::value(self.lambd), P::value(self.bias));
        if x < N::of(-lambd) {
            x + N::of(bias)
        } else if x <= N::of(lambd) {
            N::of(0.0)
        } else {
            x - N::of(bias)
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let lambd = P::value(self.lambd);
        let dead = x >= N::of(-lambd) && x <= N::of(lambd);
        N::of(if dead { 0.0 } else { 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Shrink::new(0.5, 0.25).unwrap(),
            &[
                (-INF, -INF),
                (-0.75, -0.5),
                (-0.5, 0.0),
                (-0.0, 0.0),
                (0.0, 0.0),
                (0.5, 0.0),
                (0.75, 0.5),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        outputs(
            Shrink::default(),
            &[(-0.75, -0.75), (0.25, 0.0), (0.75, 0.75)],
        );
        let overlapping = Shrink::new(-1.0, 2.0).unwrap();
        outputs(
            overlapping,
            &[(-2.0, 0.0), (0.5, 2.5), (1.0, -1.0), (2.0, 0.0)],
        );
    }

    #[test]
    fn the_derivative_at_the_kinks() {
        derivatives(
            Shrink::new(0.5, 0.25).unwrap(),
            &[
                (-0.75, 1.0),
                (-0.5, 0.0),
                (0.0, 0.0),
                (0.5, 0.0),
                (0.75, 1.0),
                (NAN, 1.0),
            ],
        );
    }
}
