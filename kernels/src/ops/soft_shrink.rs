use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::num::Num;
use crate::ops::{FromOutput, Unary};
use crate::parameters::{NOT_NEGATIVE, parameters};

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
/// *Exact* (one rounding). `lambd` is rounded to `f32` for `f32`, `f16` and `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftShrink {
    lambd: f64,
}

parameters!(SoftShrink { lambd: 0.5 in NOT_NEGATIVE });

impl SoftShrink {
    /// The end of the dead zone.
    pub fn lambd(self) -> f64 {
        self.lambd
    }
}

impl Unary for SoftShrink {
    const FORMULA: &'static str = "x < -lambd ? x + lambd : x > lambd ? x - lambd : 0";
    const ULPS: i32 = 1;
    const EXACT: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let (zero, lambd) = (l.splat(R::of(0.0)), l.splat(R::of(self.lambd)));
        let moved = l.select(l.lt(x, zero), l.add(x, lambd), l.sub(x, lambd));
        l.select(l.le(l.abs(x), lambd), zero, moved)
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let dead = l.le(l.abs(x), l.splat(R::of(self.lambd)));
        l.select(dead, l.splat(R::of(0.0)), l.splat(R::of(1.0)))
    }

    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        let zero = l.splat(R::of(0.0));
        l.select(l.le(l.abs(y), zero), zero, l.splat(R::of(1.0)))
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let lambd = N::of(R::value(self.lambd));
        if x.clone().abs() <= lambd {
            N::of(0.0)
        } else if x < N::of(0.0) {
            x + lambd
        } else {
            x - lambd
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let dead = x.abs() <= N::of(R::value(self.lambd));
        N::of(if dead { 0.0 } else { 1.0 })
    }

    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
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
