//! From floats to bytes by a scale and a zero point, after an operation or without one, and back.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use halfwave_kernels::Operation;

pub use halfwave_kernels::loops::Quantizable;

use crate::calls::{function_calls, operation_calls};
use crate::dispatch::active;
use crate::rows::to_vec;

mod forms;
mod grid;

pub use grid::{Quantization, QuantizationError, Quantized};

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

impl<Q: Quantized> Quantization<Q> {
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
