use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::ops::{FromOutput, Unary};
use crate::parameters::parameters;

/// Softsign: `x / (1 + |x|)` (Turian, Bergstra & Bengio, 2009).
///
/// | x | softsign(x) |
/// |---|---|
/// | `±∞` | ±1 |
/// | `±0`, subnormal | `x` |
/// | NaN | the same NaN |
///
/// The derivative is `1 / (1 + |x|)²`: 1 at 0, 0 at `±∞`, and for NaN a NaN. From the output it is
/// `(1 - |y|)²`: accurate for `y`, so it knows of `x` what `y` does (0 once `y` has become ±1).
///
/// At most 1 ulp on `f32` (it is computed in `f64`), 1.5 on `f64`; correctly rounded on `f16` and
/// `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softsign;

parameters!(Softsign);

/// Beyond it, softsign is ±1 in every dtype; infinity divided by infinity were NaN.
const LARGE: f64 = 1e30;

impl Unary for Softsign {
    const FORMULA: &'static str = "x/(1 + |x|)";
    // Two roundings in `f32` lanes.
    const ULPS: i32 = 2;
    const IN_F64: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let x = l.min(l.splat(R::of(LARGE)), l.max(l.splat(R::of(-LARGE)), x));
        l.div(x, l.add(l.abs(x), l.splat(R::of(1.0))))
    }

    // The square of the reciprocal, which cannot overflow.
    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let one = l.splat(R::of(1.0));
        let d = l.div(one, l.add(l.abs(x), one));
        l.mul(d, d)
    }

    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        let d = l.sub(l.splat(R::of(1.0)), l.abs(y));
        l.mul(d, d)
    }

    fn oracle<R: Real>(self, x: f64) -> f64 {
        if x.is_infinite() {
            x.signum()
        } else {
            x / (1.0 + x.abs())
        }
    }

    fn derivative_oracle<R: Real>(self, x: f64) -> f64 {
        let d = 1.0 / (1.0 + x.abs());
        d * d
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Softsign,
            &[
                (-INF, -1.0),
                (-3.0, -0.75),
                (-1.0, -0.5),
                (-0.0, -0.0),
                (0.0, 0.0),
                (1.0, 0.5),
                (3.0, 0.75),
                (INF, 1.0),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative() {
        derivatives(
            Softsign,
            &[
                (-INF, 0.0),
                (-1.0, 0.25),
                (-0.0, 1.0),
                (0.0, 1.0),
                (3.0, 0.0625),
                (INF, 0.0),
            ],
        );
    }
}
