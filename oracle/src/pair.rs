//! A double-double with an exponent of its own that knows how far it may be off: the truth, for nearly every result
//! of `f64`. It takes a hundredth of the time of [`Big`](crate::Big).

use core::cmp::Ordering;
use core::ops::{Add, Div, Mul, Neg, Sub};

use crate::double_double::{DoubleDouble, add, mul, power_of_two, quick_two_sum, times};
use crate::doubt;

/// What a sum, a product, a quotient lose, relative to the result.
const ROUNDING: f64 = power_of_two(-101);
/// For the rounding of the bounds themselves.
const SLACK: f64 = 1.0 + power_of_two(-40);
/// Two numbers whose exponents are so far apart do not meet.
const APART: i64 = 400;
/// The largest exponent of an argument of `e^x`; what is beyond is infinite or vanishes.
const LARGEST: i64 = 40;
/// The exponent of what vanishes so.
const VANISHED: i64 = -(1 << LARGEST);
/// That of zero, and of what is next to it.
const NOTHING: i64 = -(1 << 56);

/// `(high + low)·2^exponent`, within `error·2^exponent`. `high` is from 1 to 2, or 0; infinite for what is beyond all
/// exponents; NaN for what is not known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    high: f64,
    low: f64,
    exponent: i64,
    error: f64,
}

impl Pair {
    const UNKNOWN: Self = Self {
        high: f64::NAN,
        low: 0.0,
        exponent: 0,
        error: f64::INFINITY,
    };

    fn infinite(sign: f64) -> Self {
        Self {
            high: f64::INFINITY.copysign(sign),
            low: 0.0,
            exponent: 0,
            error: 0.0,
        }
    }

    fn vanished(exponent: i64, error: f64) -> Self {
        Self {
            high: 0.0,
            low: 0.0,
            exponent,
            error,
        }
    }

    fn new((high, low): DoubleDouble, exponent: i64, error: f64) -> Self {
        let error = error * SLACK;
        if high == 0.0 {
            let exponent = if error == 0.0 { NOTHING } else { exponent };
            let vanished = Self::vanished(exponent, error);
            return Self { high, ..vanished };
        }
        if !high.is_finite() || !error.is_finite() {
            return Self::UNKNOWN;
        }
        let up = (high.to_bits() >> 52 & 0x7ff) as i64 - 1023;
        let scale = power_of_two(-up);
        Self {
            high: high * scale,
            low: low * scale,
            exponent: exponent + up,
            error: error * scale,
        }
    }

    fn is_infinite(self) -> bool {
        self.high.is_infinite()
    }

    /// The magnitude, or a little more.
    fn size(self) -> f64 {
        self.high.abs() * SLACK
    }

    /// With what is to be lost besides, relative to it.
    fn off_by(self, relative: f64) -> Self {
        let error = self.error + self.size() * relative;
        Self { error, ..self }
    }

    /// With its error, but without its exponent, if that is not far from 0.
    fn plain(self) -> (DoubleDouble, f64) {
        let scale = power_of_two(self.exponent);
        ((self.high * scale, self.low * scale), self.error * scale)
    }

    /// Whether it is known to so small a part of itself, or to be far below the smallest `f64`.
    pub(crate) fn is_known_to(self, relative: f64, nothing: i64) -> bool {
        !self.high.is_nan()
            && (self.error <= self.high.abs() * relative
                || self.exponent < nothing - 3 && self.error <= 4.0)
    }

    /// Just below a power of two, where it may be on either side: an ulp is half as large there.
    pub(crate) fn or_below(self) -> Self {
        let near = self.high.abs() == 1.0 && self.low.abs() <= self.error;
        let low = if near && !self.is_exact() {
            -self.error.copysign(self.high)
        } else {
            self.low
        };
        Self { low, ..self }
    }

    pub(crate) fn is_exact(self) -> bool {
        self.error == 0.0
    }

    pub(crate) fn is_negative(self) -> bool {
        self.high.is_sign_negative()
    }

    /// `(top, exponent)` so that the magnitude is `top/2^128·2^exponent`; the highest bit of `top` is set, the lowest
    /// if there is more. `None` for what is no number; `top` is 0 for 0.
    pub(crate) fn top(self) -> Option<(u128, i32)> {
        if !self.high.is_finite() {
            return None;
        }
        if self.high == 0.0 {
            return Some((0, 0));
        }
        let (high, low) = if self.high < 0.0 {
            (-self.high, -self.low)
        } else {
            (self.high, self.low)
        };
        let high = u128::from(high.to_bits() << 11 | 1 << 63) << 64;
        let low = low * power_of_two(127);
        let whole = low.floor();
        let top = high.wrapping_add_signed(whole as i128) | u128::from(whole != low);
        let short = top.leading_zeros();
        let exponent = self.exponent + 1 - i64::from(short);
        let exponent = exponent.clamp(-1_000_000_000, 1_000_000_000);
        Some((top << short, exponent as i32))
    }

    /// The nearest `f64`, or one beside it.
    pub(crate) fn to_f64(self) -> f64 {
        let (high, low) = self.over_power(0);
        // -0 and 0 were 0.
        if low == 0.0 { high } else { high + low }
    }

    /// High and low part over `2^n`.
    pub(crate) fn over_power(self, n: i32) -> DoubleDouble {
        let n = (self.exponent - i64::from(n)).clamp(-1200, 1200);
        let (half, rest) = (power_of_two(n / 2), power_of_two(n - n / 2));
        let high = self.high * half * rest;
        let low = if high.is_finite() {
            self.low * half * rest
        } else {
            0.0
        };
        (high, low)
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self.is_infinite() && other.is_infinite() {
            doubt::cast();
        }
        if self.is_infinite() || other.is_infinite() {
            return self.high.partial_cmp(&other.high);
        }
        let difference = *self - *other;
        let apart = difference.high.abs() > difference.error * SLACK;
        if difference.error != 0.0 && !apart {
            doubt::cast();
        }
        difference.high.partial_cmp(&0.0)
    }
}

impl Neg for Pair {
    type Output = Self;
    fn neg(self) -> Self {
        let (high, low) = (-self.high, -self.low);
        Self { high, low, ..self }
    }
}

impl Add for Pair {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        if self.is_infinite() && other.high.is_finite() {
            return self;
        }
        if other.is_infinite() && self.high.is_finite() {
            return other;
        }
        if self.high == 0.0 && self.error == 0.0 {
            return other;
        }
        if other.high == 0.0 && other.error == 0.0 {
            return self;
        }
        let (a, b) = if self.exponent >= other.exponent {
            (self, other)
        } else {
            (other, self)
        };
        let down = a.exponent - b.exponent;
        if down > APART {
            let error = a.error + (b.size() + b.error) * power_of_two(-APART);
            return Self::new((a.high, a.low), a.exponent, error);
        }
        let scale = power_of_two(-down);
        let sum = add((a.high, a.low), (b.high * scale, b.low * scale));
        let exact = a.low == 0.0 && b.low == 0.0;
        let own = if exact { 0.0 } else { sum.0.abs() * ROUNDING };
        Self::new(sum, a.exponent, a.error + b.error * scale + own)
    }
}

impl Sub for Pair {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Pair {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let (a, b) = (self, other);
        if a.is_infinite() || b.is_infinite() {
            // Beyond all exponents times less than one may be anything.
            let small = |x: Self| !x.is_infinite() && (x.exponent < 0 || x.high == 0.0);
            let product = a.high * b.high;
            return if small(a) || small(b) || product.is_nan() {
                Self::UNKNOWN
            } else {
                Self::infinite(product)
            };
        }
        let product = mul((a.high, a.low), (b.high, b.low));
        let exact = a.low == 0.0 && b.low == 0.0;
        let own = if exact {
            0.0
        } else {
            product.0.abs() * ROUNDING
        };
        let crossed = a.size() * b.error + b.size() * a.error + a.error * b.error;
        Self::new(product, a.exponent + b.exponent, crossed + own)
    }
}

impl Div for Pair {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let (a, b) = (self, other);
        if b.is_infinite() && a.high.is_finite() {
            let vanished = Self::vanished(a.exponent + VANISHED, a.size() + a.error);
            let high = 0f64.copysign(a.high * b.high);
            return Self { high, ..vanished };
        }
        if b.high == 0.0 || b.error > 0.25 || a.is_infinite() {
            return Self::UNKNOWN;
        }
        let divisor = (b.high, b.low);
        let less = |a: DoubleDouble, q: f64| {
            let (high, low) = times(divisor, q);
            add(a, (-high, -low))
        };
        let first = a.high / b.high;
        let rest = less((a.high, a.low), first);
        let second = rest.0 / b.high;
        let rest = less(rest, second);
        let third = rest.0 / b.high;
        let (high, low) = quick_two_sum(first, second);
        let quotient = add((high, low), (third, 0.0));
        let exact = a.low == 0.0 && b.low == 0.0 && rest == (0.0, 0.0);
        let own = if exact {
            0.0
        } else {
            quotient.0.abs() * ROUNDING
        };
        let crossed = (a.error + quotient.0.abs() * b.error) / (1.0 - b.error);
        Self::new(quotient, a.exponent - b.exponent, crossed * SLACK + own)
    }
}

mod functions;
#[cfg(test)]
mod tests;
