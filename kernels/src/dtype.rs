//! What arrays hold.

use core::fmt;
use core::str::FromStr;

pub use half::{bf16, f16};

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

    /// The value that a parameter has in operations on this dtype: the nearest `f64` on `f64`, and
    /// the nearest `f32` on the others.
    fn parameter(x: f64) -> f64;
}

/// An integer dtype. Sealed.
pub trait Int: Element<Lane: Copy> {
    /// What added to an element's lane, wrapping round, puts all elements into the order of signed
    /// numbers: zero for signed integers, the smallest number for unsigned ones.
    const TO_SIGNED: Self::Lane;

    /// The lane of an element after that addition.
    fn signed(self) -> Self::Lane;

    /// The smallest element that is not below `x`, or the largest there is. NaN gives zero.
    fn ceil(x: f64) -> Self;

    /// The largest element that is not above `x`, or the smallest there is. NaN gives zero.
    fn floor(x: f64) -> Self;
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
    f64::from(x as f32)
}

macro_rules! ints {
    ($($E:ident $to_signed:expr;)*) => {$(
        impl Int for $E {
            const TO_SIGNED: Self::Lane = $to_signed;
            #[inline(always)]
            fn signed(self) -> Self::Lane {
                self.lane().wrapping_add(Self::TO_SIGNED)
            }
            fn ceil(x: f64) -> Self {
                let near = x as Self; // towards zero, saturating
                if (near as f64) < x { near.saturating_add(1) } else { near }
            }
            fn floor(x: f64) -> Self {
                let near = x as Self;
                if (near as f64) > x { near.saturating_sub(1) } else { near }
            }
        }
    )*};
}
ints! {
    i8 0;
    i16 0;
    i32 0;
    i64 0;
    u8 i8::MIN;
    u16 i16::MIN;
    u32 i32::MIN;
    u64 i64::MIN;
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
