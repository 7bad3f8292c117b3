//! How a dtype enters and leaves the lanes.

use core::fmt;
use core::str::FromStr;

use half::{bf16, f16};

use crate::table::{All, Kernel};

/// A dtype halfwave computes on: `f32 f64 f16 bf16 i8 i16 i32 i64`. Sealed.
pub trait Element: Copy + Default + PartialEq + Send + Sync + sealed::Sealed + 'static {
    /// What a register of this dtype holds when loaded: the dtype itself, or, for the two
    /// 16-bit floats, their bits.
    type Lane: Copy;

    /// The dtype at run time.
    const DTYPE: Dtype;

    /// The dtype's column of a table row.
    #[doc(hidden)]
    fn of<O: Copy>(row: &All<O>) -> Kernel<O, Self>;
}

/// A dtype the lanes can compare and subtract as it is.
pub trait Number: Element<Lane = Self> {
    /// `+0`.
    const ZERO: Self;
}

/// A 16-bit float, handled by its bits.
pub trait Half: Element<Lane = i16> {
    /// The bits of `-∞`: the negative number of largest magnitude, one below the first NaN.
    const NEG_INFINITY_BITS: i16;
}

impl Half for f16 {
    const NEG_INFINITY_BITS: i16 = f16::NEG_INFINITY.to_bits().cast_signed();
}
impl Half for bf16 {
    const NEG_INFINITY_BITS: i16 = bf16::NEG_INFINITY.to_bits().cast_signed();
}

macro_rules! elements {
    ($($name:ident $Variant:ident: $lane:ty $(= $zero:expr)?;)*) => {
        /// The dtypes, as a value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Dtype {
            $($Variant,)*
        }

        impl Dtype {
            /// Every dtype, floats first.
            pub const ALL: &[Self] = &[$(Self::$Variant,)*];

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
            fn of<O: Copy>(row: &All<O>) -> Kernel<O, Self> {
                row.$name
            }
        }
        $(impl Number for $name {
            const ZERO: Self = $zero;
        })?
    )*};
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

elements! {
    f32 F32: f32 = 0.0;
    f64 F64: f64 = 0.0;
    f16 F16: i16;
    bf16 Bf16: i16;
    i8 I8: i8 = 0;
    i16 I16: i16 = 0;
    i32 I32: i32 = 0;
    i64 I64: i64 = 0;
}

mod sealed {
    pub trait Sealed {}
}
