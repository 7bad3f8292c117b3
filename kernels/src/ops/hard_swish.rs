use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::num::Num;
use crate::ops::Unary;
use crate::parameters::parameters;

/// The piecewise silu of MobileNetV3: `x · relu6(x + 3)/6`, which is x times
/// [`HardSigmoid`](crate::HardSigmoid) (Howard et al., 2019). Also called hard_silu.
///
/// | x | hard_swish(x) |
/// |---|---|
/// | `x ≤ -3`, `-∞` | `-0.0` (PyTorch makes NaN of `-∞`) |
/// | `x ≥ 3`, `+∞` | `x` |
/// | between | `x·(x + 3)/6`; `-0.0` for `-0.0` |
/// | NaN | the same NaN |
///
/// The derivative is 0 up to and at −3, 1 from 3 on, `x/3 + 1/2` between, and for NaN a NaN. The output
/// does not tell it: the function falls before it rises.
///
/// At most 1 ulp on `f32`, 1.5 on `f64`; correctly rounded on `f16` and `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardSwish;

parameters!(HardSwish);

impl Unary for HardSwish {
    const FORMULA: &'static str = "x·min(max(x + 3, 0), 6)/6";
    const ULPS: i32 = 1;
    const COMPUTE_BOUND: bool = true;

    // x·(x + 3)/6 rounds three times, and is up to 1.91 ulps off on `f32`; x/2·(x/3 + 1) 1.49. But up
    // to -1, x + 3 is exact: so are two roundings enough; and from there on x/2 is, beside which the
    // two of x²/6 matter less. That is 0.9999997 ulps at most, seen on every `f32`, and spares the
    // way through `f64`.
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let (zero, three) = (l.splat(R::of(0.0)), l.splat(R::of(3.0)));
        let half = l.mul(x, l.splat(R::of(0.5)));
        let low = l.lt(x, l.splat(R::of(-1.0)));
        let q = l.div(l.select(low, l.add(x, three), x), three);
        let product = l.mul(half, q);
        let y = l.select(low, product, l.add(half, product));
        // The sum has lost the sign of -0.0.
        let y = l.select(l.le(l.abs(x), zero), x, y);
        let y = l.select(l.le(three, x), x, y);
        l.select(l.le(x, l.splat(R::of(-3.0))), l.splat(R::of(-0.0)), y)
    }

    // Up to -0.75, x + 1.5 is exact.
    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let three = l.splat(R::of(3.0));
        let low = l.lt(x, l.splat(R::of(-0.75)));
        let q = l.div(l.select(low, l.add(x, l.splat(R::of(1.5))), x), three);
        let slope = l.select(low, q, l.add(q, l.splat(R::of(0.5))));
        let slope = l.select(l.le(three, x), l.splat(R::of(1.0)), slope);
        l.select(l.le(x, l.splat(R::of(-3.0))), l.splat(R::of(0.0)), slope)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        if x <= N::of(-3.0) {
            N::of(-0.0)
        } else if x >= N::of(3.0) {
            x
        } else {
            x.clone() * (x + N::of(3.0)) / N::of(6.0)
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        if x <= N::of(-3.0) {
            N::of(0.0)
        } else if x >= N::of(3.0) {
            N::of(1.0)
        } else {
            (x + N::of(1.5)) / N::of(3.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            HardSwish,
            &[
                (-INF, -0.0),
                (-4.0, -0.0),
                (-3.0, -0.0),
                (-1.5, -0.375),
                (-0.0, -0.0),
                (0.0, 0.0),
                (1.5, 1.125),
                (3.0, 3.0),
                (4.0, 4.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative_at_the_kinks() {
        derivatives(
            HardSwish,
            &[
                (-INF, 0.0),
                (-3.0, 0.0),
                (-1.5, 0.0),
                (0.0, 0.5),
                (1.5, 1.0),
                (3.0, 1.0),
                (INF, 1.0),
                (NAN, NAN),
            ],
        );
    }
}
