//! What bytes stand for: the scale, the zero point, and the two dtypes of bytes.

use core::fmt::{self, Debug};

use halfwave_kernels::loops::Grid;

use crate::float_env;

/// What floats are quantised to: `i8` or `u8`. Sealed.
pub trait Quantized:
    Copy + Debug + Default + Eq + Into<i32> + Send + Sync + TryFrom<i32> + sealed::Sealed + 'static
{
    /// `i8` or `u8`.
    const NAME: &'static str;

    /// The smallest.
    const MIN: i32;

    /// The largest.
    const MAX: i32;

    /// The element of these bits.
    #[doc(hidden)]
    fn of_bits(bits: u8) -> Self;

    /// Its bits.
    #[doc(hidden)]
    fn bits(self) -> u8;
}

macro_rules! quantized {
    ($($Q:ident)*) => {$(
        impl sealed::Sealed for $Q {}
        impl Quantized for $Q {
            const NAME: &'static str = stringify!($Q);
            const MIN: i32 = $Q::MIN as i32;
            const MAX: i32 = $Q::MAX as i32;
            #[inline]
            fn of_bits(bits: u8) -> Self {
                bits as Self
            }
            #[inline]
            fn bits(self) -> u8 {
                self as u8
            }
        }
    )*};
}
quantized! { i8 u8 }

/// What the numbers of a quantised tensor stand for: `x = (q − zero_point) · scale`, one scale and
/// one zero point for all of it.
///
/// ```
/// use halfwave::Quantization;
///
/// let of = Quantization::<u8>::new(0.5, 128)?;
/// assert_eq!((of.quantize(-1.0), of.quantize(1e9), of.dequantize(130)), (126, 255, 1.0));
/// let error = Quantization::<i8>::new(0.5, 128).unwrap_err();
/// assert_eq!(error.to_string(), "zero_point is 128; of i8 it must be from -128 to 127");
/// # Ok::<(), halfwave::QuantizationError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantization<Q> {
    scale: f32,
    zero_point: Q,
}

/// A scale or a zero point that cannot be.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum QuantizationError {
    /// It is NaN, infinite, zero or negative.
    Scale(f32),
    /// It is no number of the quantised dtype.
    #[allow(missing_docs)]
    ZeroPoint {
        zero_point: i32,
        dtype: &'static str,
        min: i32,
        max: i32,
    },
}

impl fmt::Display for QuantizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scale(scale) => write!(f, "scale is {scale}; it must be a finite number above 0"),
            Self::ZeroPoint {
                zero_point,
                dtype,
                min,
                max,
            } => write!(
                f,
                "zero_point is {zero_point}; of {dtype} it must be from {min} to {max}"
            ),
        }
    }
}

impl core::error::Error for QuantizationError {}

impl<Q: Quantized> Quantization<Q> {
    /// Checks both.
    ///
    /// # Errors
    /// If the scale is not finite or not above zero, or the zero point is no `Q`.
    pub fn new(scale: f32, zero_point: i32) -> Result<Self, QuantizationError> {
        // A subnormal scale is a number, too.
        if !float_env::compute(scale, |scale| scale > 0.0 && scale.is_finite()) {
            return Err(QuantizationError::Scale(scale));
        }
        let zero_point = Q::try_from(zero_point).map_err(|_| QuantizationError::ZeroPoint {
            zero_point,
            dtype: Q::NAME,
            min: Q::MIN,
            max: Q::MAX,
        })?;
        Ok(Self { scale, zero_point })
    }

    /// The distance between neighbours.
    pub fn scale(self) -> f32 {
        self.scale
    }

    /// What stands for zero.
    pub fn zero_point(self) -> Q {
        self.zero_point
    }

    pub(super) fn grid(self) -> Grid {
        let flip = if Q::MIN < 0 { 0 } else { i8::MIN };
        Grid {
            scale: self.scale,
            zero_point: (self.zero_point.bits() as i8).wrapping_add(flip),
            flip,
        }
    }
}

mod sealed {
    pub trait Sealed {}
}
