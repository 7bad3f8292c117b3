//! What surrounds an operation in a fused form, for every float dtype: the steps that the library
//! strings together over pieces that stay in the first-level cache.

mod arithmetic;
mod layout;

pub use arithmetic::{
    Add, ArithmeticFn, Mul, Prelu, PreluSlope, PreluSlopeGradient, Scalar, Times,
};
pub use layout::{Deinterleave, DeinterleaveFn, Interleave, InterleaveFn};

use half::{bf16, f16};

use crate::element::Float;
use crate::lanes::{Lanes, Simd};
use crate::ops::Pairwise;

/// The kernels of one dtype that no operation is part of.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct FormsOf<E> {
    pub add: ArithmeticFn<Add, E>,
    pub mul: ArithmeticFn<Mul, E>,
    pub times: ArithmeticFn<Times, E>,
    pub prelu: ArithmeticFn<Prelu, E>,
    pub prelu_slope: ArithmeticFn<PreluSlope, E>,
    pub prelu_slope_gradient: ArithmeticFn<PreluSlopeGradient, E>,
    pub deinterleave: DeinterleaveFn<E>,
    pub interleave: InterleaveFn<E>,
}

impl<E: Float> FormsOf<E>
where
    Add: Pairwise<E>,
    Mul: Pairwise<E>,
    Times: Pairwise<E>,
    Prelu: Pairwise<E>,
    PreluSlope: Pairwise<E>,
    PreluSlopeGradient: Pairwise<E>,
{
    const fn of<S: Simd + Lanes<E::Lane>>() -> Self {
        Self {
            add: ArithmeticFn::of::<S>(),
            mul: ArithmeticFn::of::<S>(),
            times: ArithmeticFn::of::<S>(),
            prelu: ArithmeticFn::of::<S>(),
            prelu_slope: ArithmeticFn::of::<S>(),
            prelu_slope_gradient: ArithmeticFn::of::<S>(),
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
}

impl Forms {
    pub(crate) const fn of<S: Simd>() -> Self {
        Self {
            f32: FormsOf::of::<S>(),
            f64: FormsOf::of::<S>(),
            f16: FormsOf::of::<S>(),
            bf16: FormsOf::of::<S>(),
        }
    }
}
