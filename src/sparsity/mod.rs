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

use crate::dispatch::active;

/// The methods of a backend of the same names, on the one in use and on its pool.
macro_rules! functions {
    ($(
        $(#[$doc:meta])*
        $name:ident $par:ident $(<$($life:lifetime)? $($I:ident)?>)? ($($arg:ident: $T:ty),*) $(-> $R:ty)?;
    )*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name<$($($life,)? $($I: Index,)?)? E: Float>($($arg: $T),*) $(-> $R)? {
            active().$name($($arg),*)
        }

        #[doc = concat!("[`", stringify!($name), "`] on rayon's current pool.")]
        #[cfg(feature = "parallel")]
        #[track_caller]
        pub fn $par<$($($life,)? $($I: Index,)?)? E: Float>($($arg: $T),*) $(-> $R)? {
            active().par().$name($($arg),*)
        }
    )*};
}
functions! {
    /// See [`Backend::relu_with_mask`](crate::Backend::relu_with_mask).
    relu_with_mask par_relu_with_mask(x: &[E], y: &mut [E], mask: &mut [u8]);
    /// See [`Backend::relu_with_mask_uninit`](crate::Backend::relu_with_mask_uninit).
    relu_with_mask_uninit par_relu_with_mask_uninit<'a>(x: &[E], y: &'a mut [MaybeUninit<E>], mask: &mut [u8]) -> &'a mut [E];
    /// See [`Backend::relu_with_mask_in_place`](crate::Backend::relu_with_mask_in_place).
    relu_with_mask_in_place par_relu_with_mask_in_place(x: &mut [E], mask: &mut [u8]);
    /// See [`Backend::relu_mask_backward`](crate::Backend::relu_mask_backward).
    relu_mask_backward par_relu_mask_backward(mask: &[u8], dy: &[E], dx: &mut [E]);
    /// See [`Backend::relu_mask_backward_in_place`](crate::Backend::relu_mask_backward_in_place).
    relu_mask_backward_in_place par_relu_mask_backward_in_place(mask: &[u8], dy: &mut [E]);
    /// See [`Backend::relu_with_count`](crate::Backend::relu_with_count).
    relu_with_count par_relu_with_count(x: &[E], y: &mut [E]) -> usize;
    /// See [`Backend::relu_with_count_uninit`](crate::Backend::relu_with_count_uninit).
    relu_with_count_uninit par_relu_with_count_uninit<'a>(x: &[E], y: &'a mut [MaybeUninit<E>]) -> (&'a mut [E], usize);
    /// See [`Backend::relu_with_count_in_place`](crate::Backend::relu_with_count_in_place).
    relu_with_count_in_place par_relu_with_count_in_place(x: &mut [E]) -> usize;
    /// See [`Backend::count_nonzero`](crate::Backend::count_nonzero).
    count_nonzero par_count_nonzero(x: &[E]) -> usize;
    /// See [`Backend::compact`](crate::Backend::compact).
    ///
    /// # Errors
    /// As there.
    compact par_compact<I>(x: &[E], indices: &mut [I], values: &mut [E]) -> Result<usize, CompactError>;
    /// See [`Backend::compact_to_vecs`](crate::Backend::compact_to_vecs).
    compact_to_vecs par_compact_to_vecs<I>(x: &[E]) -> (Vec<I>, Vec<E>);
    /// See [`Backend::relu_compact`](crate::Backend::relu_compact).
    ///
    /// # Errors
    /// As there.
    relu_compact par_relu_compact<I>(x: &[E], indices: &mut [I], values: &mut [E]) -> Result<usize, CompactError>;
    /// See [`Backend::relu_compact_to_vecs`](crate::Backend::relu_compact_to_vecs).
    relu_compact_to_vecs par_relu_compact_to_vecs<I>(x: &[E]) -> (Vec<I>, Vec<E>);
}
