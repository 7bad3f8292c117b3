use crate::math::{divides_by_product, lifted};
use crate::prelude::*;

/// The piecewise silu of MobileNetV3: `x · relu6(x + 3)/6`, which is x times
/// [`HardSigmoid`](crate::HardSigmoid) (Howard et al., 2019). Also called hard_silu.
///
/// | x | hard_swish(x) |
/// |---|---|
/// | `x ≤ -3`, `-∞` | `-0.0` (PyTorch makes NaN of `-∞`) |
/// | `x ≥ 3`, `+∞` | `x` |
/// | between | `x·(x + 3)/6`; `-0.0` for `-0.0`, and for the negative `x` of which nothing is left |
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
    const F32_ULPS: i32 = 1;
    const COMPUTE_BOUND: bool = true;
    const ON_HALF: OnHalf = OnHalf::Half;
    const HALF_AT_ONCE: bool = true;

    // x·(x + 3)/6 rounds three times, and is up to 1.91 ulps off on `f32`; x/2·(x/3 + 1) 1.49. But up
    // to -1, x + 3 is exact: so are two roundings enough; and from there on x/2 is, beside which the
    // two of x²/6 matter less. That is 0.9999997 ulps at most, seen on every `f32`, and spares the
    // way through `f64`.
    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        if const { divides_by_product::<X>() } {
            return by_product(x);
        }
        let three = x.splat(3.0);
        let half = x * x.splat(0.5);
        let low = x.lt(x.splat(-1.0));
        // Next to 0 the quotient hardly counts, and its product might be subnormal.
        let q = low.select(x + three, lifted(x)) / three;
        let product = half * q;
        let y = low.select(product, half + product);
        // The sum has lost the sign of -0.0, and of what vanishes.
        let y = y.copysign(x);
        let y = three.le(x).select(x, y);
        x.le(x.splat(-3.0)).select(x.splat(-0.0), y)
    }

    // x·(x + 3)/6, by an eighth of the sum, so that nothing is infinite, and from 3 on x. Of the 65,536 numbers of either
    // dtype, none is harmed by the three roundings: 8/6 has lost a quarter of an ulp, so that a quotient of few bits is
    // there, and the sum is exact but where x is tiny. There x/2 may lie in the middle between two numbers, and on which
    // side of it the result is, must not be lost: so x is taken to be no nearer to 0 than 2^-11.
    #[inline(always)]
    fn forward_half<X: Lane>(self, x: X) -> X {
        let v = x.splat(-3.0).max(x);
        let off_zero = v.abs().max(x.splat(1.0 / 2048.0)).copysign(v);
        let sum = off_zero.mul_add(x.splat(1.0 / 8.0), x.splat(3.0 / 8.0));
        v * (sum.min(x.splat(6.0 / 8.0)) * x.splat(8.0 / 6.0))
    }

    // The same, on units with directed rounding. On `f16` the sum, rounded to odd, has not lost a tiny x.
    //
    // On `bf16`, of which that would lose too much among the subnormal numbers: x/2 + x²/6, rounded up where it is not
    // exact, for x/2 may lie on the middle between two numbers. From 3 on, x is nearer to zero.
    #[inline(always)]
    fn half_at_once<E: Float, X: PieceLane>(self, x: X) -> X {
        let zero = x.splat(0.0);
        if const { matches!(E::DTYPE, Dtype::F16) } {
            let v = x.splat(-3.0).max(x);
            let sum = v.mul_add_to_odd(x.splat(1.0 / 8.0), x.splat(3.0 / 8.0));
            return v * sum.min(x.splat(6.0 / 8.0)) * x.splat(8.0 / 6.0);
        }
        let minus_square = x.mul_add_down(zero - x, zero);
        let y = minus_square.neg_mul_add_up(x.splat(1.0 / 6.0), x * x.splat(0.5));
        let y = x.le(x.splat(-3.0)).select(zero, y);
        y.abs().min(x.abs()).copysign(x)
    }

    // Up to -0.75, x + 1.5 is exact.
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let three = x.splat(3.0);
        let low = x.lt(x.splat(-0.75));
        let q = low.select(x + x.splat(1.5), x) / three;
        let slope = low.select(q, q + x.splat(0.5));
        let slope = three.le(x).select(x.splat(1.0), slope);
        x.le(x.splat(-3.0)).select(x.splat(0.0), slope)
    }
}

/// The same, with 1/6 in two words, which is faster than to divide: at most 1 ulp, seen on every `f32`.
#[inline(always)]
fn by_product<X: Lane>(x: X) -> X {
    let three = x.splat(3.0);
    // From there down, the sum is 0.
    let v = x.splat(-3.0).max(x);
    let low = v.lt(x.splat(-1.0));
    let (sixth, rest) = x.splat_pair((1.0 / 6.0, 0.0));
    // Next to 0, what the quotient is does not count, and its second product might be subnormal.
    let a = v + low.select(three, lifted(v.splat(0.0)));
    let q = a.mul_add(sixth, a * rest);
    let half = low.select(x.splat(0.0), v * x.splat(0.5));
    // The sum has lost the sign of -0.0, and of what vanishes.
    let y = v.mul_add(q, half).copysign(x);
    three.le(x).select(x, y)
}

#[cfg(feature = "oracle")]
impl Oracle for HardSwish {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x <= N::of(-3.0) {
            N::of(-0.0)
        } else if x >= N::of(3.0) {
            x
        } else {
            x.clone() * (x + N::of(3.0)) / N::of(6.0)
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
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
