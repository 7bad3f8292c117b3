//! The zeros that a rectifier makes: one bit for each element, how many, or the rest alone.
//!
//! "In a randomly initialized network, around 50% of hidden units are activated": what a layer must
//! remember for its backward pass is one bit for each unit, and what the next layer has to look at
//! is half of them.
//!
//! ```
//! use halfwave::sparsity;
//!
//! let x = [-10.0f32, -5.0, 0.0, 5.0, 10.0];
//! let (mut y, mut mask) = ([0.0; 5], [0; 1]);
//! sparsity::relu_with_mask(&x, &mut y, &mut mask);
//! assert_eq!((y, mask), ([0.0, 0.0, 0.0, 5.0, 10.0], [0b11000]));
//!
//! let mut dx = [0.0; 5];
//! sparsity::relu_mask_backward(&mask, &[1.0, 2.0, 3.0, 4.0, 5.0], &mut dx);
//! assert_eq!(dx, [0.0, 0.0, 0.0, 4.0, 5.0]);
//!
//! let (indices, values): (Vec<u32>, Vec<f32>) = sparsity::relu_compact_to_vecs(&x);
//! assert_eq!((indices, values), (vec![3, 4], vec![5.0, 10.0]));
//! ```
//!
//! All of it is for `f32`, `f64`, `f16` and `bf16`. **Non-zero** means neither `+0` nor `-0.0`; NaN is
//! non-zero. `relu(x)` is non-zero where `x > 0` or `x` is NaN, and there it is `x`.
//!
//! A **mask** has one bit for each element, the first in the least significant bit of the first byte:
//! `len.div_ceil(8)` bytes, as `numpy.packbits(…, bitorder="little")` makes them. The bits that the last
//! byte has beyond the array are clear when written, and ignored when read.
//!
//! The functions run on the calling thread, and those whose names begin with `par_` on rayon's current
//! pool; on a backend of choice they are methods of [`Backend`](crate::Backend).

mod compact;
mod mask;

pub use compact::CompactError;
pub use halfwave_kernels::loops::Index;

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use halfwave_kernels::Float;

use crate::calls::function_calls;
use crate::dispatch::active;
use crate::rows::{Rows, RowsMut, check_lengths};
use mask::check_mask;

function_calls! {
    in "sparsity::";

    "`y = relu(x)`, and the mask of its non-zero elements: bit `i` is set where `x[i] > 0` or is NaN, hence not for zeros of either sign."
    ///
    /// The mask is all that [`relu_mask_backward`] needs: 1/32 of the bytes of an `f32` output. `f32`, `f64`,
    /// `f16` and `bf16`.
    ///
    /// ```
    /// let (mut y, mut mask) = ([0.0f32; 9], [0; 2]);
    /// let x = [1.0, -1.0, f32::INFINITY, -0.0, 0.0, 2.0, -2.0, -3.0, 3.0];
    /// halfwave::sparsity::relu_with_mask(&x, &mut y, &mut mask);
    /// assert_eq!(y, [1.0, 0.0, f32::INFINITY, 0.0, 0.0, 2.0, 0.0, 0.0, 3.0]);
    /// assert_eq!(mask, [0b00100101, 0b1]);
    /// ```
    ///
    /// # Panics
    /// If `x` and `y` differ in length, or `mask` has not one byte for each eight elements, rounded up.
    relu_with_mask / par_relu_with_mask [E: Float](x: &[E], y: &mut [E], mask: &mut [u8]) -> ()
        = |backend| { mask::relu_with_mask(backend, x, y, mask); };

    "`y = relu(x)` and its mask, into memory that need not be initialised. Returns `y` initialised."
    ///
    /// The mask is that of [`relu_with_mask`]. `f32`, `f64`, `f16` and `bf16`.
    ///
    /// ```
    /// use halfwave::sparsity;
    /// use std::mem::MaybeUninit;
    ///
    /// let (mut fresh, mut mask) = ([MaybeUninit::<f32>::uninit(); 2], [0; 1]);
    /// let y = sparsity::relu_with_mask_uninit(&[-1.0, 2.0], &mut fresh, &mut mask);
    /// assert_eq!((y, mask), (&mut [0.0, 2.0][..], [0b10]));
    /// ```
    ///
    /// # Panics
    /// If `x` and `y` differ in length, or `mask` has not one byte for each eight elements, rounded up.
    relu_with_mask_uninit / par_relu_with_mask_uninit ['a, E: Float]
        (x: &[E], y: &'a mut [MaybeUninit<E>], mask: &mut [u8]) -> &'a mut [E]
        = |backend| mask::relu_with_mask(backend, x, y, mask);

    "`x = relu(x)`, and the mask of its non-zero elements."
    ///
    /// The mask is that of [`relu_with_mask`]. `f32`, `f64`, `f16` and `bf16`.
    ///
    /// ```
    /// let (mut x, mut mask) = ([-1.0f32, 2.0], [0; 1]);
    /// halfwave::sparsity::relu_with_mask_in_place(&mut x, &mut mask);
    /// assert_eq!((x, mask), ([0.0, 2.0], [0b10]));
    /// ```
    ///
    /// # Panics
    /// If `mask` has not one byte for each eight elements, rounded up.
    relu_with_mask_in_place / par_relu_with_mask_in_place [E: Float](x: &mut [E], mask: &mut [u8]) -> ()
        = |backend| {
            check_mask(mask, x.len());
            let x = RowsMut::flat(x);
            mask::rectify(backend, x.source(), x, Some(RowsMut::flat(mask)));
        };

    "`dx[i] = dy[i]` where bit `i` of the mask is set, else `+0`: relu's backward."
    ///
    /// These are the bits of [`Activation::backward`](crate::Activation::backward) with the input that the
    /// mask was made from, but for a signalling NaN in `dy`, which stays signalling. `f32`, `f64`, `f16`
    /// and `bf16`.
    ///
    /// ```
    /// let mut dx = [0.0f64; 3];
    /// halfwave::sparsity::relu_mask_backward(&[0b101], &[7.0, f64::INFINITY, -8.0], &mut dx);
    /// assert_eq!(dx, [7.0, 0.0, -8.0]);
    /// ```
    ///
    /// # Panics
    /// If `dy` and `dx` differ in length, or `mask` has not one byte for each eight elements, rounded up.
    relu_mask_backward / par_relu_mask_backward [E: Float](mask: &[u8], dy: &[E], dx: &mut [E]) -> ()
        = |backend| {
            check_lengths([("dy", dy.len()), ("dx", dx.len())]);
            check_mask(mask, dy.len());
            mask::unmask(backend, Rows::flat(mask), Rows::flat(dy), RowsMut::flat(dx))
        };

    "`dy[i] = dy[i]` where bit `i` of the mask is set, else `+0`: `dy` becomes `dx`."
    ///
    /// As [`relu_mask_backward`] says, signalling NaNs stay signalling. `f32`, `f64`, `f16` and `bf16`.
    ///
    /// ```
    /// let mut dy = [7.0f32, 8.0];
    /// halfwave::sparsity::relu_mask_backward_in_place(&[0b10], &mut dy);
    /// assert_eq!(dy, [0.0, 8.0]);
    /// ```
    ///
    /// # Panics
    /// If `mask` has not one byte for each eight elements, rounded up.
    relu_mask_backward_in_place / par_relu_mask_backward_in_place [E: Float](mask: &[u8], dy: &mut [E]) -> ()
        = |backend| {
            check_mask(mask, dy.len());
            let dy = RowsMut::flat(dy);
            mask::unmask(backend, Rows::flat(mask), dy.source(), dy)
        };

    "`y = relu(x)`, and how many of its elements are non-zero."
    ///
    /// NaN is counted. `f32`, `f64`, `f16` and `bf16`.
    ///
    /// ```
    /// let mut y = [0.0f32; 4];
    /// let n = halfwave::sparsity::relu_with_count(&[-1.0, f32::NAN, 0.0, 2.0], &mut y);
    /// assert_eq!(n, 2);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    relu_with_count / par_relu_with_count [E: Float](x: &[E], y: &mut [E]) -> usize
        = |backend| mask::relu_with_count(backend, x, y).1;

    "`y = relu(x)` and how many of its elements are non-zero, into memory that need not be initialised. Returns it initialised."
    ///
    /// NaN is counted. `f32`, `f64`, `f16` and `bf16`.
    ///
    /// ```
    /// use halfwave::sparsity;
    /// use std::mem::MaybeUninit;
    ///
    /// let mut fresh = [MaybeUninit::<f32>::uninit(); 2];
    /// let (y, n) = sparsity::relu_with_count_uninit(&[-1.0, 2.0], &mut fresh);
    /// assert_eq!((y, n), (&mut [0.0, 2.0][..], 1));
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    relu_with_count_uninit / par_relu_with_count_uninit ['a, E: Float]
        (x: &[E], y: &'a mut [MaybeUninit<E>]) -> (&'a mut [E], usize)
        = |backend| mask::relu_with_count(backend, x, y);

    "`x = relu(x)`, and how many of its elements are non-zero."
    ///
    /// NaN is counted. `f32`, `f64`, `f16` and `bf16`.
    ///
    /// ```
    /// let mut x = [-1.0f32, 2.0];
    /// assert_eq!(halfwave::sparsity::relu_with_count_in_place(&mut x), 1);
    /// assert_eq!(x, [0.0, 2.0]);
    /// ```
    relu_with_count_in_place / par_relu_with_count_in_place [E: Float](x: &mut [E]) -> usize
        = |backend| {
            let x = RowsMut::flat(x);
            mask::rectify(backend, x.source(), x, None)
        };

    "How many elements are non-zero: not `+0`, not `-0.0`. NaN is counted."
    ///
    /// `f32`, `f64`, `f16` and `bf16`.
    ///
    /// ```
    /// assert_eq!(halfwave::sparsity::count_nonzero(&[0.0f32, -0.0, -1.0, f32::NAN]), 2);
    /// ```
    count_nonzero / par_count_nonzero [E: Float](x: &[E]) -> usize
        = |backend| mask::count(backend, backend.kernels().non_zero(), x);

    "Writes the non-zero elements of `x` and their indices to the front of `values` and `indices`, in order, and returns how many they are."
    ///
    /// NaN is kept, `-0.0` is not. The rest of the buffers stays as it is. `f32`, `f64`, `f16` and `bf16`;
    /// indices are `u32` or `u64`.
    ///
    /// ```
    /// let (mut indices, mut values) = ([0u64; 3], [0.0f32; 3]);
    /// let n = halfwave::sparsity::compact(&[0.0, -1.5, 0.0, 2.5], &mut indices, &mut values)?;
    /// assert_eq!((&indices[..n], &values[..n]), (&[1, 3][..], &[-1.5, 2.5][..]));
    /// # Ok::<(), halfwave::sparsity::CompactError>(())
    /// ```
    ///
    /// # Errors
    /// [`CompactError::Room`] if a buffer is too small: it says how much is needed, and the buffers hold
    /// the first of the elements, as many as fit into both. [`CompactError::Index`] if `x` has more
    /// elements than `I` can number; then nothing is written.
    compact / par_compact [I: Index, E: Float]
        (x: &[E], indices: &mut [I], values: &mut [E]) -> Result<usize, CompactError>
        = |backend| compact::fill(backend, backend.kernels().non_zero(), x, indices, values);

    "The indices of the non-zero elements of `x`, in order, and the elements."
    ///
    /// NaN is kept, `-0.0` is not. The vectors are of exact size, on huge pages if they are large: `x` is
    /// counted first. `f32`, `f64`, `f16` and `bf16`; indices are `u32` or `u64`.
    ///
    /// ```
    /// let (indices, values) = halfwave::sparsity::compact_to_vecs::<u32, f32>(&[0.0, -1.5, 2.5]);
    /// assert_eq!((indices, values), (vec![1, 2], vec![-1.5, 2.5]));
    /// ```
    ///
    /// # Panics
    /// If `x` has more elements than `I` can number.
    compact_to_vecs / par_compact_to_vecs [I: Index, E: Float](x: &[E]) -> (Vec<I>, Vec<E>)
        = |backend| compact::collect(backend, backend.kernels().non_zero(), x);

    "Writes what `relu(x)` has above zero, or NaN, and the indices to the front of `values` and `indices`, in order, and returns how many they are."
    ///
    /// It is [`compact`] of `relu(x)`, in one pass. `f32`, `f64`, `f16` and `bf16`; indices are `u32` or
    /// `u64`.
    ///
    /// ```
    /// let (mut indices, mut values) = ([0u32; 1], [0.0f32; 1]);
    /// let error = halfwave::sparsity::relu_compact(&[3.0, -1.5, 2.5], &mut indices, &mut values);
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "2 elements are not zero, but there is room for 1 indices and 1 values: \
    ///      give both room for 2",
    /// );
    /// assert_eq!((indices, values), ([0], [3.0]));
    /// ```
    ///
    /// # Errors
    /// [`CompactError::Room`] if a buffer is too small: it says how much is needed, and the buffers hold
    /// the first of the elements, as many as fit into both. [`CompactError::Index`] if `x` has more
    /// elements than `I` can number; then nothing is written.
    relu_compact / par_relu_compact [I: Index, E: Float]
        (x: &[E], indices: &mut [I], values: &mut [E]) -> Result<usize, CompactError>
        = |backend| compact::fill(backend, backend.kernels().positive(), x, indices, values);

    "The indices of what `relu(x)` has above zero, or NaN, in order, and the elements."
    ///
    /// It is [`compact_to_vecs`] of `relu(x)`. `f32`, `f64`, `f16` and `bf16`; indices are `u32` or `u64`.
    ///
    /// ```
    /// let (indices, values) = halfwave::sparsity::relu_compact_to_vecs::<u32, f32>(&[3.0, -1.5, 2.5]);
    /// assert_eq!((indices, values), (vec![0, 2], vec![3.0, 2.5]));
    /// ```
    ///
    /// # Panics
    /// If `x` has more elements than `I` can number.
    relu_compact_to_vecs / par_relu_compact_to_vecs [I: Index, E: Float](x: &[E]) -> (Vec<I>, Vec<E>)
        = |backend| compact::collect(backend, backend.kernels().positive(), x);
}
