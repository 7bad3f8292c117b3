use crate::prelude::*;

/// The unit step: `step(x) = x > 0 ? 1 : 0`, also called Heaviside's function, and the threshold of
/// the first artificial neuron (McCulloch & Pitts, 1943).
///
/// At zero it is 0, where others have ½ or 1: NumPy's and PyTorch's `heaviside` ask for the value.
///
/// | x | step(x) |
/// |---|---|
/// | `x < 0`, `-∞`, `±0` | `+0` |
/// | `x > 0`, `+∞` | 1 |
/// | NaN | the same NaN |
///
/// The derivative is 0 everywhere, at 0 and for NaN too.
///
/// *Exact*.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step;

parameters!(Step);

impl Unary for Step {
    const FORMULA: &'static str = "x > 0 ? 1 : 0";
    const ON_HALF: OnHalf = OnHalf::Select;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let zero = x.splat(0.0);
        let positive = zero.lt(x).select(x.splat(1.0), x);
        x.le(zero).select(zero, positive)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        x.splat(0.0)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Step {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x > N::of(0.0) {
            N::of(1.0)
        } else if x <= N::of(0.0) {
            N::of(0.0)
        } else {
            x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, _: N) -> N {
        N::of(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Step,
            &[
                (-INF, 0.0),
                (-2.0, 0.0),
                (-0.0, 0.0),
                (0.0, 0.0),
                (0.5, 1.0),
                (2.0, 1.0),
                (INF, 1.0),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative_is_zero() {
        derivatives(
            Step,
            &[(-1.0, 0.0), (0.0, 0.0), (1.0, 0.0), (INF, 0.0), (NAN, 0.0)],
        );
    }
}
