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
//! **What you call.** [`Activation`] holds the methods of every operation, [`Op`] is one named at
//! run time and has them too, [`relu`] and its siblings are plain functions, and [`backends`] lists what
//! this CPU can run, for who wants to choose. Slices are contiguous; a tensor of any shape is its
//! elements, and [`Rows`] are those of a part of one. Every method has a twin that begins with `par_`, on
//! rayon's current pool; [`parallel`] says when that shares the work, and that it does not after `fork`.
//!
//! **Panics and errors.** Slices or rows that do not fit one another are a mistake of the program: a call
//! panics, and says all their lengths or shapes. What depends on a choice made at run time is an error:
//! [`OpError`] where an operation is chosen by name and its parameters, dtype or derivative do not go
//! together, [`BackendError`] where a backend is, and the error of a constructor that checks its numbers.
//! Only one of these panics, in methods that return no error: if `HALFWAVE_ISA` names a backend that
//! cannot be had. [`backend`] tells that beforehand, and the methods of [`Op`] return it.
//!
//! **The operations** are [`Relu`], [`Relu6`], [`ReluN`], [`Clip`], [`LeakyRelu`], [`Rrelu`],
//! [`Threshold`], [`ThresholdedRelu`], [`ReluSquared`], [`Step`], [`HardSigmoid`], [`HardSwish`], [`HardShrink`],
//! [`SoftShrink`], [`Shrink`], [`Softsign`]; and the smooth ones [`Sigmoid`], [`LogSigmoid`], [`Tanh`],
//! [`TanhShrink`], [`Softplus`], [`Elu`], [`Celu`], [`Selu`], [`Silu`], [`Gelu`], [`GeluTanh`],
//! [`QuickGelu`], [`Mish`]. Parameters are checked when one is made.
//!
//! ```
//! use halfwave::{Activation, Clip, Op};
//!
//! let clip = Clip::new(0.0, 20.0)?;
//! assert_eq!(clip.apply_to_vec(&[-1.0f64, 5.0, 30.0]), [0.0, 5.0, 20.0]);
//! assert_eq!(Clip::new(f64::NAN, 1.0).unwrap_err().to_string(), "min is NaN; it must be a number");
//! let op: Op = "leaky_relu(slope=0.25)".parse()?;
//! let mut y = [0.0f32; 2];
//! op.apply(&[-4.0, 4.0], &mut y)?;
//! assert_eq!(y, [-1.0, 4.0]);
//! let error = op.apply_in_place(&mut [1i8, 2]).unwrap_err();
//! assert!(error.to_string().starts_with("leaky_relu(slope=0.25) is not defined on i8"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The smooth ones are within one ulp of the true value on all of `f32`, far out too, where a formula in
//! `f32` has long become 0 or NaN.
//!
//! ```
//! use halfwave::{Activation, Gelu, Sigmoid, Silu, Softplus};
//!
//! assert_eq!(format!("{:.2e}", Sigmoid.eval(-90.0f32)), "8.19e-40");     // a subnormal number
//! assert_eq!(format!("{:.2e}", Gelu.eval(-6.0f32)), "-5.92e-9");
//! assert_eq!(Silu::default().eval(f32::NEG_INFINITY).to_bits(), (-0.0f32).to_bits());
//! assert_eq!(Softplus::new(4.0)?.eval(f32::INFINITY), f32::INFINITY);    // log1p(e^4x)/4
//! # Ok::<(), halfwave::ParameterError>(())
//! ```
//!
//! **Training.** [`backward`](Activation::backward) is `dx = dy · f′(x)`, with PyTorch's derivatives
//! at kinks. [`backward_from_output`](Activation::backward_from_output) has it from `y`, so that `x`
//! need not be kept, of the operations whose output tells enough.
//!
//! ```
//! use halfwave::{Activation, Relu6};
//!
//! let (x, dy) = ([-1.0f32, 3.0, 6.0], [10.0; 3]);
//! let (mut y, mut dx) = ([0.0; 3], [0.0; 3]);
//! Relu6.backward(&x, &dy, &mut dx);
//! assert_eq!(dx, [0.0, 10.0, 0.0]);
//! Relu6.apply(&x, &mut y);
//! Relu6.backward_from_output(&y, &dy, &mut dx);   // the same
//! assert_eq!(dx, [0.0, 10.0, 0.0]);
//! ```
//!
//! [`Prelu`] has slopes that are learned, and [`RreluTraining`] slopes that are drawn: the same for
//! the same seed, on any number of threads.
//!
//! ```
//! use halfwave::{Prelu, RreluTraining};
//!
//! let (x, dy) = ([-1.0f32, 2.0, -3.0, -4.0], [1.0; 4]);   // 2 rows of 2 channels
//! let (mut dx, mut dslope) = ([0.0; 4], [0.0; 2]);
//! let prelu = Prelu::PerChannel { slopes: &[0.5, 0.25], inner: 1 };
//! prelu.backward(&x, &dy, &mut dx);
//! prelu.backward_slope(&x, &dy, &mut dslope);
//! assert_eq!((dx, dslope), ([0.5, 1.0, 0.5, 0.25], [-4.0, -4.0]));
//!
//! let rrelu = RreluTraining::new(0.125, 0.25, 42)?;       // bounds and seed
//! let y = rrelu.apply_to_vec(&x);
//! rrelu.backward(&x, &dy, &mut dx);                       // draws the same slopes again
//! assert_eq!(dx[0], -y[0]);
//! # Ok::<(), halfwave::ParameterError>(())
//! ```
//!
//! **Zeros.** [`sparsity`] has relu with one bit per element, all that its derivative needs; it
//! counts, and packs what is not zero.
//!
//! ```
//! use halfwave::sparsity;
//!
//! let x = [-1.0f32, 2.0, 3.0];
//! let (mut y, mut mask, mut dx) = ([0.0; 3], [0u8; 1], [0.0; 3]);
//! sparsity::relu_with_mask(&x, &mut y, &mut mask);
//! assert_eq!(mask, [0b110]);
//! sparsity::relu_mask_backward(&mask, &[10.0; 3], &mut dx);
//! assert_eq!(dx, [0.0, 10.0, 10.0]);
//! assert_eq!(sparsity::count_nonzero(&y), 2);
//! let (indices, values) = sparsity::compact_to_vecs::<u32, f32>(&y);
//! assert_eq!((indices, values), (vec![1, 2], vec![2.0, 3.0]));
//! ```
//!
//! **Neighbours.** [`Fused`] takes an operation together with a bias, a residual, a scale and a bias,
//! or a gate ([`glu`], [`reglu`], [`geglu`], [`swiglu`], [`BILINEAR`], or any other operation as `f` in
//! `f(g) · v`), forward and backward. It takes rows with a stride, [`Rows`] and [`RowsMut`], so that a
//! part of a matrix need not be copied. Each form is composed of its steps' own kernels, on blocks that go from one to the
//! next through the first-level cache: one pass over memory, and the bits of the sequence of calls.
//!
//! ```
//! use halfwave::{Broadcast, Fused, Relu, Rows, RowsMut};
//!
//! let x = [1.0f32, -2.0, 9.0, -4.0, 5.0, 9.0];            // 2 rows of 3, of which 2 columns
//! let mut y = [0.0; 4];
//! let bias = Broadcast::PerColumn(&[0.5, 3.0]);
//! Relu.bias(Rows::strided(&x, 2, 2, 3), bias, RowsMut::new(&mut y, 2, 2));
//! assert_eq!(y, [1.5, 1.0, 0.0, 8.0]);
//!
//! let (g, v) = Rows::new(&[1.0f32, -2.0, 10.0, 20.0], 1, 4).halves();
//! let mut y = [0.0; 2];
//! halfwave::reglu(g, v, &mut y);                          // relu(g) · v
//! assert_eq!(y, [10.0, 0.0]);
//! ```
//!
//! **Bytes.** [`Quantize`] takes an operation's output to `i8` or `u8`, [`quantize()`] and
//! [`dequantize()`] plain numbers there and back, from and to `f32`, `f16` and `bf16`. [`Lut8`] is any
//! function from 8 bits to 8 bits, as a table.
//!
//! ```
//! use halfwave::{HardSwish, Lut8, Quantization, Quantize, Relu};
//!
//! let of = Quantization::<i8>::new(0.5, 0)?;              // scale and zero point
//! let mut q = [0; 3];
//! Relu.quantize(&[-1.0f32, 1.5, 1000.0], of, &mut q);
//! assert_eq!(q, [0, 3, 127]);
//! Lut8::new(HardSwish, of, of).apply_in_place(&mut q);    // 1.5 → 1.125, in steps of 0.5
//! assert_eq!(q, [0, 2, 127]);
//! # Ok::<(), halfwave::QuantizationError>(())
//! ```
//!
//! **What you can rely on.** The result of an element depends on nothing but the element and, where it is
//! not exact, the backend. Exact operations give the same bits everywhere. Every operation gives the same
//! bits on one backend on any machine: at any position, length, alignment and thread count, and in any
//! floating-point environment. A caller or a thread of the pool may flush subnormal numbers (FTZ, DAZ),
//! round otherwise or trap; the calls compute in the default environment and put back what was there.
//! (Constructors of operations are not calls: they compare parameters in the caller's environment.) On every
//! backend the bounds hold. `portable` on x86-64 has no FMA, and other bits where an operation is not exact;
//! those with FMA have the same bits as one another, except where an operation's page says otherwise. (What it says of a
//! derivative on `f32` holds on `f16` and `bf16`, too, where that is rounded from it.) For reproducible bits on x86-64,
//! choose `avx2`.
//! NaN goes through with sign and payload, subnormals are numbers, `relu(-0.0)` is `-0.0`, infinity gives
//! the limit. What can be exact is; the rest is within 1 ulp on `f32` and 1.5 on `f64`, derivatives
//! within 2 and 4; `f16` and `bf16` are correctly rounded (derivatives are computed in `f32` and then
//! rounded). Each operation's page has its table; tests hold every backend to it.
//!
//! **Why it is fast.** Each operation is written once over SIMD lanes and compiled for
//! `portable` (SSE2, NEON, simd128), `avx2` and `avx512`; the CPU is asked once per process
//! which it has. In cache a kernel is one load and one store per register. Beyond the last-level
//! cache, stores go past it. Fresh vectors come on huge pages. The environment variable
//! `HALFWAVE_ISA` overrides the choice by one of these names; one that this CPU cannot
//! run is an error, see [`backend`]. [`memory`] and [`parallel`] have the sizes from which on memory is
//! moved otherwise and work is shared, and can set them.
//!
//! **dtypes.** [`f32`], [`f64`], [`struct@f16`] and [`bf16`]; for [`Relu`], [`Relu6`], [`ReluN`] and
//! [`Clip`] also [`i8`], [`i16`], [`i32`], [`i64`], [`u8`], [`u16`], [`u32`] and [`u64`].
//!
//! **Features.** `std` (detection) and `parallel` (the `par_` methods, on rayon), both on by default.
//! Without `std` the backend is the best the build's target features promise.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

mod activation;
mod backend;
mod blocks;
mod calls;
mod detect;
mod dispatch;
mod float_env;
mod fused;
mod kernels;
pub mod limits;
mod lut8;
pub mod memory;
mod op;
#[cfg(feature = "parallel")]
pub mod parallel;
mod prelu;
mod quantize;
mod rows;
mod rrelu;
pub mod sparsity;
mod threshold;

pub use activation::Activation;
pub use backend::Backend;
pub use blocks::Broadcast;
pub use dispatch::{BackendError, backend, backend_named, backends};
pub use fused::{
    BILINEAR, Fused, geglu, geglu_backward, geglu_tanh, geglu_tanh_backward, glu, glu_backward,
    reglu, reglu_backward, swiglu, swiglu_backward,
};
#[doc(inline)]
pub use halfwave_kernels::ops::*;
pub use halfwave_kernels::{
    Dtype, Element, Float, Int, Isa, Number, Operation, Parameter, ParameterError, UnknownDtype,
    bf16, f16,
};
pub use lut8::{Function, Lut8};
pub use op::{Call, Op, OpError, OpOn};
pub use prelu::Prelu;
pub use quantize::{
    Quantizable, Quantization, QuantizationError, Quantize, Quantized, dequantize,
    dequantize_uninit, quantize, quantize_uninit,
};
#[cfg(feature = "parallel")]
pub use quantize::{par_dequantize, par_dequantize_uninit, par_quantize, par_quantize_uninit};
pub use rows::{Rows, RowsMut, Slot};
pub use rrelu::RreluTraining;

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
