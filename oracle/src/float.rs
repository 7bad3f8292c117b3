//! Numbers of many bits, by [`astro_float_num`], and the precision they have for now.

use core::cell::Cell;

use astro_float_num::{BigFloat, Exponent, RoundingMode, Sign, Word};

/// Which way the last bit goes does not matter: the error is bounded all the same.
pub(crate) const ROUND: RoundingMode = RoundingMode::None;

/// The bits that are tried one after the other.
///
/// The first leaves 50 bits for what a formula loses; most need no more. `x - tanh(x)` is `x³/3` for
/// small numbers, of which `f64` holds those from `x = 2^-359` on: 718 bits are lost there, the most
/// of any operation that a bound in ulps is for. The others are for rounding: at 4,094 that is 4,093 and hardly
/// more, which only 11,825 bits tell from a tie of `f16`.
pub(crate) const PRECISIONS: [usize; 7] = [128, 320, 1280, 3200, 6144, 9088, 12_032];

thread_local! {
    static LEVEL: Cell<usize> = const { Cell::new(0) };
}

/// Computes at the precision of that level from now on, on this thread.
pub(crate) fn set_level(level: usize) {
    LEVEL.set(level);
}

/// The level that has so many bits.
pub(crate) fn level_of(bits: f64) -> usize {
    let enough = |&precision: &usize| precision as f64 >= bits;
    PRECISIONS
        .iter()
        .position(enough)
        .unwrap_or(PRECISIONS.len() - 1)
}

/// The place of the precision in [`PRECISIONS`].
pub(crate) fn level() -> usize {
    LEVEL.get()
}

pub(crate) fn precision() -> usize {
    PRECISIONS[level()]
}

/// The number, exactly.
pub(crate) fn of(x: f64) -> BigFloat {
    from_f64(x, precision())
}

/// As `BigFloat::from_f64`, which of version 0.3.7 makes half of every subnormal number.
pub(crate) fn from_f64(x: f64, precision: usize) -> BigFloat {
    const UP: i32 = 64;
    if x.is_subnormal() {
        scaled(&BigFloat::from_f64(x * 2f64.powi(UP), precision), -UP)
    } else {
        BigFloat::from_f64(x, precision)
    }
}

/// The logarithm of the magnitude to some 50 bits; `-∞` for zero, and for what is not finite, which
/// makes no error.
pub(crate) fn log2(x: &BigFloat) -> f64 {
    match (fraction(x), x.exponent()) {
        (Some(f), Some(e)) if f != 0.0 => f.abs().log2() + f64::from(e),
        _ => f64::NEG_INFINITY,
    }
}

/// The mantissa to 53 bits, with its sign: 0, or at least 1/2 and at most 1.
pub(crate) fn fraction(x: &BigFloat) -> Option<f64> {
    const HALF: u32 = u64::BITS / 2;
    let top = top(x)?;
    let high = (top >> u64::BITS) as u64;
    let f = f64::from((high >> HALF) as u32) + f64::from(high as u32) / 4294967296.0;
    let f = f / 4294967296.0;
    Some(if x.sign() == Some(Sign::Neg) { -f } else { f })
}

/// The first 128 bits of the mantissa, the last of them 1 if there are more.
pub(crate) fn top(x: &BigFloat) -> Option<u128> {
    let digits = x.mantissa_digits()?;
    let bits = Word::BITS;
    let (mut top, mut filled) = (0, 0);
    for &digit in digits.iter().rev() {
        if filled < u128::BITS {
            top |= u128::from(digit) << (u128::BITS - bits - filled);
            filled += bits;
        } else if digit != 0 {
            top |= 1;
        }
    }
    Some(top)
}

/// The nearest `f64`, or one beside it.
pub(crate) fn to_f64(x: &BigFloat) -> f64 {
    match (fraction(x), x.exponent()) {
        // Beyond these it is 0 or infinite; two steps, for 2^-1074 is not one over 2^1074.
        (Some(f), Some(e)) => {
            let e = e.clamp(-1200, 1200);
            f * 2f64.powi(e / 2) * 2f64.powi(e - e / 2)
        }
        _ if x.is_inf_pos() => f64::INFINITY,
        _ if x.is_inf_neg() => f64::NEG_INFINITY,
        _ => f64::NAN,
    }
}

/// `x·2^n`
pub(crate) fn scaled(x: &BigFloat, n: i32) -> BigFloat {
    let mut x = x.clone();
    if let Some(e) = x.exponent().filter(|_| !x.is_zero()) {
        x.set_exponent(e + n as Exponent);
    }
    x
}
