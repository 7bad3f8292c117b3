//! From floats to bytes by a scale and a zero point, after an operation or without one, and back.

use alloc::vec::Vec;
use core::fmt::Debug;
use core::mem::MaybeUninit;

use halfwave_kernels::Operation;
use halfwave_kernels::loops::Grid;

pub use halfwave_kernels::loops::Quantizable;

use crate::calls::{function_calls, operation_calls};
use crate::dispatch::active;
use crate::rows::to_vec;

mod forms;

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
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantizationError {
    /// It is NaN, infinite, zero or negative.
    #[error("scale is {0}; it must be a finite number above 0")]
    Scale(f32),
    /// It is no number of the quantised dtype.
    #[error("zero_point is {zero_point}; of {dtype} it must be from {min} to {max}")]
    #[allow(missing_docs)]
    ZeroPoint {
        zero_point: i32,
        dtype: &'static str,
        min: i32,
        max: i32,
    },
}

impl<Q: Quantized> Quantization<Q> {
    /// Checks both.
    ///
    /// # Errors
    /// If the scale is not finite or not above zero, or the zero point is no `Q`.
    pub fn new(scale: f32, zero_point: i32) -> Result<Self, QuantizationError> {
        if !(scale > 0.0 && scale.is_finite()) {
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

    /// One number; see [`quantize`].
    pub fn quantize(self, x: f32) -> Q {
        let mut q = [Q::default()];
        quantize(&[x], self, &mut q);
        q[0]
    }

    /// The number that `q` stands for.
    pub fn dequantize(self, q: Q) -> f32 {
        let mut x = [0.0];
        dequantize(&[q], self, &mut x);
        x[0]
    }

    fn grid(self) -> Grid {
        let flip = if Q::MIN < 0 { 0 } else { i8::MIN };
        Grid {
            scale: self.scale,
            zero_point: (self.zero_point.bits() as i8).wrapping_add(flip),
            flip,
        }
    }
}

function_calls! {
    in "";

    "`dst[i] = saturate(round(src[i] / to.scale) + to.zero_point)`, as ONNX's QuantizeLinear."
    ///
    /// | x | q |
    /// |---|---|
    /// | any number | the quotient in `f32`, rounded to the nearest integer, ties to even, plus the zero point |
    /// | beyond the smallest or largest `Q`, `±∞` | that `Q` |
    /// | NaN | the zero point (ONNX leaves it open) |
    ///
    /// `f32`, `f16` and `bf16` to `i8` or `u8`; the quotient is one of `f32` for all three.
    ///
    /// ```
    /// use halfwave::{Quantization, dequantize, quantize};
    ///
    /// let to = Quantization::<i8>::new(0.5, 3)?;
    /// let mut q = [0; 5];
    /// quantize(&[-1.0f32, 0.25, 0.75, 100.0, f32::NAN], to, &mut q);
    /// assert_eq!(q, [1, 3, 5, 127, 3]);
    ///
    /// let mut x = [0.0f32; 5];
    /// dequantize(&q, to, &mut x);
    /// assert_eq!(x, [-1.0, 0.0, 1.0, 62.0, 0.0]);
    /// # Ok::<(), halfwave::QuantizationError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    quantize / par_quantize [E: Quantizable, Q: Quantized](src: &[E], to: Quantization<Q>, dst: &mut [Q]) -> ()
        = |backend| { forms::quantize(backend, src, to, dst); };

    "`dst[i] = saturate(round(src[i] / to.scale) + to.zero_point)` into memory that need not be initialised. Returns it initialised."
    ///
    /// [`quantize()`] has the table of edge cases.
    ///
    /// ```
    /// use halfwave::{Quantization, quantize_uninit};
    /// use std::mem::MaybeUninit;
    ///
    /// let mut fresh = [MaybeUninit::<u8>::uninit(); 2];
    /// let q = quantize_uninit(&[-1.0f32, 1.5], Quantization::new(0.5, 10)?, &mut fresh);
    /// assert_eq!(q, [8, 13]);
    /// # Ok::<(), halfwave::QuantizationError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    quantize_uninit / par_quantize_uninit ['a, E: Quantizable, Q: Quantized]
        (src: &[E], to: Quantization<Q>, dst: &'a mut [MaybeUninit<Q>]) -> &'a mut [Q]
        = |backend| forms::quantize(backend, src, to, dst);

    "`dst[i] = (src[i] − from.zero_point) · from.scale`: the product in `f32`, which is rounded again for `f16` and `bf16`."
    ///
    /// ```
    /// use halfwave::{Quantization, dequantize};
    ///
    /// let mut x = [0.0f32; 2];
    /// dequantize(&[8u8, 13], Quantization::new(0.5, 10)?, &mut x);
    /// assert_eq!(x, [-1.0, 1.5]);
    /// # Ok::<(), halfwave::QuantizationError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    dequantize / par_dequantize [Q: Quantized, E: Quantizable](src: &[Q], from: Quantization<Q>, dst: &mut [E]) -> ()
        = |backend| { forms::dequantize(backend, src, from, dst); };

    "`dst[i] = (src[i] − from.zero_point) · from.scale` into memory that need not be initialised. Returns it initialised."
    ///
    /// ```
    /// use halfwave::{Quantization, dequantize_uninit};
    /// use std::mem::MaybeUninit;
    ///
    /// let mut fresh = [MaybeUninit::<f32>::uninit(); 2];
    /// let x = dequantize_uninit(&[8u8, 13], Quantization::new(0.5, 10)?, &mut fresh);
    /// assert_eq!(x, [-1.0, 1.5]);
    /// # Ok::<(), halfwave::QuantizationError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    dequantize_uninit / par_dequantize_uninit ['a, Q: Quantized, E: Quantizable]
        (src: &[Q], from: Quantization<Q>, dst: &'a mut [MaybeUninit<E>]) -> &'a mut [E]
        = |backend| forms::dequantize(backend, src, from, dst);
}

operation_calls! {
    /// An operation whose output goes straight to bytes: the numbers in between never leave the
    /// first-level cache. The bits are those of [`apply`](crate::Activation::apply) and then
    /// [`quantize()`]: from `f32`, `f16` and `bf16` to `i8` and `u8`.
    ///
    /// ```
    /// use halfwave::{Quantization, Quantize, Relu};
    ///
    /// let mut q = [0u8; 4];
    /// Relu.quantize(&[-1.0f32, 0.5, 1.5, 900.0], Quantization::new(0.5, 0)?, &mut q);
    /// assert_eq!(q, [0, 1, 3, 255]);
    /// # Ok::<(), halfwave::QuantizationError>(())
    /// ```
    ///
    /// # Panics
    /// Every method panics if `HALFWAVE_ISA` names a backend that cannot be had.
    trait Quantize {}

    "`dst[i] = quantize(f(src[i]))`, of slices of one length."
    ///
    /// ```
    /// use halfwave::{HardSwish, Quantization, Quantize};
    ///
    /// let mut q = [0i8; 3];
    /// HardSwish.quantize(&[-4.0f32, 1.5, 3.0], Quantization::new(0.125, 0)?, &mut q);
    /// assert_eq!(q, [0, 9, 24]); // 0, 1.125, 3
    /// # Ok::<(), halfwave::QuantizationError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    quantize / par_quantize / apply_quantize [Quantizable, Quantizable, Takes]
        <, Q: Quantized>(src: &[E], to: Quantization<Q>, dst: &mut [Q]) -> ()
        = |backend, f| { forms::apply_quantize(backend, f, src, to, dst); };

    "`dst[i] = quantize(f(src[i]))` into memory that need not be initialised. Returns it initialised."
    ///
    /// ```
    /// use halfwave::{Quantization, Quantize, Relu};
    /// use std::mem::MaybeUninit;
    ///
    /// let mut fresh = [MaybeUninit::<u8>::uninit(); 2];
    /// let q = Relu.quantize_uninit(&[-1.0f32, 1.5], Quantization::new(0.5, 10)?, &mut fresh);
    /// assert_eq!(q, [10, 13]);
    /// # Ok::<(), halfwave::QuantizationError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    quantize_uninit / par_quantize_uninit / apply_quantize_uninit [Quantizable, Quantizable, Takes]
        <'a, Q: Quantized>(src: &[E], to: Quantization<Q>, dst: &'a mut [MaybeUninit<Q>]) -> &'a mut [Q]
        = |backend, f| forms::apply_quantize(backend, f, src, to, dst);

    "`quantize(f(src[i]))` in a new vector, on huge pages if it is large."
    ///
    /// ```
    /// use halfwave::{Quantization, Quantize, Relu};
    ///
    /// let q: Vec<u8> = Relu.quantize_to_vec(&[-1.0f32, 1.5], Quantization::new(0.5, 10)?);
    /// assert_eq!(q, [10, 13]);
    /// # Ok::<(), halfwave::QuantizationError>(())
    /// ```
    quantize_to_vec / par_quantize_to_vec / apply_quantize_to_vec [Quantizable, Quantizable, Takes]
        <, Q: Quantized>(src: &[E], to: Quantization<Q>) -> Vec<Q>
        = |backend, f| to_vec(src.len(), |dst| forms::apply_quantize(backend, f, src, to, dst));
}

mod sealed {
    pub trait Sealed {}
}
