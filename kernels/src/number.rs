//! A number that loses no digit of an integer.

use core::fmt;
use core::num::ParseFloatError;
use core::ops::RangeInclusive;
use core::str::FromStr;

/// The value of a parameter as the user wrote it: any `f64`, or any integer that an `i64` or `u64`
/// holds.
///
/// ```
/// use halfwave::Number;
///
/// let odd: Number = "9007199254740993".parse()?;          // 2^53 + 1, which f64 does not have
/// assert_eq!(odd, Number::from(9007199254740993i64));
/// assert_eq!(odd.to_string(), "9007199254740993");
/// assert_eq!(odd.to_f64(), 9007199254740992.0);
/// # Ok::<(), std::num::ParseFloatError>(())
/// ```
// The nearest f64 decides the order, because rounding keeps it; among integers that share it, the rest
// does. So the derived order is that of the values.
#[derive(Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Number {
    /// The nearest `f64`.
    near: f64,
    /// What is to be added: an integer, zero unless `near` is 2^53 or more, at most 1024.
    rest: f64,
}

/// The integers that are kept to the last digit.
const EXACT: RangeInclusive<i128> = i64::MIN as i128..=u64::MAX as i128;

/// Up to here every integer is an `f64`.
const CONSECUTIVE: f64 = (1u64 << f64::MANTISSA_DIGITS) as f64;

impl Number {
    /// An `f64` as it is.
    #[inline(always)]
    pub const fn new(value: f64) -> Self {
        let (near, rest) = (value, 0.0);
        Self { near, rest }
    }

    /// The nearest `f64`, ties to even.
    #[inline(always)]
    pub const fn to_f64(self) -> f64 {
        self.near
    }

    /// The nearest `f32`, but no infinity of a finite number: what a parameter is where `f32` is
    /// computed with. So products and differences with it are what they are with any other number.
    #[inline(always)]
    pub(crate) const fn to_f32(self) -> f32 {
        // Without a branch, which the compiler would leave in loops.
        let near = self.near as f32;
        let overflows = near.is_infinite() & self.near.is_finite();
        [near, f32::MAX.copysign(near)][overflows as usize]
    }

    /// The number as a sum of two, of which the first is nearer to zero than any integer type's bound
    /// that the number does not pass, and the second is small and has its sign.
    #[inline(always)]
    pub(crate) const fn split(self) -> (f64, f64) {
        let step = if self.rest == 0.0 {
            0.0
        } else {
            2048f64.copysign(self.near) // an ulp of the largest, so that the difference is exact
        };
        (self.near - step, self.rest + step)
    }

    /// The integers next to it, below and above, or twice itself. Infinity is as far as an `i128` goes.
    #[cfg(feature = "oracle")]
    pub(crate) fn floor_and_ceil(self) -> (i128, i128) {
        let integer = |x: f64| (x as i128).saturating_add(self.rest as i128);
        (
            integer(libm::floor(self.near)),
            integer(libm::ceil(self.near)),
        )
    }

    /// Of `near`, which is the `f64` nearest to `value`.
    fn with_rest(near: f64, value: i128) -> Self {
        let rest = (value - near as i128) as f64;
        Self { near, rest }
    }

    /// The integer that it is, where digits could be lost.
    fn large_integer(self) -> Option<i128> {
        let large = self.near.abs() >= CONSECUTIVE;
        let value = (self.near as i128).saturating_add(self.rest as i128);
        (large && EXACT.contains(&value)).then_some(value)
    }
}

macro_rules! from {
    (floats $($Float:ident)*; integers $($Int:ident)*) => {
        $(impl From<$Float> for Number {
            #[inline(always)]
            fn from(value: $Float) -> Self {
                Self::new(value.into())
            }
        })*
        $(impl From<$Int> for Number {
            fn from(value: $Int) -> Self {
                Self::with_rest(value as f64, value.into())
            }
        })*
    };
}
from! { floats f32 f64; integers i8 i16 i32 i64 u8 u16 u32 u64 }

/// As `f64` parses; but an integer that fits `i64` or `u64` keeps all its digits.
impl FromStr for Number {
    type Err = ParseFloatError;

    fn from_str(s: &str) -> Result<Self, ParseFloatError> {
        let near = s.parse()?;
        Ok(match s.parse() {
            Ok(value) if EXACT.contains(&value) => Self::with_rest(near, value),
            _ => Self::new(near),
        })
    }
}

/// As `f64` prints; but an integer that fits `i64` or `u64` with all its digits. It parses to the same.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.large_integer() {
            Some(value) => value.fmt(f),
            None => self.near.fmt(f),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.large_integer() {
            Some(value) => value.fmt(f),
            None => self.near.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    /// Integers around every power of two up to 2^64 and around the ends, of both signs.
    fn integers() -> Vec<i128> {
        let powers = (0..=64).flat_map(|exponent| {
            let power = 1i128 << exponent;
            (power - 2050..=power + 2050).filter(move |i| power < 4096 || (i - power) % 41 < 3)
        });
        let all = powers.flat_map(|i| [i, -i]);
        all.filter(|i| EXACT.contains(i)).collect()
    }

    fn of(value: i128) -> Number {
        match i64::try_from(value) {
            Ok(value) => value.into(),
            Err(_) => u64::try_from(value).expect("an i64 or a u64").into(),
        }
    }

    #[test]
    fn integers_keep_every_digit() {
        for value in integers() {
            let number = of(value);
            assert_eq!(number.near as i128 + number.rest as i128, value);
            assert_eq!(number.to_f64(), value as f64);
            assert_eq!(number.to_string(), value.to_string());
            assert_eq!(format!("{value}").parse(), Ok(number));
            let signed = format!("{value:+}");
            assert_eq!(signed.parse(), Ok(number));
        }
    }

    #[test]
    fn the_order_is_that_of_the_values() {
        let mut values = integers();
        values.sort_unstable();
        for pair in values.windows(2) {
            let (a, b) = (of(pair[0]), of(pair[1]));
            assert_eq!(a.partial_cmp(&b), pair[0].partial_cmp(&pair[1]));
        }
        assert!(Number::new(f64::NAN).partial_cmp(&of(1)).is_none());
        assert!(Number::new(0.5) < of(1) && of(i64::MAX.into()) < Number::new(f64::INFINITY));
    }

    /// What is no integer beyond 2^53 prints and parses as `f64` does; and all that prints parses to the
    /// same.
    #[test]
    fn floats_print_and_parse_as_ever() {
        let mut floats = std::vec![
            0.0,
            0.1,
            1.0,
            -2.5,
            1e-310,
            1e19,
            1e20,
            1e300,
            f64::INFINITY
        ];
        for exponent in 0..70 {
            let power = 2f64.powi(exponent);
            floats.extend([power.next_down(), power, power.next_up()]);
        }
        for x in floats.into_iter().flat_map(|x| [x, -x]) {
            let (number, text) = (Number::new(x), format!("{x}"));
            let same = |parsed: Number| {
                let bits = |n: Number| (n.near.to_bits(), n.rest.to_bits());
                bits(parsed) == bits(number)
            };
            assert!(same(number.to_string().parse().unwrap()), "{number:?}");
            if x.abs() < CONSECUTIVE || x.abs() > 2e19 {
                assert_eq!(number.to_string(), text);
                assert_eq!(format!("{number:?}"), format!("{x:?}"));
                assert!(same(text.parse().unwrap()), "{text}");
            }
        }
        for text in ["nan", "inf", "-inf", "6e0", "18446744073709551616", "1e400"] {
            let (number, x) = (
                text.parse::<Number>().unwrap(),
                text.parse::<f64>().unwrap(),
            );
            assert_eq!((number.near.to_bits(), number.rest), (x.to_bits(), 0.0));
        }
        for text in ["", "-", "one", "1_000", "0x10", "9007199254740993."] {
            assert_eq!(
                text.parse::<Number>().is_ok(),
                text.parse::<f64>().is_ok(),
                "{text}"
            );
        }
    }
}
