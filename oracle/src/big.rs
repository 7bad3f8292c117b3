//! A number of many bits that knows how far it may be off.

use core::cmp::Ordering;
use core::ops::{Add, Div, Mul, Neg, Sub};

use astro_float_num::{BigFloat, RoundingMode, Sign, Word};

use crate::functions;

/// Which way the last bit goes does not matter: the error is bounded all the same.
pub(crate) const ROUND: RoundingMode = RoundingMode::None;

/// The bits that are tried one after the other.
///
/// The first leaves 50 bits for what a formula loses; most need no more. `x - tanh(x)` is `x³/3` for
/// small numbers, of which `f64` holds those from `x = 2^-359` on: 718 bits are lost there, the most
/// of any operation.
pub(crate) const PRECISIONS: [usize; 3] = [128, 320, 1280];

/// A real number in arbitrary precision, by [`astro_float_num`], and a bound of its error: every
/// operation adds what it rounds to what its operands were off. So [`truth`](crate::truth) knows
/// whether a result is good enough, or has to be computed again with more bits.
///
/// Its exponents have some 30 bits. What is too small for them is zero, what is too large is infinite.
#[derive(Clone, Debug)]
pub struct Big {
    pub(crate) value: BigFloat,
    /// The base-2 logarithm of the bound; `-∞` if the value is exact.
    pub(crate) error: f64,
}

impl Big {
    /// What was computed with a relative error of `2^relative`, besides `error` from the operands.
    pub(crate) fn computed(value: BigFloat, relative: f64, error: f64) -> Self {
        let own = log2(&value) + relative;
        Self {
            value,
            error: sum(own, error),
        }
    }

    /// After one operation that rounds.
    fn rounded(value: BigFloat, error: f64) -> Self {
        Self::computed(value, 1.0 - functions::precision() as f64, error)
    }

    pub(crate) fn exact(x: f64) -> Self {
        Self {
            value: functions::of(x),
            error: f64::NEG_INFINITY,
        }
    }

    /// `log2 |x|`; `-∞` for zero.
    pub(crate) fn log2(&self) -> f64 {
        log2(&self.value)
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

/// `log2(2^a + 2^b)`, for bounds.
pub(crate) fn sum(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY || high == f64::INFINITY {
        high
    } else {
        high + (1.0 + (low - high).exp2()).log2()
    }
}

impl PartialEq for Big {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.cmp(&other.value).map(|order| order.cmp(&0))
    }
}

impl Neg for Big {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            value: self.value.neg(),
            error: self.error,
        }
    }
}

impl Add for Big {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let value = self.value.add(&other.value, functions::precision(), ROUND);
        Self::rounded(value, sum(self.error, other.error))
    }
}

impl Sub for Big {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Big {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let (a, b) = (&self, &other);
        let value = a.value.mul(&b.value, functions::precision(), ROUND);
        let crossed = sum(times(a.log2(), b.error), times(b.log2(), a.error));
        Self::rounded(value, sum(crossed, times(a.error, b.error)))
    }
}

/// The logarithm of a product: zero times anything is zero.
fn times(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else {
        a + b
    }
}

impl Div for Big {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let (a, b) = (&self, &other);
        let value = a.value.div(&b.value, functions::precision(), ROUND);
        if b.value.is_inf() {
            let error = a.log2() + functions::VANISHED;
            return Self { value, error };
        }
        if b.error > b.log2() - 2.0 {
            let error = f64::INFINITY;
            return Self { value, error };
        }
        // (a + α)/(b + β) - a/b = (α - a/b·β)/(b + β), and |b + β| is at least 3/4·|b|.
        let above = sum(a.error, times(log2(&value), b.error));
        let error = times(above, 0.5 - b.log2());
        Self::rounded(value, error)
    }
}
