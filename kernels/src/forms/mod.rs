//! What surrounds an operation in a fused form, for every float dtype: the steps that the library
//! strings together over pieces that stay in the first-level cache.

mod arithmetic;
mod layout;
mod lut;
mod mask;
mod quantize;
mod random;
mod sum;

pub use arithmetic::{
    Add, ArithmeticFn, Mul, Prelu, PreluSlope, PreluSlopeGradient, Scalar, Then, Times,
};
pub use mask::{
    Compress, CompressFn, Index, Mask, MaskFn, MaskForms, Masked, Move, NonZero, Positive,
    Predicate, SLACK, Unmask, UnmaskFn,
};

pub use layout::{Deinterleave, DeinterleaveFn, Interleave, InterleaveFn};
pub use lut::Lookup;
pub use quantize::{Dequantize, Grid, Quantizable, Quantize, QuantizeFns};
pub use random::{DrawSlopes, Drawn, Range};
pub use sum::{SlopeSum, SlopeSums, Summand};

use half::{bf16, f16};

use crate::element::Float;
use crate::lanes::{FullSimd, Lanes};
use crate::ops::{Elementwise, Pairwise, Relu};
use crate::table::MapFn;

/// The kernels of one dtype that no operation is part of.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct FormsOf<E> {
    pub add: ArithmeticFn<Add, E>,
    pub mul: ArithmeticFn<Mul, E>,
    /// The one operation that is so common behind a sum that it has a loop with it.
    pub add_relu: ArithmeticFn<Then<Add, Relu>, E>,
    pub times: ArithmeticFn<Times, E>,
    pub prelu: ArithmeticFn<Prelu, E>,
    pub prelu_slope: ArithmeticFn<PreluSlope, E>,
    pub prelu_slope_gradient: ArithmeticFn<PreluSlopeGradient, E>,
    pub masks: MaskForms<E>,
    pub slope_sum: unsafe fn(SlopeSum<E>) -> f64,
    pub slope_sums: unsafe fn(SlopeSums<E>),
    pub draw_slopes: unsafe fn(DrawSlopes<E>),
    /// Elements to a draw of `draw_slopes`.
    pub per_draw: usize,
    pub deinterleave: DeinterleaveFn<E>,
    pub interleave: InterleaveFn<E>,
}

impl<E: Float> FormsOf<E>
where
    Add: Pairwise<E>,
    Mul: Pairwise<E>,
    Relu: Elementwise<E>,
    Times: Pairwise<E>,
    Prelu: Pairwise<E>,
    PreluSlope: Pairwise<E>,
    PreluSlopeGradient: Pairwise<E>,
    E: Summand + Drawn,
{
    const fn of<S: FullSimd + Lanes<E::Lane>>() -> Self {
        Self {
            add: ArithmeticFn::of::<S>(),
            mul: ArithmeticFn::of::<S>(),
            add_relu: ArithmeticFn::of::<S>(),
            times: ArithmeticFn::of::<S>(),
            prelu: ArithmeticFn::of::<S>(),
            prelu_slope: ArithmeticFn::of::<S>(),
            prelu_slope_gradient: ArithmeticFn::of::<S>(),
            masks: MaskForms::of::<S>(),
            slope_sum: S::enter::<SlopeSum<E>>,
            slope_sums: S::enter::<SlopeSums<E>>,
            draw_slopes: S::enter::<DrawSlopes<E>>,
            per_draw: E::PER_DRAW,
            deinterleave: S::enter::<Deinterleave<E>>,
            interleave: S::enter::<Interleave<E>>,
        }
    }
}

/// The kernels of one instruction set that no operation is part of.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Forms {
    pub f32: FormsOf<f32>,
    pub f64: FormsOf<f64>,
    pub f16: FormsOf<f16>,
    pub bf16: FormsOf<bf16>,
    /// Bytes, from one place to another.
    pub copy: MapFn<Move, i8>,
    pub quantize_f32: QuantizeFns<f32>,
    pub quantize_f16: QuantizeFns<f16>,
    pub quantize_bf16: QuantizeFns<bf16>,
    /// A table, of bytes.
    pub lookup: MapFn<Lookup, i8>,
}

impl Forms {
    pub(crate) const fn of<S: FullSimd>() -> Self {
        Self {
            f32: FormsOf::of::<S>(),
            f64: FormsOf::of::<S>(),
            f16: FormsOf::of::<S>(),
            bf16: FormsOf::of::<S>(),
            copy: S::map::<i8, Move>,
            quantize_f32: QuantizeFns::of::<S>(),
            quantize_f16: QuantizeFns::of::<S>(),
            quantize_bf16: QuantizeFns::of::<S>(),
            lookup: S::map::<i8, Lookup>,
        }
    }
}
