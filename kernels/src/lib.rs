//! The SIMD floor of [`halfwave`](https://docs.rs/halfwave): registers, loops, operations.
//!
//! There is no detection, no allocation and no thread here. An operation is written once over a
//! [`Lane`](register::Lane) and compiled for each instruction set; [`Operation::kernels_for`] has its
//! function pointers. Who calls one vouches that the CPU runs that [`Isa`]. Most programs want the
//! `halfwave` crate, which detects, checks lengths, and chooses how to move memory.
//!
//! ```
//! use halfwave_kernels::{Isa, Operation, Relu};
//!
//! let (x, mut y) = ([-1.0f32, 2.0], [0.0; 2]);
//! let relu = <Relu as Operation<f32>>::kernels_for(Isa::Portable);
//! // SAFETY: both arrays hold two elements, and every CPU of this target runs `portable`.
//! unsafe { (relu.map)(Relu, x.as_ptr(), y.as_mut_ptr(), 2, false) };
//! assert_eq!(y, [0.0, 2.0]);
//! ```
//!
//! Each file uses only files below it:
//!
//! | file | what |
//! |---|---|
//! | `table` | the kernels as function pointers |
//! | `ops/` | one file per operation, and the table of all |
//! | `loops/` | map, pieces, zip, arithmetic, mask, compress, sum, lookup, quantise, random: a loop over registers each |
//! | `half` | 16-bit floats |
//! | `math/` | exp, log1p, tanh, the normal tail: functions of registers; in pieces too, of looked-up coefficients |
//! | `oracle` | what the operations should give, behind the feature `oracle` |
//! | `unary` | what an operation is |
//! | `register` | registers with operators |
//! | `isa/` | one file per instruction set |
//! | `simd`, `piece_lanes`, `table_lanes`, `lanes` | the words that an instruction set implements |
//! | `parameters`, `precision`, `contract`, `dtype` | what a user may set, in which lanes, how exact, what arrays hold |
//! | `number` | the value of a parameter, to the last digit of an integer |
#![no_std]
// `Option::map` takes a closure, which may be left as a call.
#![allow(clippy::manual_map)]
// `per_isa!` names both units of an instruction set; most kernels are for the first.
#![allow(clippy::extra_unused_type_parameters)]

mod coefficients;
mod contract;
mod derivative;
mod dtype;
mod half;
mod isa;
mod lanes;
pub mod loops;
mod math;
mod number;
mod odd;
mod odd_lanes;
pub mod ops;
#[cfg(feature = "oracle")]
mod oracle;
mod parameters;
mod piece_lanes;
mod precision;
mod prelude;
pub mod register;
mod simd;
pub mod table;
mod table_lanes;
mod unary;

pub use contract::{Bound, Form};
pub use derivative::{Backward, BackwardFromOutput, Times};
pub use dtype::{Dtype, Element, Float, Int, UnknownDtype, bf16, f16};
pub use isa::{Isa, PerIsa};
pub use lanes::{FloatLanes, Lanes, V};
pub use loops::{MapFn, Zip, ZipFn, fence};
pub use number::Number;
pub use odd_lanes::OddLanes;
pub use ops::*;
#[cfg(feature = "oracle")]
pub use oracle::{Oracle, OracleNumber};
pub use parameters::{Parameter, ParameterError, Parameters, Values};
pub use piece_lanes::PieceLanes;
pub use precision::{F64ForF32, F64Full, Precision};
pub use simd::{FullSimd, MapWithSimd, MaskLanes, Simd, WithSimd};
pub use table::{BuiltinOp, OpKernels, Operation};
pub use table_lanes::TableLanes;
pub use unary::{ByTables, F32Lanes, FromOutput, OnHalf, Unary, UnaryInt};
