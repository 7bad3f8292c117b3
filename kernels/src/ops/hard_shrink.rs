use crate::element::{Float, Real};
use crate::lanes::FloatLanes;
use crate::num::Num;
use crate::ops::{FromOutput, Unary};
use crate::parameters::{FINITE, parameters};

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
/// *Exact*. `lambd` is rounded to `f32` for `f32`, `f16` and `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardShrink {
    lambd: f64,
}

parameters!(HardShrink { lambd: 0.5 in FINITE });

impl HardShrink {
    /// The end of the dead zone.
    pub fn lambd(self) -> f64 {
        self.lambd
    }
}

impl Unary for HardShrink {
    const FORMULA: &'static str = "|x| > lambd ? x : 0";
    const SELECTS: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let dead = l.le(l.abs(x), l.splat(R::parameter(self.lambd)));
        l.select(dead, l.splat(R::of(0.0)), x)
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let dead = l.le(l.abs(x), l.splat(R::of(self.lambd)));
        l.select(dead, l.splat(R::of(0.0)), l.splat(R::of(1.0)))
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        if x.clone().abs() <= N::of(R::value(self.lambd)) {
            N::of(0.0)
        } else {
            x
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let dead = x.abs() <= N::of(R::value(self.lambd));
        N::of(if dead { 0.0 } else { 1.0 })
    }

    fn output_suffices<E: Float>(self) -> bool {
        self.lambd >= 0.0
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
