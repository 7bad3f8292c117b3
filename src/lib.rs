//! SIMD activation functions for the CPU: exact, and at the speed of memory.
//!
//! ```
//! use halfwave::{Activation, Relu};
//!
//! let x = [-10.0f32, -5.0, 0.0, 5.0, 10.0];
//! let mut y = [0.0; 5];
//! Relu.apply(&x, &mut y);                         // y = relu(x)
//! assert_eq!(y, [0.0, 0.0, 0.0, 5.0, 10.0]);
//!
//! Relu.apply_in_place(&mut y);                    // y = relu(y)
//! let z: Vec<f32> = Relu.apply_to_vec(&x);        // on huge pages if it is large
//! # #[cfg(feature = "parallel")]
//! Relu.par_apply(&x, &mut y);                     // on rayon's current pool
//! assert_eq!(Relu.eval(-3i8), 0);                 // one element
//! # assert_eq!(y[..], z[..]);
//! ```
//!
//! **What you call.** [`Activation`] holds the methods of every operation; [`relu`] and its
//! siblings are the same as free functions; [`Op`] is an operation named at run time;
//! [`backends`] lists what this CPU can run, for who wants to choose. Slices are one-dimensional
//! and contiguous; a tensor of any shape is its elements.
//!
//! **What you can rely on.** The result of an element depends on nothing but the element: not on
//! its position, the length or alignment of the slice, the thread count, or the instruction set.
//! NaN goes through with sign and payload, subnormals are numbers, `relu(-0.0)` is `-0.0`. Each
//! operation's page has its table; tests hold every backend to it bit by bit.
//!
//! **Why it is fast.** Each operation is written once over SIMD lanes and compiled for
//! `portable` (SSE2, NEON, simd128), `avx2` and `avx512`; the CPU is asked once per process
//! which it has. In cache a kernel is one load and one store per register. Beyond the last-level
//! cache, stores go past it. Fresh vectors come on huge pages. The environment variable
//! `HALFWAVE_ISA` (`portable`, `avx2`, `avx512`) overrides the choice; a name this CPU cannot
//! run is an error, see [`backend`].
//!
//! **dtypes.** [`f32`], [`f64`], [`struct@f16`], [`bf16`], [`i8`], [`i16`], [`i32`], [`i64`].
//!
//! **Features.** `std` (detection) and `parallel` (the `par_` methods, on rayon), both on by default.
//! Without `std` the backend is the best the build's target features promise.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

mod activation;
mod backend;
mod dispatch;
pub mod limits;
pub mod memory;
mod op;
#[cfg(feature = "parallel")]
pub mod parallel;

pub use activation::Activation;
pub use backend::{Backend, Call};
pub use dispatch::{BackendError, backend, backend_named, backends};
pub use halfwave_kernels::{
    Clip, Dtype, Element, Float, HardShrink, HardSigmoid, HardSwish, Isa, LeakyRelu, Operation,
    Parameter, ParameterError, Relu, Relu6, ReluSquared, Rrelu, Shrink, SoftShrink, Softsign, Step,
    Threshold, ThresholdedRelu, UnknownDtype, bf16, f16,
};
pub use op::{Op, OpError};

/// `dst = relu(src)`. See [`Relu`] and [`Activation::apply`].
///
/// ```
/// let mut y = [0i32; 2];
/// halfwave::relu(&[100, -100], &mut y);
/// assert_eq!(y, [100, 0]);
/// ```
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn relu<E: Element>(src: &[E], dst: &mut [E])
where
    Relu: Operation<E>,
{
    Relu.apply(src, dst);
}

/// `x = relu(x)`. See [`Relu`].
pub fn relu_in_place<E: Element>(x: &mut [E])
where
    Relu: Operation<E>,
{
    Relu.apply_in_place(x);
}

/// [`relu`] on rayon's current pool. See [`Activation::par_apply`].
///
/// # Panics
/// If the lengths differ.
#[cfg(feature = "parallel")]
#[track_caller]
pub fn par_relu<E: Element>(src: &[E], dst: &mut [E])
where
    Relu: Operation<E>,
{
    Relu.par_apply(src, dst);
}

/// [`relu_in_place`] on rayon's current pool. See [`Activation::par_apply_in_place`].
#[cfg(feature = "parallel")]
pub fn par_relu_in_place<E: Element>(x: &mut [E])
where
    Relu: Operation<E>,
{
    Relu.par_apply_in_place(x);
}

/// The target triple this crate was built for.
pub const BUILD_TARGET: &str = env!("HALFWAVE_TARGET");
/// The compiler this crate was built with.
pub const BUILD_RUSTC: &str = env!("HALFWAVE_RUSTC");
