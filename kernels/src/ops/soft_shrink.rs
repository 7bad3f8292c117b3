use crate::prelude::*;

/// Soft shrinkage, or soft thresholding: `x` moved towards zero by `lambd`, and no further
/// (Donoho & Johnstone, 1994).
///
/// The default `lambd`, 0.5, is PyTorch's and Keras'. The name is PyTorch's, too. In ONNX it is
/// `Shrink` with a `bias` that is `lambd`.
///
/// | x | soft_shrink(x) |
/// |---|---|
/// | `x < -lambd`, `-∞` | `x + lambd`, rounded once |
/// | `\|x\| ≤ lambd`, `-0.0` too | `+0` |
/// | `x > lambd`, `+∞` | `x - lambd`, rounded once |
/// | NaN | the same NaN |
///
/// The derivative is 0 up to and at `±lambd`, and 1 beyond and for NaN. The output tells it as well: it
/// is 0 where the output is (a 16-bit float beyond `lambd` by less than the dtype's smallest number
/// counts as at it).
///
/// *Exact* (one rounding). `lambd` is finite and not negative, and is rounded to a finite `f32` for `f32`, `f16`
/// and `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftShrink {
    lambd: f64,
}

parameters!(SoftShrink { lambd: 0.5 in NOT_NEGATIVE });

impl SoftShrink {
    /// The end of the dead zone; finite, not negative, default 0.5.
    pub const fn lambd(self) -> f64 {
        self.lambd
    }
}

impl Unary for SoftShrink {
    const FORMULA: &'static str = "x < -lambd ? x + lambd : x > lambd ? x - lambd : 0";
    const ON_HALF: OnHalf = OnHalf::Once;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let (zero, lambd) = (x.splat(0.0), x.parameter(self.lambd));
        let moved = x.lt(zero).select(x + lambd, x - lambd);
        x.abs().le(lambd).select(zero, moved)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let dead = x.abs().le(x.parameter(self.lambd));
        dead.select(x.splat(0.0), x.splat(1.0))
    }

    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        let zero = y.splat(0.0);
        y.abs().le(zero).select(zero, y.splat(1.0))
    }
}

#[cfg(feature = "oracle")]
impl Oracle for SoftShrink {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let lambd = N::of(P::value(self.lambd));
        if x.clone().abs() <= lambd {
            N::of(0.0)
        } else if x < N::of(0.0) {
            x + lambd
        } else {
            x - lambd
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let dead = x.abs() <= N::of(P::value(self.lambd));
        N::of(if dead { 0.0 } else { 1.0 })
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        N::of(if y == N::of(0.0) { 0.0 } else { 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            SoftShrink::default(),
            &[
                (-INF, -INF),
                (-0.75, -0.25),
                (-0.5, 0.0),
                (-0.25, 0.0),
                (-0.0, 0.0),
                (0.0, 0.0),
                (0.5, 0.0),
                (0.75, 0.25),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        outputs(
            SoftShrink::new(0.0).unwrap(),
            &[(-2.0, -2.0), (-0.0, 0.0), (2.0, 2.0)],
        );
    }

    #[test]
    fn the_derivative_at_the_kinks() {
        derivatives(
            SoftShrink::default(),
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
