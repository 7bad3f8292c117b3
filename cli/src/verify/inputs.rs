//! The numbers that are tried.

use halfwave_oracle::Format;

/// On each side of a point.
const NEAR: u64 = 64;
/// On each side of the powers of two that are of no other interest: f64 has 2,000 of them.
const BESIDE: u64 = 2;
/// The exponents of those that are.
const NEAR_ONE: i32 = 64;

/// The numbers on both sides of zero, of the smallest normal number, of the powers of two, of infinity,
/// and of `points`; NaNs too.
pub fn edges<E: Format>(points: &[f64]) -> Vec<E> {
    let exponents = 0..=E::MAX_EXPONENT - E::MIN_EXPONENT + 2;
    let last = *exponents.end();
    let powers = exponents.map(|biased| {
        let power = biased - 1 + E::MIN_EXPONENT;
        let near = power.abs() <= NEAR_ONE || biased <= 1 || biased == last;
        let reach = if near { NEAR } else { BESIDE };
        ((biased as u64) << (E::PRECISION - 1), reach)
    });
    let points = points.iter().map(|x| (E::from_f64(x.abs()).bits(), NEAR));
    let around =
        |(bits, reach): (u64, u64)| bits.saturating_sub(reach)..=(bits + reach).min(E::SIGN - 1);
    let mut bits: Vec<u64> = powers.chain(points).flat_map(around).collect();
    bits.sort_unstable();
    bits.dedup();
    let signed = bits.iter().flat_map(|bits| [*bits, bits | E::SIGN]);
    signed.map(E::from_bits).collect()
}

/// As many numbers over all exponents as from -10 to 10, and from -1000 to 1000.
pub fn samples<E: Format>(count: usize) -> Vec<E> {
    // SplitMix64.
    let mut state = 1u64;
    let mut bits = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    };
    let within = |limit: f64, bits: u64| E::from_f64(bits as i64 as f64 / 2f64.powi(63) * limit);
    let number = |i| match i % 3 {
        0 => E::from_bits(bits() & (E::SIGN | (E::SIGN - 1))),
        1 => within(10.0, bits()),
        _ => within(1000.0, bits()),
    };
    (0..count).map(number).collect()
}

/// Every element of a dtype of 16 bits.
pub fn all<E: Format>() -> Vec<E> {
    (0..2 * E::SIGN).map(E::from_bits).collect()
}
