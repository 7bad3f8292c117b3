//! A number of many bits that knows how far it may be off.

use core::cmp::Ordering;
use core::ops::{Add, Div, Mul, Neg, Sub};

use astro_float_num::BigFloat;

use crate::float::{ROUND, log2, of, precision};

/// What is zero because its exponent is too small is below this power of two, and what is infinite
/// above its reciprocal.
pub(crate) const VANISHED: f64 = -4e8;

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
        Self::computed(value, 1.0 - precision() as f64, error)
    }

    pub(crate) fn exact(x: f64) -> Self {
        Self {
            value: of(x),
            error: f64::NEG_INFINITY,
        }
    }

    /// `log2 |x|`; `-∞` for zero.
    pub(crate) fn log2(&self) -> f64 {
        log2(&self.value)
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
        let value = self.value.add(&other.value, precision(), ROUND);
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
        let value = a.value.mul(&b.value, precision(), ROUND);
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
        let value = a.value.div(&b.value, precision(), ROUND);
        if b.value.is_inf() {
            let error = a.log2() + VANISHED;
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
