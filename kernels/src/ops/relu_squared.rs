use crate::prelude::*;

/// The squared rectifier: `relu_squared(x) = relu(x)²` (So et al., *Primer*, 2021).
///
/// Keras calls it `relu(x) ** 2`, PyTorch code `relu(x).square()`; neither has it as one function.
///
/// | x | relu_squared(x) |
/// |---|---|
/// | `x < 0`, `-∞`, `±0` | `+0` |
/// | `x > 0` | `x²`, rounded once; `+∞` where that is too large, and for `+∞` |
/// | NaN | the same NaN |
///
/// The derivative is `2·relu(x)`, and for NaN the same NaN. Where that is too large it is infinite, and `dx` is
/// 0 all the same where `dy` is. The output does not tell it: where `x²`
/// is subnormal, it has too few bits left.
///
/// *Exact* (one rounding).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReluSquared;

parameters!(ReluSquared);

impl Unary for ReluSquared {
    const FORMULA: &'static str = "max(x, 0)²";

    // `F32_ULPS` is zero although `f32` rounds: the square of a 16-bit float has at most 22 bits. (One of
    // `bf16` may fall among the subnormal numbers of `f32`, and lose bits there, but never the
    // ones that decide: of its 16 bits the first would have to be more than 16 places above.)
    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let r = x.splat(0.0).max(x);
        r * r
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let r = x.splat(0.0).max(x);
        r + r
    }

    #[inline(always)]
    fn derivative_overflows(self) -> bool {
        true
    }
}

#[cfg(feature = "oracle")]
impl Oracle for ReluSquared {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let zero = N::of(0.0);
        if x < zero { zero } else { x.clone() * x }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let zero = N::of(0.0);
        if x < zero { zero } else { N::of(2.0) * x }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            ReluSquared,
            &[
                (-INF, 0.0),
                (-2.0, 0.0),
                (-0.0, 0.0),
                (0.0, 0.0),
                (1.5, 2.25),
                (12.0, 144.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative_at_the_kink() {
        derivatives(
            ReluSquared,
            &[
                (-INF, 0.0),
                (-1.0, 0.0),
                (-0.0, 0.0),
                (0.0, 0.0),
                (1.5, 3.0),
                (NAN, NAN),
            ],
        );
    }
}
