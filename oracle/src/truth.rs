//! The true value, and how far a result is from it.

use astro_float_num::{BigFloat, Sign};
use halfwave_kernels::OracleNumber;

use crate::big::Big;
use crate::bounded::Bounded;
use crate::double_double::power_of_two;
use crate::doubt;
use crate::float::{PRECISIONS, ROUND, level, log2, of, precision, scaled, set_level, to_f64, top};
use crate::format::Format;
use crate::pair::Pair;

/// How small the error of a truth is, relative to it, as a power of two: 2^-23 ulps of `f64`.
const ENOUGH: f64 = -76.0;

/// Or, where the truth itself is that small or zero: far below the smallest number of `f64`.
const NOTHING: f64 = -1150.0;

/// The true value of a function at some number, with an error below `2^-76` of it, or, if it is below
/// the smallest number of `f64`, far below that; or, from [`truth_for`], as near as a dtype needs it.
#[derive(Clone, Debug)]
pub struct Truth(Value);

#[derive(Clone, Debug)]
enum Value {
    Pair(Pair),
    Big(BigFloat),
}

/// A formula for any number type: an operation's oracle, for [`truth_for`].
pub trait Formula {
    /// Its value at `x`.
    fn at<N: OracleNumber>(&self, x: N) -> N;
}

/// [`truth_to_round`], but by the shortest of three ways: in `f64`, where `E` is narrower, in double-doubles, in
/// arbitrary precision. Each knows how far its result may be off, and whether a comparison was in doubt on the way;
/// the next is taken where that leaves open which `E` is the nearest, or 2^-12 ulps of it. So it takes some 10
/// nanoseconds to some 100, and rarely the 10 to 50 microseconds of [`truth`].
///
/// # Panics
/// As [`truth`].
pub fn truth_for<E: Format>(x: f64, f: &impl Formula) -> Truth {
    if let Some(y) = in_f64::<E>(x, f) {
        return Truth(Value::Pair(Pair::of(y)));
    }
    if let Some(y) = doubt::without(|| f.at(Pair::of(x))) {
        let known = y.is_known_to(ENOUGH.exp2(), NOTHING as i64);
        if y.is_exact() || known && !Truth(Value::Pair(y)).is_by_a_tie::<E>(ENOUGH) {
            return Truth(Value::Pair(y.or_below()));
        }
    }
    truth_to_round::<E>(x, |x| f.at(x))
}

/// [`truth_for`] `f32`, as an `f64` that rounds to the same `f32` as the truth does.
///
/// # Panics
/// As [`truth`].
#[inline]
pub fn truth_in_f64(x: f64, f: &impl Formula) -> f64 {
    in_f64::<f32>(x, f).unwrap_or_else(|| truth_for::<f32>(x, f).to_odd())
}

/// What the formula makes of an infinity, as far as it can tell: many make a NaN of it.
pub fn limit(x: f64, f: &impl Formula) -> Option<f64> {
    in_f64::<f32>(x, f).filter(|y| !y.is_nan())
}

/// Where `f64` tells enough.
#[inline]
fn in_f64<E: Format>(x: f64, f: &impl Formula) -> Option<f64> {
    if E::PRECISION >= 30 {
        return None;
    }
    told::<E>(doubt::without(|| f.at(Bounded::of(x)))?)
}

/// The value, if it tells the nearest number of `E`, which is `f32` or narrower, and errors in ulps of it. An ulp is
/// half as large below a power of two: where the truth may be on either side, the value is below.
#[inline]
fn told<E: Format>(y: Bounded) -> Option<f64> {
    if y.error == 0.0 {
        return Some(y.value);
    }
    let size = y.value.abs();
    let ulp = power_of_two((1 - E::PRECISION).into());
    let least = power_of_two(E::MIN_EXPONENT.into());
    // Half an ulp of `f64` at least: a tie is no longer one.
    let error = y.error.max(size * power_of_two(-52));
    let (low, high) = (size - error, size + error);
    let known = y.error <= size.max(least) * ulp * power_of_two(-12);
    if !known || nearest::<E>(low) != nearest::<E>(high) {
        return None;
    }
    let below = low > least && (low.to_bits() ^ y.value.abs().to_bits()) >> 52 != 0;
    Some(if below {
        low.copysign(y.value)
    } else {
        y.value
    })
}

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
    if !near.is_by_a_tie::<E>(ENOUGH) {
        return near;
    }
    with_bits(x, f, |y| {
        // As near as the first 128 bits tell.
        const NEARER: f64 = -120.0;
        let truth = || Truth(Value::Big(y.value.clone()));
        if y.error < y.log2() + NEARER - 2.0 && !truth().is_by_a_tie::<E>(NEARER) {
            return true;
        }
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
            return Truth(Value::Big(y.value));
        }
    }
    panic!("at {x:e} the formula loses too many bits");
}

impl Truth {
    fn is_negative(&self) -> bool {
        match &self.0 {
            Value::Pair(x) => x.is_negative(),
            Value::Big(x) => x.sign() == Some(Sign::Neg),
        }
    }

    /// `(top, exponent)` so that the magnitude is `top/2^128·2^exponent`, the highest bit of `top` is set, and the
    /// lowest if there is more. `top` is 0 for 0. `None` for what is no finite number.
    fn top(&self) -> Option<(u128, i32)> {
        match &self.0 {
            Value::Pair(x) => x.top(),
            Value::Big(x) => Some((top(x)?, x.exponent()?)),
        }
    }

    /// The nearest `f64`, or one beside it.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Value::Pair(x) => x.to_f64(),
            Value::Big(x) => to_f64(x),
        }
    }

    /// The `f64` towards zero, but with its last bit set if there is more: what it rounds to, to fewer bits, is what
    /// the truth rounds to (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008). For dtypes to
    /// which 2^500 is too large and 2^-500 too small.
    fn to_odd(&self) -> f64 {
        let y = match self.top() {
            None => return self.to_f64(),
            Some((0, _)) => 0.0,
            Some((top, exponent)) => {
                let odd = (top >> 75) as u64 | u64::from(top << 53 != 0);
                odd as f64 * power_of_two((exponent.clamp(-500, 500) - 53).into())
            }
        };
        if self.is_negative() { -y } else { y }
    }

    /// The element nearest to it, ties to even.
    pub fn nearest<E: Format>(&self) -> E {
        let Some((top, exponent)) = self.top() else {
            return E::from_f64(self.to_f64());
        };
        let sign = if self.is_negative() { E::SIGN } else { 0 };
        if top == 0 {
            return E::from_bits(sign);
        }
        E::from_bits(sign | magnitude::<E>(top, exponent))
    }

    /// Whether it is so near to the middle between two elements that an error of `2^error` of it may matter.
    fn is_by_a_tie<E: Format>(&self, error: f64) -> bool {
        let Some((top, exponent)) = self.top() else {
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
        rest.abs_diff(TIE) <= 1 << (u128::BITS as i32 + error as i32 + 1 + kept as i32)
    }

    /// How far `y` is from it, in ulps of the dtype where the truth is: the distance there between
    /// neighbours, which below the normal numbers is the smallest one.
    ///
    /// Where the truth is nearest to infinity, that is 0 ulps off. Where it is not, infinity counts
    /// as the power of two that it stands in place of. A NaN is infinitely far from a number.
    pub fn ulps<E: Format>(&self, y: E) -> f64 {
        let (t, y64) = (self.to_f64(), y.to_f64());
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
        // In ulps, which are powers of two: infinity is one too.
        let limit =
            |sign: f64, ulp: i32| power_of_two((E::MAX_EXPONENT + 1 - ulp).into()).copysign(sign);
        let power = match self.top() {
            Some((1.., exponent)) => exponent - 1,
            Some((0, _)) => E::MIN_EXPONENT,
            None => E::MAX_EXPONENT,
        };
        let ulp = power.clamp(E::MIN_EXPONENT, E::MAX_EXPONENT) - (E::PRECISION - 1);
        let y = if y64.is_infinite() {
            limit(y64, ulp)
        } else {
            Pair::of(y64).over_power(ulp).0
        };
        let (high, low) = match &self.0 {
            _ if t.is_infinite() && self.top().is_none() => (limit(t, ulp), 0.0),
            Value::Pair(x) => x.over_power(ulp),
            Value::Big(x) => {
                let x = scaled(x, -ulp);
                let high = to_f64(&x);
                (high, to_f64(&x.sub(&of(high), 128, ROUND)))
            }
        };
        ((y - high) - low).abs()
    }
}

/// Half an ulp, of what is dropped, as 128 bits.
const TIE: u128 = 1 << 127;

/// How many bits `E` keeps of 1.…·2^power.
fn kept<E: Format>(power: i32) -> i32 {
    E::PRECISION - (E::MIN_EXPONENT - power).max(0)
}

/// The element nearest to `x`: at once, where the CPU rounds to it. (The crate `half` rounds twice.)
fn nearest<E: Format>(x: f64) -> E {
    if E::PRECISION == f32::PRECISION {
        E::from_f64(x)
    } else {
        Truth(Value::Pair(Pair::of(x))).nearest()
    }
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
