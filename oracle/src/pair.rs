//! A double-double with an exponent of its own that knows how far it may be off: the truth, for nearly every result
//! of `f64`. It takes a hundredth of the time of [`Big`](crate::Big).

use core::cmp::Ordering;
use core::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::LazyLock;

use halfwave_kernels::OracleNumber;

use crate::big::Big;
use crate::bounded::power_of_two;
use crate::double_double::{DoubleDouble, add, mul, quick_two_sum, times, two_product, two_sum};
use crate::doubt;
use crate::float::to_f64;

/// What a sum, a product, a quotient lose, relative to the result.
const ROUNDING: f64 = power_of_two(-101);
/// What a function loses.
const OWN: f64 = power_of_two(-94);
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

    /// `(k, e^r - 1, 2^(i/64))` and the error of r, where the argument is `(k + i/64)·ln 2 + r`, which has an exponent
    /// of less than [`LARGEST`].
    fn exp_reduced(self) -> (i64, usize, DoubleDouble, f64) {
        let (x, error) = self.plain();
        let n = (x.0 * (64.0 / core::f64::consts::LN_2)).round();
        let (high, low) = TABLES.ln2_64;
        let (product, lost) = two_product(n, high);
        let r = add(add(x, (-product, -lost)), (-n * low, 0.0));
        let n_error = n.abs() * power_of_two(-111);
        let k = (n as i64 + 32) >> 6;
        let i = (n as i64 - (k << 6) + 32) as usize;
        (k, i, exp_m1_near_zero(r), error + n_error)
    }
}

/// `e^r - 1` for `|r| ≤ ln 2/128`, by Taylor's series. What the last terms round off does not count.
fn exp_m1_near_zero(r: DoubleDouble) -> DoubleDouble {
    const SHORT: usize = 7;
    let c = &TABLES.factorials;
    let mut tail = c[12].0;
    for c in c[SHORT..12].iter().rev() {
        tail = tail * r.0 + c.0;
    }
    let mut sum = (tail, 0.0);
    for &c in c[1..SHORT].iter().rev() {
        sum = add(mul(sum, r), c);
    }
    mul(sum, r)
}

/// For `erfc`: how many expansions there are to 1, and up to where.
const NODES: f64 = 64.0;
const LAST_NODE: f64 = 28.5;
/// How many terms each has, of which the last ones are so small that `f64` holds enough of them.
const TERMS: usize = 25;
const LONG_TERMS: usize = 15;

struct Tables {
    /// ln 2/64
    ln2_64: DoubleDouble,
    /// `1/n!`
    factorials: [DoubleDouble; 13],
    /// `2^(i/64)` for i from -32 to 31.
    powers: [DoubleDouble; 64],
    pi: DoubleDouble,
}

fn double_double(x: &Big) -> DoubleDouble {
    let high = to_f64(&x.value);
    let low = to_f64(&(x.clone() - Big::of(high)).value);
    two_sum(high, low)
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let ln2_64 = || Big::of(1.0).ln_1p() / Big::of(64.0);
    let mut factorial = 1.0;
    let factorials = std::array::from_fn(|n| {
        factorial *= n.max(1) as f64;
        double_double(&(Big::of(1.0) / Big::of(factorial)))
    });
    let power = |i| double_double(&(Big::of(i as f64 - 32.0) * ln2_64()).exp());
    Tables {
        ln2_64: double_double(&ln2_64()),
        factorials,
        powers: std::array::from_fn(power),
        pi: double_double(&Big::pi()),
    }
});

/// Of each node c, erfc's Taylor coefficients over 2^exponent, the one with which erfc(c) is about 1.
static ERFC: LazyLock<Vec<(i64, [DoubleDouble; TERMS])>> = LazyLock::new(|| {
    let nodes = 0..=(LAST_NODE * NODES) as u32;
    nodes.map(|i| erfc_at(f64::from(i) / NODES)).collect()
});

/// With f′ = -2/√π·e^(-x²) it is f″ = -2x·f′, so for the coefficients a of f and n ≥ 1:
/// `(n + 1)·(n + 2)·a[n + 2] = -2c·(n + 1)·a[n + 1] - 2n·a[n]`
fn erfc_at(c: f64) -> (i64, [DoubleDouble; TERMS]) {
    let of = Big::of;
    let mut a = vec![of(c).erfc()];
    a.push(-(of(2.0) / Big::pi().sqrt() * (-(of(c) * of(c))).exp()));
    for n in 0..TERMS - 2 {
        let (m, x) = (n as f64, of(c));
        let above = of(-2.0 * (m + 1.0)) * x * a[n + 1].clone() - of(2.0 * m) * a[n].clone();
        a.push(above / of((m + 1.0) * (m + 2.0)));
    }
    let exponent = a[0].log2().floor() as i64;
    let scale = |a: &Big| {
        let half = of(power_of_two(-exponent / 2));
        let rest = of(power_of_two(-exponent + exponent / 2));
        double_double(&(a.clone() * half * rest))
    };
    (exponent, std::array::from_fn(|n| scale(&a[n])))
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

impl OracleNumber for Pair {
    fn of(x: f64) -> Self {
        const UP: i64 = 600;
        if x.is_finite() && x.abs() > 1.0 {
            Self::new((x * power_of_two(-UP), 0.0), UP, 0.0)
        } else if x.is_subnormal() {
            Self::new((x * power_of_two(UP), 0.0), -UP, 0.0)
        } else if x.is_infinite() {
            Self::infinite(x)
        } else {
            Self::new((x, 0.0), 0, 0.0)
        }
    }

    // Over d in the argument, e^x changes by 2·d of itself or less, for d up to 1.
    fn exp(self) -> Self {
        if self.high.is_nan() || self.high == 0.0 && self.exponent > -APART && !self.is_exact() {
            return Self::UNKNOWN;
        }
        if self.is_infinite() || self.exponent >= LARGEST {
            return if self.high < 0.0 {
                Self::vanished(VANISHED, 1.0)
            } else {
                Self::infinite(1.0)
            };
        }
        if self.exponent < -APART {
            let error = power_of_two(-APART) * (4.0 + self.error);
            return Self::new((1.0, 0.0), 0, error);
        }
        let (k, i, m, error) = self.exp_reduced();
        if error > 0.5 {
            return Self::UNKNOWN;
        }
        let power = TABLES.powers[i];
        let value = add(power, mul(power, m));
        Self::new(value, k, value.0 * (2.0 * error + OWN))
    }

    fn exp_m1(self) -> Self {
        if !self.high.is_finite() || self.exponent >= LARGEST {
            return self.exp() - Self::of(1.0);
        }
        // x + x²/2, where the second counts for nothing.
        if self.exponent < -110 {
            return self.off_by(power_of_two(-109));
        }
        let (k, i, m, error) = self.exp_reduced();
        if error > 0.5 {
            return Self::UNKNOWN;
        }
        if k != 0 {
            return self.exp() - Self::of(1.0);
        }
        let (high, low) = TABLES.powers[i];
        let value = if i == 32 {
            m
        } else {
            add(add((high, low), (-1.0, 0.0)), mul((high, low), m))
        };
        Self::new(value, 0, value.0.abs() * OWN + 4.0 * error)
    }

    // From an `f64` near it, y: ln(1 + x) = y + ln(1 + d) with d = (1 + x - e^y)/e^y, of about 2^-52 of y.
    fn ln_1p(self) -> Self {
        if self.exponent < -110 {
            return self.off_by(power_of_two(-109));
        }
        if !self.high.is_finite() || self.exponent > 1000 || self.error > 0.25 {
            return Self::UNKNOWN;
        }
        let (x, _) = self.plain();
        if x.0 < -0.75 {
            return Self::UNKNOWN;
        }
        let y = OracleNumber::ln_1p(x.0);
        if y == 0.0 {
            return Self::UNKNOWN;
        }
        let y = Self::of(y);
        let m = y.exp_m1();
        let d = (self - m) / (Self::of(1.0) + m);
        let square = d * d;
        let result = y + (d - square / Self::of(2.0));
        // The third term is below the square of d.
        result.off_by(OWN) + Self::vanished(square.exponent, 4.0 * power_of_two(-30))
    }

    fn tanh(self) -> Self {
        let m = (Self::of(-2.0) * self.abs()).exp_m1();
        let t = -m / (m + Self::of(2.0));
        if self.is_negative() { -t } else { t }
    }

    fn erfc(self) -> Self {
        if !self.high.is_finite() || self.exponent > 30 {
            // Of far out, this much is known.
            return match self.high {
                x if x == f64::INFINITY || x > 0.0 => Self::vanished(NOTHING, 1.0),
                x if x < 0.0 => Self::of(2.0),
                _ => Self::UNKNOWN,
            };
        }
        if self.exponent < -APART {
            let error = power_of_two(-APART) * (4.0 + self.error);
            return Self::new((1.0, 0.0), 0, error);
        }
        let (x, error) = self.abs().plain();
        let tail = if x.0 >= LAST_NODE {
            // It is below e^(-x²).
            let exponent = -((x.0 - 1e-9) * (x.0 - 1e-9) * core::f64::consts::LOG2_E) as i64;
            Self::vanished(exponent, if error < 1e-9 { 1.0 } else { f64::INFINITY })
        } else {
            let i = (x.0 * NODES).round();
            let h = add(x, (-i / NODES, 0.0));
            let (exponent, a) = &ERFC[i as usize];
            let short = a[LONG_TERMS..].iter().rev();
            let tail = short.fold(0.0, |sum, a| sum * h.0 + a.0);
            let mut sum = (tail, 0.0);
            for &a in a[..LONG_TERMS].iter().rev() {
                sum = add(mul(sum, h), a);
            }
            // The slope is at most 2·x + 2 times the value.
            let slope = (2.0 * x.0 + 2.0) * 2.0;
            if error * slope > 0.1 {
                return Self::UNKNOWN;
            }
            Self::new(sum, *exponent, sum.0 * (slope * error + OWN))
        };
        if self.high < 0.0 {
            Self::of(2.0) - tail
        } else {
            tail
        }
    }

    fn sqrt(self) -> Self {
        if self.error > 0.25 || !(self.high > 0.0) || self.is_infinite() {
            return Self::UNKNOWN;
        }
        let odd = self.exponent & 1;
        let scale = if odd == 1 { 2.0 } else { 1.0 };
        let x = (self.high * scale, self.low * scale);
        let root = OracleNumber::sqrt(x.0);
        let (high, low) = two_product(root, root);
        let rest = add(x, (-high, -low));
        let value = quick_two_sum(root, rest.0 / (2.0 * root));
        let error = self.error * scale + value.0 * power_of_two(-99);
        Self::new(value, (self.exponent - odd) / 2, error)
    }

    fn pi() -> Self {
        Self::new(TABLES.pi, 0, 4.0 * ROUNDING)
    }

    fn abs(self) -> Self {
        if self.high < 0.0 { -self } else { self }
    }
}

#[cfg(test)]
mod tests;
