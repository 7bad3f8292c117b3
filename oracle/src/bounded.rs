//! An `f64` that knows how far it may be off: the truth, for most results of `f32` and narrower.

use core::cmp::Ordering;
use core::ops::{Add, Div, Mul, Neg, Sub};

use halfwave_kernels::OracleNumber;

use crate::double_double::{power_of_two, two_sum};
use crate::doubt;

/// What rounding to nearest loses, relative to the result.
const ROUNDING: f64 = power_of_two(-53);
/// What a function of the `libm` crate loses: 4 ulps, where it promises one or two.
const LIBM: f64 = power_of_two(-50);
/// More than any result loses that is subnormal.
const UNDERFLOW: f64 = power_of_two(-1022);
/// For the rounding of the bounds themselves.
const SLACK: f64 = 1.0 + power_of_two(-40);
/// What is infinite is beyond this.
const BEYOND: f64 = power_of_two(1000);

/// A number in `f64` and a bound of its error, to which every operation adds what it rounds. An infinite one stands
/// for what is beyond 2<sup>1000</sup>; NaN for what is not known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounded {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

impl Bounded {
    fn new(value: f64, error: f64) -> Self {
        if value.is_finite() {
            let error = error * SLACK;
            Self { value, error }
        } else if value.is_nan() {
            Self::UNKNOWN
        } else {
            Self { value, error: 0.0 }
        }
    }

    const UNKNOWN: Self = Self {
        value: f64::NAN,
        error: f64::INFINITY,
    };

    fn is_infinite(self) -> bool {
        self.value.is_infinite()
    }
}

/// Whether the product of both has no more than 53 bits.
fn is_short(a: f64, b: f64) -> bool {
    (a.to_bits() | b.to_bits()) << (64 - 27) == 0
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Bounded {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let error = self.error + other.error;
        let apart = (self.value - other.value).abs() > error;
        if error != 0.0 && !apart || self.is_infinite() && other.is_infinite() {
            doubt::cast();
        }
        self.value.partial_cmp(&other.value)
    }
}

impl Neg for Bounded {
    type Output = Self;
    fn neg(self) -> Self {
        let value = -self.value;
        Self { value, ..self }
    }
}

impl Add for Bounded {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (a, b) = (self.value, other.value);
        let (sum, lost) = two_sum(a, b);
        if !sum.is_finite() {
            // Beyond 2^1000 less that much may be anything.
            let far = |x: Self| x.value.is_finite() && x.value.abs() > power_of_two(999);
            let lost = self.is_infinite() && far(other) || other.is_infinite() && far(self);
            return if lost {
                Self::UNKNOWN
            } else {
                Self::new(sum, 0.0)
            };
        }
        Self::new(sum, self.error + other.error + lost.abs())
    }
}

impl Sub for Bounded {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Bounded {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let (a, b) = (self.value, other.value);
        // Beyond 2^1000 times less than one may be anything.
        if self.is_infinite() && b.abs() < 1.0 || other.is_infinite() && a.abs() < 1.0 {
            return Self::UNKNOWN;
        }
        let product = a * b;
        let exact = is_short(a, b) && product.abs() > power_of_two(-900) || a == 0.0 || b == 0.0;
        let lost = if exact {
            0.0
        } else {
            product.abs() * ROUNDING + UNDERFLOW
        };
        let crossed = a.abs() * other.error + b.abs() * self.error;
        Self::new(product, crossed + self.error * other.error + lost)
    }
}

impl Div for Bounded {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let (a, b) = (self.value, other.value);
        if other.is_infinite() && a.is_finite() {
            let error = (a.abs() + self.error) / BEYOND + UNDERFLOW;
            return Self { value: 0.0, error };
        }
        if self.is_infinite() && b.abs() > 1.0 || other.error > b.abs() / 4.0 || b == 0.0 {
            return Self::UNKNOWN;
        }
        let quotient = a / b;
        let crossed = (self.error + quotient.abs() * other.error) / (b.abs() - other.error);
        let lost = quotient.abs() * ROUNDING + UNDERFLOW;
        Self::new(quotient, crossed * SLACK + lost)
    }
}

impl OracleNumber for Bounded {
    fn of(x: f64) -> Self {
        Self::new(x, 0.0)
    }

    // Over d in the argument, e^x changes by 2·d of itself or less, for d up to 1.
    fn exp(self) -> Self {
        if self.error > 0.5 {
            return Self::UNKNOWN;
        }
        let value = OracleNumber::exp(self.value);
        Self::new(value, value * (2.0 * self.error + LIBM) + UNDERFLOW)
    }

    fn exp_m1(self) -> Self {
        if self.error > 0.5 {
            return Self::UNKNOWN;
        }
        let value = OracleNumber::exp_m1(self.value);
        let slope = 2.0 * (value + 1.0);
        let lost = value.abs() * LIBM + UNDERFLOW;
        Self::new(value, slope * self.error + lost)
    }

    fn ln_1p(self) -> Self {
        let least = 1.0 + self.value - self.error;
        if least < 0.25 || self.is_infinite() {
            return Self::UNKNOWN;
        }
        let value = OracleNumber::ln_1p(self.value);
        let lost = value.abs() * LIBM + UNDERFLOW;
        Self::new(value, self.error / least * SLACK + lost)
    }

    fn tanh(self) -> Self {
        let value = OracleNumber::tanh(self.value);
        Self::new(value, self.error + value.abs() * LIBM + UNDERFLOW)
    }

    // The slope, -2/√π·e^(-x²), is at most 2·x + 2 times the value where x is positive.
    fn erfc(self) -> Self {
        if self.error * (self.value.abs() + 1.0) > 0.1 {
            return Self::UNKNOWN;
        }
        let value = OracleNumber::erfc(self.value);
        let moved = if self.error == 0.0 {
            0.0
        } else if self.value > 0.0 {
            self.error * value * (2.0 * self.value + 2.0) * 2.0
        } else {
            self.error * 1.2
        };
        Self::new(value, moved + 2.0 * value * LIBM + UNDERFLOW)
    }

    fn sqrt(self) -> Self {
        if self.error * 4.0 > self.value || self.is_infinite() {
            return Self::UNKNOWN;
        }
        let value = OracleNumber::sqrt(self.value);
        Self::new(value, self.error / value + value * ROUNDING)
    }

    fn pi() -> Self {
        Self::new(core::f64::consts::PI, 4.0 * ROUNDING)
    }

    fn abs(self) -> Self {
        let value = self.value.abs();
        Self { value, ..self }
    }
}
