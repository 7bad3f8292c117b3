use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::num::Num;
use crate::ops::Unary;
use crate::parameters::{FINITE, parameters};

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
/// *Exact* (one rounding). The parameters are rounded to `f32` for `f32`, `f16` and `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shrink {
    lambd: f64,
    bias: f64,
}

parameters!(Shrink { lambd: 0.5 in FINITE, bias: 0.0 in FINITE });

impl Shrink {
    /// The end of the dead zone.
    pub fn lambd(self) -> f64 {
        self.lambd
    }

    /// How far the numbers outside it are moved towards zero.
    pub fn bias(self) -> f64 {
        self.bias
    }
}

impl Unary for Shrink {
    const FORMULA: &'static str = "x < -lambd ? x + bias : x > lambd ? x - bias : 0";
    const ULPS: i32 = 1;
    const EXACT: bool = true;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let bias = l.splat(R::of(self.bias));
        let dead = l.le(x, l.splat(R::of(self.lambd)));
        let not_below = l.select(dead, l.splat(R::of(0.0)), l.sub(x, bias));
        l.select(
            l.lt(x, l.splat(R::of(-self.lambd))),
            l.add(x, bias),
            not_below,
        )
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let one = l.splat(R::of(1.0));
        let dead = l.le(x, l.splat(R::of(self.lambd)));
        let not_below = l.select(dead, l.splat(R::of(0.0)), one);
        l.select(l.lt(x, l.splat(R::of(-self.lambd))), one, not_below)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let (lambd, bias) = (R::value(self.lambd), R::value(self.bias));
        if x < N::of(-lambd) {
            x + N::of(bias)
        } else if x <= N::of(lambd) {
            N::of(0.0)
        } else {
            x - N::of(bias)
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let lambd = R::value(self.lambd);
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
