//! The true value, and how far a result is from it.

use astro_float_num::{BigFloat, Sign};
use halfwave_kernels::OracleNumber;

use crate::big::Big;
use crate::float::{
    PRECISIONS, ROUND, from_f64, level, log2, of, precision, set_level, to_f64, top,
};
use crate::format::Format;

/// How small the error of a truth is, relative to it, as a power of two: 2^-23 ulps of `f64`.
const ENOUGH: f64 = -76.0;

/// Or, where the truth itself is that small or zero: far below the smallest number of `f64`.
const NOTHING: f64 = -1150.0;

/// The true value of a function at some number, with an error below `2^-76` of it, or, if it is below
/// the smallest number of `f64`, far below that.
#[derive(Clone, Debug)]
pub struct Truth(BigFloat);

/// `f(x)`, where `f` is a formula for any number type: an operation's oracle. With as many bits as it
/// takes.
///
/// ```
/// use halfwave_kernels::{Oracle, Softsign};
/// use halfwave_oracle::truth;
///
/// let t = truth(2.0, |x| Softsign.oracle::<f64, _>(x));
/// assert_eq!(t.nearest::<f64>(), 2.0 / 3.0);
/// assert!(t.ulps(2.0 / 3.0f64) < 0.5);
/// assert!(t.ulps(2.0 / 3.0 + f64::EPSILON) > 1.0);
/// ```
///
/// # Panics
/// If 12,032 bits are not enough, or the formula makes a NaN of a number: it cancels more than any
/// should, or goes by way of numbers beyond all exponents.
pub fn truth(x: f64, f: impl Fn(Big) -> Big) -> Truth {
    with_bits(x, f, |y| y.error <= y.log2() + ENOUGH || y.error < NOTHING)
}

/// [`truth`] with as many bits as it takes to round it to `E`: x/2 + x²/6 is a tie but for its last
/// term, which for the smallest `bf16` is 10^40 times smaller. What is a tie with all bits there are is one.
///
/// ```
/// use halfwave_kernels::{HardSwish, Oracle, bf16};
/// use halfwave_oracle::truth_to_round;
///
/// let least = bf16::from_bits(1);
/// let t = truth_to_round::<bf16>(least.to_f64(), |x| HardSwish.oracle::<f32, _>(x));
/// assert_eq!(t.nearest::<bf16>(), least);
/// ```
///
/// # Panics
/// As [`truth`].
pub fn truth_to_round<E: Format>(x: f64, f: impl Fn(Big) -> Big) -> Truth {
    let near = truth(x, &f);
    if !near.is_by_a_tie::<E>() {
        return near;
    }
    with_bits(x, f, |y| {
        let few = f64::from_bits((to_f64(&y.value).to_bits() + (1 << 21)) >> 22 << 22);
        let beyond = y.value.sub(&of(few), precision(), ROUND);
        let last = level() + 1 == PRECISIONS.len();
        last || E::PRECISION < 30 && log2(&beyond) > y.error + 1.0
    })
}

/// `f(x)`, with more and more bits until that is enough.
fn with_bits(x: f64, f: impl Fn(Big) -> Big, enough: impl Fn(&Big) -> bool) -> Truth {
    for level in 0..PRECISIONS.len() {
        set_level(level);
        let y = f(Big::of(x));
        if enough(&y) && (!y.value.is_nan() || x.is_nan()) {
            set_level(0);
            return Truth(y.value);
        }
    }
    panic!("at {x:e} the formula loses too many bits");
}

impl Truth {
    /// The nearest `f64`, or one beside it.
    pub fn to_f64(&self) -> f64 {
        to_f64(&self.0)
    }

    /// The element nearest to it, ties to even.
    pub fn nearest<E: Format>(&self) -> E {
        let sign = if self.0.sign() == Some(Sign::Neg) {
            E::SIGN
        } else {
            0
        };
        let Some(top) = top(&self.0) else {
            return E::from_f64(self.to_f64());
        };
        let exponent = self.0.exponent().expect("a finite number");
        if top == 0 {
            return E::from_bits(sign);
        }
        E::from_bits(sign | magnitude::<E>(top, exponent))
    }

    /// Whether it is so near to the middle between two elements that its own error may matter.
    fn is_by_a_tie<E: Format>(&self) -> bool {
        let (Some(top), Some(exponent)) = (top(&self.0), self.0.exponent()) else {
            return false;
        };
        // What is far too large for `E`, or too small, has no tie beside it.
        if exponent - 1 > E::MAX_EXPONENT {
            return false;
        }
        let kept = kept::<E>(exponent - 1);
        let Ok(kept @ 0..) = u32::try_from(kept) else {
            return false;
        };
        let rest = top << kept;
        // Half of what is dropped; or of the whole, where nothing is kept.
        rest.abs_diff(TIE) <= 1 << (u128::BITS as i32 + ENOUGH as i32 + 1 + kept as i32)
    }

    /// How far `y` is from it, in ulps of the dtype where the truth is: the distance there between
    /// neighbours, which below the normal numbers is the smallest one.
    ///
    /// Where the truth is nearest to infinity, that is 0 ulps off. Where it is not, infinity counts
    /// as the power of two that it stands in place of. A NaN is infinitely far from a number.
    pub fn ulps<E: Format>(&self, y: E) -> f64 {
        let (t, y64) = (&self.0, y.to_f64());
        if t.is_nan() || y64.is_nan() {
            return if t.is_nan() && y64.is_nan() {
                0.0
            } else {
                f64::INFINITY
            };
        }
        let nearest = self.nearest::<E>();
        if !nearest.to_f64().is_finite() && y.bits() == nearest.bits() {
            return 0.0;
        }
        let largest_exponent = E::MAX_EXPONENT;
        let limit = |negative: bool| {
            let mut limit = BigFloat::from_f64(if negative { -1.0 } else { 1.0 }, 128);
            limit.set_exponent(largest_exponent + 2);
            limit
        };
        let value = |x: &BigFloat| {
            if x.is_inf() {
                limit(x.is_inf_neg())
            } else {
                x.clone()
            }
        };
        let y = value(&from_f64(y64, 128));
        let t = value(t);
        let exponent = if t.is_zero() {
            E::MIN_EXPONENT
        } else {
            let e = t.exponent().unwrap_or(0) - 1;
            e.clamp(E::MIN_EXPONENT, E::MAX_EXPONENT)
        };
        let mut difference = y.sub(&t, 128, ROUND);
        if difference.is_zero() {
            return 0.0;
        }
        let e = difference.exponent().unwrap_or(0);
        difference.set_exponent(e - (exponent - (E::PRECISION - 1)));
        to_f64(&difference).abs()
    }
}

/// Half an ulp, of what is dropped, as 128 bits.
const TIE: u128 = 1 << 127;

/// How many bits `E` keeps of 1.…·2^power.
fn kept<E: Format>(power: i32) -> i32 {
    E::PRECISION - (E::MIN_EXPONENT - power).max(0)
}

/// The bits of the magnitude nearest to `top/2^128·2^exponent`, where `top`'s highest bit is set.
fn magnitude<E: Format>(top: u128, exponent: i32) -> u64 {
    // As a normal number it is 1.… · 2^(exponent - 1).
    let power = exponent - 1;
    if power > E::MAX_EXPONENT {
        return bits_of_infinity::<E>();
    }
    let kept = kept::<E>(power);
    if kept < 0 {
        return 0;
    }
    let dropped = (128 - kept) as u32;
    let (whole, rest) = if dropped == 128 {
        (0, top)
    } else {
        (top >> dropped, top << kept)
    };
    let up = rest > TIE || rest == TIE && whole & 1 == 1;
    let whole = whole as u64 + u64::from(up);
    // A significand that was carried beyond its bits is the next exponent with a significand of 0.
    let biased = (power - E::MIN_EXPONENT).max(0) as u64;
    (biased << (E::PRECISION - 1)) + whole
}

fn bits_of_infinity<E: Format>() -> u64 {
    let exponents = (E::MAX_EXPONENT - E::MIN_EXPONENT + 2) as u64;
    exponents << (E::PRECISION - 1)
}

#[cfg(test)]
mod tests;
