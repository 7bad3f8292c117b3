use crate::math::times_power;
use crate::prelude::*;

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
/// At most 1 ulp on `f32`, 1.5 on `f64`; correctly rounded on `f16` and
/// `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softsign;

parameters!(Softsign);

/// Beyond it, softsign is ±1 in every dtype; infinity divided by infinity were NaN.
const LARGE: f64 = 1e30;

/// Below it, softsign is x in every dtype, and what it would be computed by may be subnormal.
const TINY: f64 = 1.0 / (1u64 << 60) as f64;

impl Unary for Softsign {
    const FORMULA: &'static str = "x/(1 + |x|)";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const F32_DERIVATIVE: F32Lanes = F32Lanes::Double;
    const COMPUTE_BOUND: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let one = x.splat(1.0);
        let clamped = |x: X| x.splat(LARGE).min(x.splat(-LARGE).max(x));
        if const { !(X::CONSTANTS.compensated && X::FUSED) } {
            let x = clamped(x);
            return x / (x.abs() + one);
        }
        // Not so of NaN.
        let large = x.splat(TINY).le(x.abs());
        let inner = clamped(large.select(x, x.splat(0.0)));
        let a = inner.abs();
        let d = a + one;
        // y·(d + low) - x, where low is what the sum lost, is what y has too much.
        let low = (a.max(one) - d) + a.min(one);
        let g = one / d;
        let y = inner * g;
        let excess = y.mul_add(low, y.mul_add(d, x.splat(0.0) - inner));
        large.select(excess.neg_mul_add(g, y), x)
    }

    // The square of the reciprocal, which cannot overflow.
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let one = x.splat(1.0);
        let a = x.abs();
        if const { !(X::CONSTANTS.compensated && X::FUSED) } {
            let d = one / (a + one);
            return d * d;
        }
        let last = x.splat(LARGE);
        let d = one / (last.min(a) + one);
        let beyond = last.lt(a);
        if !beyond.any() {
            return d * d;
        }
        // On `f64`, 2^511 times the reciprocal: 2^1022 times the square is a normal number, and that has vanished where |x|
        // is 2^543.
        let half = -X::CONSTANTS.least_exponent / 2.0;
        let scale = x.splat(X::CONSTANTS.shift + half).pow2();
        let vanished = scale * x.splat((1u64 << 32) as f64);
        let d = scale / (vanished.min(a) + one);
        times_power(d * d, x.splat(X::CONSTANTS.least_exponent))
    }

    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        let d = y.splat(1.0) - y.abs();
        d * d
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Softsign {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x > N::of(f64::MAX) {
            N::of(1.0)
        } else if x < N::of(f64::MIN) {
            N::of(-1.0)
        } else {
            x.clone() / (N::of(1.0) + x.abs())
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let d = N::of(1.0) / (N::of(1.0) + x.abs());
        d.clone() * d
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        let d = N::of(1.0) - y.abs();
        d.clone() * d
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
