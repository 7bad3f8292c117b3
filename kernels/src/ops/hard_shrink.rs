use crate::prelude::*;

/// Hard shrinkage, or hard thresholding: `|x| ≤ lambd ? 0 : x` (Donoho & Johnstone, 1994).
///
/// The default `lambd`, 0.5, is PyTorch's and Keras'. The name is PyTorch's, too.
///
/// | x | hard_shrink(x) |
/// |---|---|
/// | `\|x\| ≤ lambd`, `-0.0` too | `+0` |
/// | `\|x\| > lambd`, `±∞` | `x` |
/// | any number where `lambd < 0` | `x` |
/// | NaN | the same NaN |
///
/// The derivative is 0 up to and at `±lambd`, and 1 beyond and for NaN. Unless `lambd` is negative,
/// the output tells it as well.
///
/// *Exact*. `lambd` is any finite number, and is rounded to a finite `f32` for `f32`, `f16` and `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardShrink {
    lambd: f64,
}

parameters!(HardShrink { lambd: 0.5 in FINITE });

impl HardShrink {
    /// The end of the dead zone; finite, default 0.5.
    pub const fn lambd(self) -> f64 {
        self.lambd
    }
}

impl Unary for HardShrink {
    const FORMULA: &'static str = "|x| > lambd ? x : 0";
    const ON_HALF: OnHalf = OnHalf::Select;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let dead = x.abs().le(x.parameter(self.lambd));
        dead.select(x.splat(0.0), x)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let dead = x.abs().le(x.parameter(self.lambd));
        dead.select(x.splat(0.0), x.splat(1.0))
    }

    fn output_suffices<E: Float>(self) -> bool {
        self.lambd >= 0.0
    }
}

#[cfg(feature = "oracle")]
impl Oracle for HardShrink {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x.clone().abs() <= N::of(P::value(self.lambd)) {
            N::of(0.0)
        } else {
            x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let dead = x.abs() <= N::of(P::value(self.lambd));
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
            HardShrink::default(),
            &[
                (-INF, -INF),
                (-0.75, -0.75),
                (-0.5, 0.0),
                (-0.0, 0.0),
                (0.0, 0.0),
                (0.5, 0.0),
                (0.75, 0.75),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        let identity = HardShrink::new(-1.0).unwrap();
        outputs(
            identity,
            &[(-0.5, -0.5), (-0.0, -0.0), (0.0, 0.0), (0.5, 0.5)],
        );
    }

    #[test]
    fn the_derivative_at_the_kinks() {
        derivatives(
            HardShrink::default(),
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
