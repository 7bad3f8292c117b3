use crate::parameters::Parameters;
use crate::prelude::*;

/// The piecewise-linear sigmoid: `alpha·x + beta`, clipped to `[0, 1]` (Courbariaux, Bengio & David,
/// 2015).
///
/// The defaults, 1/6 and 0.5, are PyTorch's and Keras' `relu6(x + 3)/6`. ONNX's default `alpha` is 0.2, which
/// older versions of Keras have too.
///
/// | x | hard_sigmoid(x) |
/// |---|---|
/// | `x ≤ -beta/alpha` (−3), `-∞` | `+0` |
/// | `x ≥ (1 - beta)/alpha` (3), `+∞` | 1 |
/// | `±0` | `beta`, clipped |
/// | NaN | the same NaN |
///
/// `alpha` is from 1e-30 to 1e30, `beta` from -1e30 to 1e30.
///
/// What is computed is `(x + beta/alpha) / (1/alpha)`, clipped: near the lower end, `x·alpha + beta` would
/// lose all its bits. The constants of that formula, `beta/alpha` and `1/alpha`, are rounded to `f32` for
/// `f32`, `f16` and `bf16`, and to `f64` for `f64`. Errors are measured from its true value with the rounded
/// constants. By default they are 3 and 6.
///
/// The derivative is `alpha` strictly between the two ends, and 0 elsewhere and for NaN, as PyTorch.
/// The output tells it as well: it is `alpha` where that is neither 0 nor 1. (Just below the upper end
/// it may be 1 already.)
///
/// With all parameters correctly rounded on `f16` and `bf16`, at most 1 ulp on `f32` and 1.5 ulps on `f64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardSigmoid {
    alpha: f64,
    beta: f64,
}

parameters!(HardSigmoid { alpha: 0.16666666666666666 in POSITIVE, beta: 0.5 in MODERATE });

impl HardSigmoid {
    /// The slope; from 1e-30 to 1e30, default 1/6.
    pub const fn alpha(self) -> f64 {
        self.alpha
    }

    /// The value at 0; from -1e30 to 1e30, default 0.5.
    pub const fn beta(self) -> f64 {
        self.beta
    }

    /// `beta/alpha`: the lower end with its sign turned.
    #[inline(always)]
    fn shift(self) -> f64 {
        self.beta / self.alpha
    }

    /// The upper end.
    #[inline(always)]
    fn upper(self) -> f64 {
        (1.0 - self.beta) / self.alpha
    }

    /// The factor for x, and s and d times it, of `(x + s)/d` in the precision `P`. It is a power of two that makes d
    /// at least 2^20: no part of a sum that counts is a subnormal number. s stays finite: s/d is `beta`.
    #[inline(always)]
    fn lifted<P: Precision>(self) -> (f64, f64, f64) {
        let (s, d) = (P::value(self.shift()) + 0.0, P::value(1.0 / self.alpha));
        let exponent = (d.to_bits() >> 52).min(1023 + 20);
        let lift = f64::from_bits((1023 + 1023 + 20 - exponent) << 52);
        (lift, s * lift, d * lift)
    }

    /// A number from which on `(x + s)/d` is at least 1.
    #[inline(always)]
    fn beyond<P: Precision>(self) -> f64 {
        let (s, d) = (P::value(self.shift()), P::value(1.0 / self.alpha));
        // Less than 2^-20 of it is lost by the difference, and by rounding it.
        d - s + (d + s.abs()) / 1_048_576.0
    }

    /// `(x + s)/d`, clipped, on values of 16-bit floats, for any s and d; as [`Unary::forward_half`] wants it.
    ///
    /// Two numbers of 16 bits and what lies in the middle between them have at most 12 bits. Let g be the number of 12
    /// bits that is next to the quotient. Then g·d has 36 bits, and `x + s - g·d`, of which the first 12 cancel, is
    /// known exactly. Its sign tells on which side of g the true value lies.
    #[inline(always)]
    fn quotient<X: Lane>(self, x: X) -> X {
        let (zero, two) = (x.splat(0.0), x.splat(2.0));
        let (lift, s, d) = self.lifted::<X::Precision>();
        let (x, s) = (x * x.splat(lift), x.splat(s));
        // The sum, and what it loses (Knuth).
        let sum = x + s;
        let s_seen = sum - x;
        let lost = (x - (sum - s_seen)) + (s - s_seen);
        let near = two.min(zero.max(sum) * x.splat(1.0 / d));
        // Rounded to 12 bits (Veltkamp).
        let large = near * x.splat(4097.0);
        let g = large - (large - near);
        let rest = if X::FUSED {
            g.neg_mul_add(x.splat(d), sum)
        } else {
            // Products of 12 bits are exact.
            let high = f64::from_bits(d.to_bits() >> 41 << 41);
            sum - g * x.splat(high) - g * x.splat(d - high)
        };
        let rest = rest + lost;
        let step = x.splat(1.0 / 16384.0);
        let below = rest.lt(zero).select(x.splat(-1.0 / 16384.0), zero);
        let y = g + g * zero.lt(rest).select(step, below);
        x.splat(1.0).min(y)
    }
}

/// (sum − minus_lost)/d, by the reciprocal of d and what that loses: only the last step rounds. Where lanes do not fuse, by a
/// division, which rounds too.
#[inline(always)]
fn divided<X: Lane>(sum: X, minus_lost: X, d: X) -> X {
    let one = sum.splat(1.0);
    let r = one / d;
    if const { !X::FUSED } {
        return sum / d - minus_lost * r;
    }
    // 1/d = r/(1 - rest), which is r·(1 + rest).
    let rest = r.neg_mul_add(d, one);
    let minus_lost = sum.neg_mul_add(rest, minus_lost);
    sum.mul_add(r, minus_lost * (sum.splat(0.0) - r))
}

impl Unary for HardSigmoid {
    const FORMULA: &'static str = "min(max(alpha·x + beta, 0), 1)";
    const F32_ULPS: i32 = 1;
    const COMPUTE_BOUND: bool = true;
    const ON_HALF: OnHalf = OnHalf::Half;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    // (x + s)/d with what the sum loses. Where s is at least half of d, as by default, it is the larger of the two between
    // the ends, and one difference tells (Dekker). Elsewhere either may be, and that takes three more instructions (Knuth).
    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let (lift, s, d) = self.lifted::<X::Precision>();
        let (one, lift, large) = (x.splat(1.0), x.splat(lift), s >= d / 2.0);
        let (s, d) = (x.splat(s), x.splat(d));
        // From the lower end on, where the sum is +0. (The product is exact, so this is the sum of two numbers.)
        let above = x.parameter(-self.shift()).max(x);
        if large {
            let within = x.derived(1.0 / self.alpha).min(above);
            let sum = within.mul_add(lift, s);
            let minus_lost = within.neg_mul_add(lift, sum - s);
            return one.min(divided(sum, minus_lost, d));
        }
        let sum = above.mul_add(lift, s);
        let s_seen = above.neg_mul_add(lift, sum);
        let minus_lost = above.neg_mul_add(lift, sum - s_seen) - (s - s_seen);
        let y = one.min(divided(sum, minus_lost, d));
        // Beyond the upper end a sum may be infinite, and what it loses NaN.
        let beyond = x.derived(self.beyond::<X::Precision>());
        beyond.le(x).select(one, y)
    }

    #[inline(always)]
    fn forward_half<X: Lane>(self, x: X) -> X {
        if self != <Self as Parameters>::DEFAULT {
            return self.quotient(x);
        }
        // Of the 65,536 numbers of either dtype, none is harmed by the three roundings. Where (x + 3)/6 lies in the
        // middle between two numbers, the product does too: the sum is exact, and 1/6 has lost a quarter of an ulp.
        let (sum, sixth) = (x + x.splat(3.0), x.splat(1.0 / 6.0));
        x.splat(1.0).min(x.splat(0.0).max(sum) * sixth)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let zero = x.splat(0.0);
        let below = x.lt(x.parameter(self.upper()));
        let inside = below.select(x.parameter(self.alpha), zero);
        x.parameter(-self.shift()).lt(x).select(inside, zero)
    }

    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        let zero = y.splat(0.0);
        let below = y.lt(y.splat(1.0));
        let inside = below.select(y.parameter(self.alpha), zero);
        zero.lt(y).select(inside, zero)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for HardSigmoid {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let (zero, one) = (N::of(0.0), N::of(1.0));
        if x > N::of(f64::MAX) {
            return one;
        }
        if x < N::of(f64::MIN) {
            return zero;
        }
        let shift = N::of(P::value(self.beta / self.alpha));
        let divisor = N::of(P::value(1.0 / self.alpha));
        let y = (x + shift) / divisor;
        if y <= zero {
            zero
        } else if y >= one {
            one
        } else {
            y
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let lower = P::value(-self.beta / self.alpha);
        let upper = P::value((1.0 - self.beta) / self.alpha);
        let inside = x > N::of(lower) && x < N::of(upper);
        N::of(if inside { P::value(self.alpha) } else { 0.0 })
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        let inside = y > N::of(0.0) && y < N::of(1.0);
        N::of(if inside { P::value(self.alpha) } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            HardSigmoid::default(),
            &[
                (-INF, 0.0),
                (-4.0, 0.0),
                (-3.0, 0.0),
                (-1.5, 0.25),
                (-0.0, 0.5),
                (0.0, 0.5),
                (1.5, 0.75),
                (3.0, 1.0),
                (4.0, 1.0),
                (INF, 1.0),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        let quarter = HardSigmoid::new(0.25, -1.0).unwrap();
        outputs(
            quarter,
            &[
                (-INF, 0.0),
                (0.0, 0.0),
                (4.0, 0.0),
                (5.0, 0.25),
                (8.0, 1.0),
                (INF, 1.0),
            ],
        );
        for (alpha, beta) in [(1e30, 1e30), (1e-30, 1e30), (1e30, -1e30), (1e-30, -1e30)] {
            let extreme = HardSigmoid::new(alpha, beta).unwrap();
            outputs(extreme, &[(-INF, 0.0), (INF, 1.0), (NAN, NAN)]);
        }
    }

    #[test]
    fn the_derivative_at_the_kinks() {
        derivatives(
            HardSigmoid::new(0.25, 0.5).unwrap(),
            &[
                (-INF, 0.0),
                (-2.0, 0.0),
                (0.0, 0.25),
                (1.75, 0.25),
                (2.0, 0.0),
                (NAN, 0.0),
            ],
        );
    }
}
