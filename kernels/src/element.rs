//! How a dtype enters and leaves the lanes.

use core::fmt;
use core::str::FromStr;

use half::{bf16, f16};

use crate::forms::{Forms, FormsOf, Masked};
use crate::lanes::{FullSimd, Simd, V};
use crate::math::{self, Math};
use crate::ops::Unary;
use crate::table::{All, Floats, Kernel, MapFn};

/// A dtype halfwave computes on: `f32 f64 f16 bf16 i8 i16 i32 i64`. Sealed.
pub trait Element: Copy + Default + PartialEq + Send + Sync + sealed::Sealed + 'static {
    /// What a register of this dtype holds when loaded: the dtype itself, or, for the two
    /// 16-bit floats, their bits.
    type Lane: Copy;

    /// The dtype at run time.
    const DTYPE: Dtype;

    /// What a lane holds of this element.
    fn lane(self) -> Self::Lane;

    /// The dtype's map in a table row.
    #[doc(hidden)]
    fn map_of<O: Copy>(row: &All<O>) -> MapFn<O, Self>;

    /// [`Unary::output_suffices`], if the dtype is a float.
    #[doc(hidden)]
    fn output_suffices<O: Unary>(op: O) -> bool;

    /// The dtype's kernels in a row for floats, if it is one.
    #[doc(hidden)]
    fn kernel_of<O: Copy>(row: &Floats<O>) -> Option<Kernel<O, Self>>;
}

/// A dtype that every operation and its derivative take: `f32 f64 f16 bf16`. Sealed.
pub trait Float: Element + Masked {
    /// How constants and parameters are rounded: as `f32`, but for `f64`.
    type Constant: Real;

    /// The element nearest to `x`, ties to even; for `f16` and `bf16`, to `x` as `f32`, as for all
    /// parameters of operations on them.
    fn from_f64(x: f64) -> Self;

    /// The element's value, exactly.
    fn to_f64(self) -> f64;

    /// The dtype's kernels in a table row.
    #[doc(hidden)]
    fn float_kernel_of<O: Copy>(row: &Floats<O>) -> Kernel<O, Self>;

    /// The dtype's kernels that no operation is part of.
    #[doc(hidden)]
    fn forms(forms: &Forms) -> &FormsOf<Self>;
}

/// A dtype the lanes can compare, add and subtract as it is.
pub trait Number: Element<Lane = Self> {
    /// `+0`.
    const ZERO: Self;
}

/// In what lanes an operation is computed, and to what precision its constants are rounded.
pub trait Real: Copy {
    /// What a lane holds.
    type Lane: Copy;

    /// A constant or a parameter, rounded.
    fn of(x: f64) -> Self::Lane;

    /// A parameter of an operation that selects, which was made ready before the loop:
    /// [`Elementwise::ready`](crate::Elementwise::ready).
    #[inline(always)]
    fn parameter(x: f64) -> Self::Lane {
        Self::of(x)
    }

    /// The same as a number to compute with outside the lanes.
    fn value(x: f64) -> f64;

    /// What smooth functions need to know of these lanes.
    #[doc(hidden)]
    const MATH: Math;

    /// A coefficient or a constant of a formula, to the precision of the lanes.
    fn coefficient(x: f64) -> Self::Lane;

    /// What of it the lanes have no room for.
    fn lost(x: f64) -> f64;
}

impl Real for f32 {
    type Lane = f32;
    #[inline(always)]
    fn of(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn value(x: f64) -> f64 {
        f64::from(x as f32)
    }
    const MATH: Math = math::SINGLE;
    #[inline(always)]
    fn coefficient(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn lost(x: f64) -> f64 {
        x - f64::from(x as f32)
    }
}

impl Real for f64 {
    type Lane = f64;
    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn value(x: f64) -> f64 {
        x
    }
    const MATH: Math = math::DOUBLE;
    #[inline(always)]
    fn coefficient(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn lost(_: f64) -> f64 {
        0.0
    }
}

/// The same parameters as for `f32`, in `f64` lanes and to their precision.
#[derive(Clone, Copy, Debug)]
pub struct Wide;

/// The same, but no more precise than a result needs that is to be rounded to `f32`.
#[derive(Clone, Copy, Debug)]
pub struct Short;

macro_rules! wide {
    ($($Wide:ident $MATH:ident)*) => {$(
        impl Real for $Wide {
            type Lane = f64;
            #[inline(always)]
            fn of(x: f64) -> f64 {
                f32::value(x)
            }
            #[inline(always)]
            fn value(x: f64) -> f64 {
                f32::value(x)
            }
            const MATH: Math = math::$MATH;
            #[inline(always)]
            fn coefficient(x: f64) -> f64 {
                x
            }
            #[inline(always)]
            fn lost(_: f64) -> f64 {
                0.0
            }
        }
    )*};
}
wide! { Wide DOUBLE Short SHORT }

/// A signed integer.
pub trait Int: Number {
    /// The smallest value that is not below `x`, or the largest there is. NaN gives zero.
    fn ceil(x: f64) -> Self;

    /// The largest value that is not above `x`, or the smallest there is. NaN gives zero.
    fn floor(x: f64) -> Self;
}

macro_rules! int {
    ($($E:ident)*) => {$(
        impl Int for $E {
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
int! { i8 i16 i32 i64 }

/// A 16-bit float: its bits, and the way to `f32` lanes and back.
pub trait Half: Float<Lane = i16> {
    /// The bits of `-∞`: the negative number of largest magnitude, one below the first NaN.
    const NEG_INFINITY_BITS: i16;

    /// How many low bits of an `f32` the dtype has no room for.
    const DROPPED: u32;

    /// The bits of the `f32` from which on no more than those are dropped: the smallest normal
    /// number, or zero where subnormal numbers drop as many.
    const NORMAL: i32;

    /// Before [`widen`](Half::widen) or after [`narrow`](Half::narrow), where their lanes are to be
    /// in the order of the elements; [`FullSimd::cross_bf16`].
    #[inline(always)]
    fn cross<S: FullSimd>(_s: S, x: V<S, i16>) -> V<S, i16> {
        x
    }

    /// Values from bits; [`Simd::widen_f16`].
    fn widen<S: Simd>(s: S, x: V<S, i16>) -> [V<S, f32>; 2];

    /// Bits from values; [`Simd::narrow_f16`].
    fn narrow<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16>;

    /// The same of values that do not lie in the middle between two neighbours, and of NaNs that
    /// the dtype can hold.
    #[inline(always)]
    fn narrow_off_middle<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16> {
        Self::narrow(s, x)
    }
}

impl Half for f16 {
    const NEG_INFINITY_BITS: i16 = f16::NEG_INFINITY.to_bits().cast_signed();
    const DROPPED: u32 = 13;
    const NORMAL: i32 = 0x3880_0000; // 2^-14
    #[inline(always)]
    fn widen<S: Simd>(s: S, x: V<S, i16>) -> [V<S, f32>; 2] {
        s.widen_f16(x)
    }
    #[inline(always)]
    fn narrow<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16> {
        s.narrow_f16(x)
    }
}

impl Half for bf16 {
    const NEG_INFINITY_BITS: i16 = bf16::NEG_INFINITY.to_bits().cast_signed();
    const DROPPED: u32 = 16;
    const NORMAL: i32 = 0;
    #[inline(always)]
    fn cross<S: FullSimd>(s: S, x: V<S, i16>) -> V<S, i16> {
        s.cross_bf16(x)
    }
    #[inline(always)]
    fn widen<S: Simd>(s: S, x: V<S, i16>) -> [V<S, f32>; 2] {
        s.widen_bf16(x)
    }
    #[inline(always)]
    fn narrow<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16> {
        s.narrow_bf16(x)
    }
    #[inline(always)]
    fn narrow_off_middle<S: Simd>(s: S, [a, b]: [V<S, f32>; 2]) -> V<S, i16> {
        crate::ops::round_upper(s, [s.to_bits(a), s.to_bits(b)])
    }
}

macro_rules! elements {
    ($($name:ident $Variant:ident in $kind:ident: $lane:ty $(= $zero:expr)?;)*) => {
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
                // SAFETY: the same number itself, or its 16 bits.
                #[allow(clippy::useless_transmute)]
                unsafe { core::mem::transmute::<Self, $lane>(self) }
            }
            fn map_of<O: Copy>(row: &All<O>) -> MapFn<O, Self> {
                elements!(@map $kind $name row)
            }
            fn output_suffices<O: Unary>(_op: O) -> bool {
                elements!(@output_suffices $kind _op)
            }
            fn kernel_of<O: Copy>(_row: &Floats<O>) -> Option<Kernel<O, Self>> {
                elements!(@kernel $kind $name _row)
            }
        }
        $(impl Number for $name {
            const ZERO: Self = $zero;
        })?
    )*};
    (@map floats $name:ident $row:ident) => { $row.floats.$name.map };
    (@map ints $name:ident $row:ident) => { $row.$name };
    (@output_suffices floats $op:ident) => { $op.output_suffices::<Self>() };
    (@output_suffices ints $op:ident) => { false };
    (@kernel floats $name:ident $row:ident) => { Some($row.$name) };
    (@kernel ints $name:ident $row:ident) => { None };
}

macro_rules! float {
    ($($E:ident by $Constant:ident: $from:expr, $to:expr;)*) => {$(
        impl Float for $E {
            type Constant = $Constant;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                $from(x)
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                $to(self)
            }
            fn float_kernel_of<O: Copy>(row: &Floats<O>) -> Kernel<O, Self> {
                row.$E
            }
            fn forms(forms: &Forms) -> &FormsOf<Self> {
                &forms.$E
            }
        }
    )*};
}
float! {
    f32 by f32: |x| x as f32, f64::from;
    f64 by f64: |x| x, |x| x;
    f16 by f32: |x| f16::from_f32(x as f32), f16::to_f64;
    bf16 by f32: |x| bf16::from_f32(x as f32), bf16::to_f64;
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
    f32 F32 in floats: f32 = 0.0;
    f64 F64 in floats: f64 = 0.0;
    f16 F16 in floats: i16;
    bf16 Bf16 in floats: i16;
    i8 I8 in ints: i8 = 0;
    i16 I16 in ints: i16 = 0;
    i32 I32 in ints: i32 = 0;
    i64 I64 in ints: i64 = 0;
}

mod sealed {
    pub trait Sealed {}
}
