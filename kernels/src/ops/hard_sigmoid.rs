use crate::math::divides_by_product;
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
/// Correctly rounded on `f16` and `bf16`. On `f32` and `f64`, with the default parameters, and wherever `beta` is
/// zero or a power of two: at most 1 ulp. With a negative `beta`: at most 1.5 ulps. With any other: at most 6.5 ulps
/// on `f32` and 5.5 on `f64`, because for larger `x` the sum `x·alpha + beta` is computed, and `beta` is not quite
/// the quotient of the two rounded constants. (No number of ulps holds where a positive `beta/alpha` is
/// beyond the largest number or rounds to a subnormal one, or where one of either sign rounds to zero.)
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

    /// Below it, `(x + shift) / (1/alpha)` is computed, from it on, `x / (1/alpha) + beta`.
    #[inline(always)]
    fn middle(self) -> f64 {
        let shift = self.shift();
        if shift < 0.0 {
            f64::INFINITY
        } else {
            -shift / 2.0
        }
    }

    /// `(x + s)/d`, clipped, on values of 16-bit floats, for any s and d; as [`Unary::forward_half`] wants it.
    ///
    /// Two numbers of 16 bits and what lies in the middle between them have at most 12 bits. Let g be the number of 12
    /// bits that is next to the quotient. Then g·d has 36 bits, and `x + s - g·d`, of which the first 12 cancel, is
    /// known exactly. Its sign tells on which side of g the true value lies.
    #[inline(always)]
    fn quotient<X: Lane>(self, x: X) -> X {
        let (zero, two) = (x.splat(0.0), x.splat(2.0));
        let (s, d) = (
            X::Precision::value(self.shift()) + 0.0,
            X::Precision::value(1.0 / self.alpha),
        );
        // Times a power of two that makes d at least 2^20: no part of what counts is a subnormal number.
        let exponent = (d.to_bits() >> 52).min(1023 + 20);
        let lift = f64::from_bits((1023 + 1023 + 20 - exponent) << 52);
        let (s, d) = (s * lift, d * lift);
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

impl Unary for HardSigmoid {
    const FORMULA: &'static str = "min(max(alpha·x + beta, 0), 1)";
    const F32_ULPS: i32 = 1;
    const COMPUTE_BOUND: bool = true;
    const ON_HALF: OnHalf = OnHalf::Half;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let zero = x.splat(0.0);
        let low = x.le(x.parameter(self.middle()));
        // Clipped before it is divided, too, so that no quotient is -0.0.
        let sum = zero.max(x + x.parameter(self.shift()));
        let x = low.select(sum, x);
        let q = if const { divides_by_product::<X>() } {
            // By the reciprocal in two words, which is four times as fast. From 2 on, all is 1; and no infinity
            // meets another.
            let d = X::Precision::value(1.0 / self.alpha);
            let (r, rest) = x.splat_pair((1.0 / d, 0.0));
            let x = x.splat(2.0 * d).min(x);
            x.mul_add(r, x * rest)
        } else {
            x / x.derived(1.0 / self.alpha)
        };
        let y = low.select(q, q + x.derived(self.beta + 0.0));
        x.splat(1.0).min(zero.max(y))
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

    // Let s, d and b be `beta/alpha`, `1/alpha` and `beta` as rounded. The true value is y = (x + s)/d.
    //
    // s < 0: all is computed as (x + s)/d. The sum is off by at most 2^-24 of itself, which is less than
    // an ulp of y, and the division adds half of one: 1.5.
    //
    // s ≥ 0, below the middle, -s/2: from -2s on, x + s is exact (Sterbenz), so only the division rounds:
    // half an ulp. Further down, y is negative.
    //
    // s ≥ 0, from the middle on: y ≥ s/(2d), and q = x/d is no larger than y in magnitude. Rounding q
    // costs half an ulp of y at most, so does rounding q + b. That is 1, if b = s/d. It is where `beta` is
    // a power of two, for then s and d have the same significand, and where it is zero.
    //
    // Else |b - s/d| comes on top. By the errors of s and d, at most 2^-24 of each, that is up to
    // 2^-23·s/d. With s/d = m·2^e, 1 ≤ m < 2, an ulp of y ≥ s/(2d) is at least 2^(e-24): less than 4 ulps.
    // The error of b, half an ulp of b, is at most another ulp of y. And where all that moves q + b beyond
    // a power of two, half an ulp is twice as large there: one half more. Together 6.5. On `f64`, b is
    // `beta` itself: 5.5.
    //
    // None of this holds of an s ≥ 0 that is subnormal or beyond the largest number, nor of one that has become zero.
    fn bound(self, dtype: Dtype, form: Form) -> Bound {
        if form != Form::Forward {
            return Bound::of_inexact(dtype, form);
        }
        let shift = self.shift();
        let (shift, least, largest) = match dtype {
            Dtype::F64 => (shift, f64::MIN_POSITIVE, f64::MAX),
            _ => (
                shift as f32 as f64,
                f64::from(f32::MIN_POSITIVE),
                f64::from(f32::MAX),
            ),
        };
        let normal = shift >= least && shift <= largest;
        let fraction = self.beta.to_bits() << 12; // zero of a power of two
        let one_formula = self.beta == 0.0 || normal && fraction == 0;
        match dtype {
            Dtype::F16 | Dtype::Bf16 => Bound::Nearest,
            _ if shift < 0.0 => Bound::Ulps(1.5),
            _ if one_formula => Bound::Ulps(1.0),
            _ if !normal => Bound::Ulps(f64::INFINITY),
            Dtype::F32 => Bound::Ulps(6.5),
            _ => Bound::Ulps(5.5),
        }
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

    #[test]
    fn the_bound_depends_on_the_parameters() {
        let bound = |(alpha, beta), dtype| {
            let op = HardSigmoid::new(alpha, beta).unwrap();
            op.bound(dtype, Form::Forward)
        };
        for power_of_two in [(1.0 / 6.0, 0.5), (0.3, 0.25), (1e-30, 0.0), (0.2, 1.0)] {
            assert_eq!(bound(power_of_two, Dtype::F32), Bound::Ulps(1.0));
            assert_eq!(bound(power_of_two, Dtype::F64), Bound::Ulps(1.0));
            assert_eq!(bound(power_of_two, Dtype::F16), Bound::Nearest);
        }
        for negative in [(0.3, -0.3), (1e-30, -1e30)] {
            assert_eq!(bound(negative, Dtype::F32), Bound::Ulps(1.5));
            assert_eq!(bound(negative, Dtype::Bf16), Bound::Nearest);
        }
        assert_eq!(bound((0.3, 0.6), Dtype::F32), Bound::Ulps(6.5));
        assert_eq!(bound((0.3, 0.6), Dtype::F64), Bound::Ulps(5.5));
        // beta/alpha is too small for `f32`, or too large.
        for beyond in [(1e30, 1e-20), (1e30, -1e-20), (1e-30, 1e30)] {
            assert_eq!(bound(beyond, Dtype::F32), Bound::Ulps(f64::INFINITY));
            assert_eq!(bound(beyond, Dtype::F16), Bound::Nearest);
            assert!(bound(beyond, Dtype::F64).ulps() < 6.0);
        }
    }
}
