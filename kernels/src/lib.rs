//! The SIMD floor of [`halfwave`](https://docs.rs/halfwave): lanes, loops, operations.
//!
//! There is no detection, no allocation and no thread here. An operation is written once over
//! [`Lanes`]; each instruction set stamps it into a [`Kernels`] table of function pointers; who
//! takes a pointer from a table vouches that the CPU runs that table's [`Isa`]. Most programs
//! want the `halfwave` crate, which detects, checks lengths, and chooses how to move memory.
//!
//! ```
//! use halfwave_kernels::{Relu, isa};
//!
//! let (x, mut y) = ([-1.0f32, 2.0], [0.0; 2]);
//! let relu = isa::portable::KERNELS.relu.floats.f32;
//! // SAFETY: both arrays hold two elements, and every CPU of this target runs `portable`.
//! unsafe { (relu.map)(Relu, x.as_ptr(), y.as_mut_ptr(), 2, false) };
//! assert_eq!(y, [0.0, 2.0]);
//! ```
#![no_std]
// `Option::map` takes a closure, which may be left as a call.
#![allow(clippy::manual_map)]

mod element;
pub mod forms;
pub mod isa;
mod lanes;
mod map;
mod math;
mod num;
mod ops;
mod parameters;
mod sparse;
mod table;

pub use element::{Dtype, Element, Float, Half, Int, Number, Real, Short, UnknownDtype, Wide};
pub use half::{bf16, f16};
pub use isa::Isa;
pub use lanes::{FloatLanes, FullSimd, Lanes, Simd, Task, V};
pub use map::{Zip, fence};
pub use num::Num;
pub use ops::*;
pub use parameters::{Parameter, ParameterError, Parameters, Values};
pub use sparse::Sparse;
pub use table::{All, Floats, Kernel, Kernels, MapFn, Operation, Row, Tabled, Takes, ZipFn};
