//! What arrays hold.

use core::fmt;
use core::str::FromStr;

pub use half::{bf16, f16};

use crate::number::Number;

/// A dtype halfwave computes on: `f32 f64 f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64`. Sealed.
pub trait Element: Copy + Default + PartialEq + Send + Sync + sealed::Sealed + 'static {
    /// What a lane of a register holds: the dtype itself; the bits of a 16-bit float; for an
    /// unsigned integer, the signed one of its size.
    type Lane: Copy;

    /// The dtype at run time.
    const DTYPE: Dtype;

    /// What a lane holds of this element.
    fn lane(self) -> Self::Lane;
}

/// A dtype that every operation and its derivative take: `f32 f64 f16 bf16`. Sealed.
pub trait Float: Element {
    /// The element nearest to `x`, ties to even. For `f16` and `bf16`, `x` is rounded to `f32`
    /// first, as all parameters of operations on them are.
    fn from_f64(x: f64) -> Self;

    /// The element's value, exactly.
    fn to_f64(self) -> f64;

    /// The value that a parameter has in operations on this dtype: itself on `f64`, and the nearest
    /// `f32` on the others, which for a finite number is a finite one.
    fn parameter(x: f64) -> f64;
}

/// An integer dtype. Sealed.
pub trait Int: Element<Lane: Copy> {
    /// What added to an element's lane, wrapping round, puts all elements into the order of signed
    /// numbers: zero for signed integers, the smallest number for unsigned ones.
    const TO_SIGNED: Self::Lane;

    /// The lane of an element after that addition.
    fn signed(self) -> Self::Lane;

    /// `x` without its fraction, or the element nearest to that. NaN gives zero.
    fn truncated(x: Number) -> Self;

    /// The smallest element that is not below `x`, or the largest there is. NaN gives zero.
    fn ceil(x: Number) -> Self;

    /// The largest element that is not above `x`, or the smallest there is. NaN gives zero.
    fn floor(x: Number) -> Self;
}

macro_rules! dtypes {
    ($($name:ident $Variant:ident: $lane:ty;)*) => {
        /// The dtypes, as a value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Dtype {
            $($Variant,)*
        }

        impl Dtype {
            /// Every dtype, floats first.
            pub const ALL: &[Self] = &[$(Self::$Variant,)*];

            /// The floats, which every operation takes.
            pub const FLOATS: &[Self] = Self::ALL.split_at(4).0;

            /// `f32`, `bf16`, `i8` …
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant => stringify!($name),)*
                }
            }

            /// Bytes per element.
            pub const fn size(self) -> usize {
                match self {
                    $(Self::$Variant => size_of::<$name>(),)*
                }
            }
        }

        $(
        impl sealed::Sealed for $name {}
        impl Element for $name {
            type Lane = $lane;
            const DTYPE: Dtype = Dtype::$Variant;
            #[inline(always)]
            fn lane(self) -> $lane {
                // SAFETY: plain data of one size: the same number, or the same bits.
                #[allow(clippy::useless_transmute, unnecessary_transmutes)]
                unsafe { core::mem::transmute::<Self, $lane>(self) }
            }
        }
        )*
    };
}
dtypes! {
    f32 F32: f32;
    f64 F64: f64;
    f16 F16: i16;
    bf16 Bf16: i16;
    i8 I8: i8;
    i16 I16: i16;
    i32 I32: i32;
    i64 I64: i64;
    u8 U8: i8;
    u16 U16: i16;
    u32 U32: i32;
    u64 U64: i64;
}

macro_rules! floats {
    ($($E:ident: $from:expr, $to:expr, $parameter:expr;)*) => {$(
        impl Float for $E {
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                $from(x)
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                $to(self)
            }
            #[inline(always)]
            fn parameter(x: f64) -> f64 {
                $parameter(x)
            }
        }
    )*};
}
floats! {
    f32: |x| x as f32, f64::from, as_f32;
    f64: |x| x, |x| x, |x| x;
    f16: |x| f16::from_f32(x as f32), f16::to_f64, as_f32;
    bf16: |x| bf16::from_f32(x as f32), bf16::to_f64, as_f32;
}

fn as_f32(x: f64) -> f64 {
    f64::from(Number::new(x).to_f32())
}

macro_rules! ints {
    ($($E:ident $to_signed:expr, $add:ident;)*) => {$(
        impl Int for $E {
            const TO_SIGNED: Self::Lane = $to_signed;
            #[inline(always)]
            fn signed(self) -> Self::Lane {
                self.lane().wrapping_add(Self::TO_SIGNED)
            }
            #[inline(always)]
            fn truncated(x: Number) -> Self {
                // A number of two parts is beyond all types but the largest.
                let (most, rest) = if size_of::<Self>() < 8 { (x.to_f64(), 0.0) } else { x.split() };
                (most as Self).$add(rest as Self::Lane) // all saturate
            }
            #[inline(always)]
            fn ceil(x: Number) -> Self {
                let whole = Self::truncated(x);
                if (whole as f64) < x.to_f64() { whole.saturating_add(1) } else { whole }
            }
            #[inline(always)]
            fn floor(x: Number) -> Self {
                let whole = Self::truncated(x);
                if (whole as f64) > x.to_f64() { whole.saturating_sub(1) } else { whole }
            }
        }
    )*};
}
ints! {
    i8 0, saturating_add;
    i16 0, saturating_add;
    i32 0, saturating_add;
    i64 0, saturating_add;
    u8 i8::MIN, saturating_add_signed;
    u16 i16::MIN, saturating_add_signed;
    u32 i32::MIN, saturating_add_signed;
    u64 i64::MIN, saturating_add_signed;
}

impl FromStr for Dtype {
    type Err = UnknownDtype;

    fn from_str(s: &str) -> Result<Self, UnknownDtype> {
        let mut all = Self::ALL.iter();
        all.find(|dtype| dtype.name() == s)
            .copied()
            .ok_or(UnknownDtype)
    }
}

/// Not the name of a [`Dtype`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownDtype;

impl fmt::Display for UnknownDtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a dtype; the dtypes are:")?;
        Dtype::ALL
            .iter()
            .try_for_each(|dtype| write!(f, " {dtype}"))
    }
}

impl core::error::Error for UnknownDtype {}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    /// The type's own bounds and what is next to them, and those of the others.
    fn integers() -> Vec<i128> {
        let ends = [
            0,
            i8::MIN.into(),
            i8::MAX.into(),
            u8::MAX.into(),
            i16::MIN.into(),
            i16::MAX.into(),
            u16::MAX.into(),
            i32::MIN.into(),
            i32::MAX.into(),
            u32::MAX.into(),
            i64::MIN.into(),
            i64::MAX.into(),
            u64::MAX.into(),
            -(1 << 53),
            1i128 << 53,
            1 << 60,
        ];
        let around = ends.into_iter().flat_map(|end| end - 3..=end + 3);
        around
            .filter(|i| (i64::MIN.into()..=u64::MAX.into()).contains(i))
            .collect()
    }

    fn rounds_as_i128<E: Int + Into<i128> + PartialEq + fmt::Debug>(min: E, max: E) {
        let within = |value: i128| value.clamp(min.into(), max.into());
        for value in integers() {
            let x = match i64::try_from(value) {
                Ok(value) => Number::from(value),
                Err(_) => Number::from(value as u64),
            };
            let got = [E::floor(x), E::truncated(x), E::ceil(x)].map(Into::into);
            assert_eq!(got, [within(value); 3], "{x} on {}", E::DTYPE);
        }
        let large = integers().into_iter().map(|i| i as f64);
        let fractions = large
            .clone()
            .flat_map(|x| [x - 0.5, x - 0.001, x + 0.25, x + 0.999]);
        let far = [f64::INFINITY, 1e300, 1e20, 2f64.powi(64), 1e-310].into_iter();
        let far = far.flat_map(|x| [x, -x]);
        for x in large.chain(fractions).chain(far) {
            let number = Number::new(x);
            let got = [E::floor(number), E::truncated(number), E::ceil(number)].map(Into::into);
            let want = [x.floor(), x.trunc(), x.ceil()].map(|x| within(x as i128));
            assert_eq!(got, want, "{x} on {}", E::DTYPE);
        }
        let nan = Number::new(f64::NAN);
        assert_eq!(
            [E::floor(nan), E::truncated(nan), E::ceil(nan)],
            [E::default(); 3]
        );
    }

    #[test]
    fn numbers_round_to_integers_exactly() {
        macro_rules! all {
            ($($E:ident)*) => {
                $(rounds_as_i128($E::MIN, $E::MAX);)*
            };
        }
        all! { i8 i16 i32 i64 u8 u16 u32 u64 }
    }
}
