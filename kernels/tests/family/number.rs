//! What the tests know of a dtype: its bits, and how a number is rounded to it.

use halfwave_kernels::{bf16, f16};
use halfwave_oracle::Format;

/// A float dtype as the tests see it.
pub trait Number: Format {
    /// The largest bit pattern.
    const LAST: u64 = Self::SIGN | (Self::SIGN - 1);

    /// The element nearest to `x`, ties to even, in one rounding.
    fn round(x: f64) -> Self {
        if x == 0.0 || !x.is_finite() {
            return Self::from_f64(x);
        }
        // Both scalings are by powers of two, hence exact, and so is the conversion of what has no
        // more bits than the dtype.
        let ulp = Self::ulp(x);
        let y = (x / ulp).round_ties_even() * ulp;
        // It may have carried beyond the largest number; then it is a power of two.
        Self::from_f64(y)
    }

    /// Whether `x` is so near to the middle between two elements that an error of a few of its ulps may
    /// matter.
    fn is_by_a_tie(x: f64) -> bool {
        let ulps = (x / Self::ulp(x)).abs();
        x.abs() < power(Self::MAX_EXPONENT + 1) && (ulps.fract() - 0.5).abs() < 1e-9
    }

    /// The distance between neighbours at `x`, which is finite.
    fn ulp(x: f64) -> f64 {
        let bits = (x.abs().to_bits() >> 52) as i32;
        let exponent = if bits == 0 { -1074 } else { bits - 1023 };
        power(exponent.max(Self::MIN_EXPONENT) - (Self::PRECISION - 1))
    }

    /// The same NaN, or the quiet one of a signalling one.
    fn is_nan_of(self, x: Self) -> bool {
        let quiet = x.bits() | 1 << (Self::PRECISION - 2);
        self.bits() == x.bits() || self.bits() == quiet
    }
}

/// 2^n.
fn power(n: i32) -> f64 {
    if n > 1023 {
        f64::INFINITY
    } else if n >= -1022 {
        f64::from_bits(((n + 1023) as u64) << 52)
    } else {
        f64::from_bits(1 << (n + 1074))
    }
}

impl<E: Format> Number for E {}

/// Pseudorandom bits.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    }

    /// From -limit to limit.
    pub fn within(&mut self, limit: f64) -> f64 {
        (self.bits() as i64 as f64) / -(i64::MIN as f64) * limit
    }
}

#[test]
fn rounding_is_to_the_nearest_and_ties_to_even() {
    fn between_all_neighbours<E: Number>() {
        let infinity = E::round(f64::INFINITY).bits();
        for bits in 0..infinity - 1 {
            let (below, above) = (E::from_bits(bits).to_f64(), E::from_bits(bits + 1).to_f64());
            let middle = (below + above) / 2.0;
            let even = bits + (bits & 1);
            for (x, want) in [
                (below, bits),
                (middle.next_down(), bits),
                (middle, even),
                (middle.next_up(), bits + 1),
                (above, bits + 1),
            ] {
                assert_eq!(E::round(x).bits(), want, "{x:e} to {}", E::DTYPE);
                let sign = E::LAST / 2 + 1;
                assert_eq!(E::round(-x).bits(), sign | want, "-{x:e} to {}", E::DTYPE);
            }
        }
        let largest = E::from_bits(infinity - 1).to_f64();
        let limit = largest + E::ulp(largest) / 2.0;
        assert_eq!(E::round(limit.next_down()).bits(), infinity - 1);
        assert_eq!(E::round(limit).bits(), infinity);
    }
    between_all_neighbours::<f16>();
    between_all_neighbours::<bf16>();
    let mut random = Random(1);
    for _ in 0..1 << 20 {
        let x = f64::from_bits(random.bits());
        if !x.is_nan() {
            assert_eq!(
                <f32 as Number>::round(x).to_bits(),
                (x as f32).to_bits(),
                "{x:e}"
            );
        }
    }
}

#[path = "../shared/sampled.rs"]
mod shared;

/// One in how many of the inputs is tried.
pub fn one_in() -> usize {
    shared::one_in(usize::MAX)
}
