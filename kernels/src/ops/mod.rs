//! The operations: what one is, and the table of all.

mod relu;

pub use relu::Relu;

use half::{bf16, f16};

use crate::element::{Element, Half, Number};
use crate::lanes::{Lanes, Simd};

/// A function of one element, written once for all instruction sets.
pub trait Unary: Copy + Send + Sync + 'static {
    /// What it computes, in the notation of a textbook: for titles and lists.
    const FORMULA: &'static str;

    /// The operation on lanes of `f32` or `f64`.
    fn lanes<E: Number, L: Lanes<E>>(self, l: L, x: L::V) -> L::V;

    /// The operation on the bits of `f16` or `bf16`.
    fn half<H: Half, L: Lanes<i16>>(self, l: L, x: L::V) -> L::V;
}

/// A [`Unary`] that makes sense for signed integers too.
pub trait UnaryInt: Copy + Send + Sync + 'static {
    /// The operation on integer lanes.
    fn int_lanes<E: Number, L: Lanes<E>>(self, l: L, x: L::V) -> L::V;
}

/// An operation as a loop over `E` sees it: on whatever a register of `E` holds.
/// Implemented for every [`Unary`] and [`UnaryInt`].
pub trait Elementwise<E: Element>: Copy {
    /// The operation on one register.
    fn on<S, V: Copy>(self, s: S, x: V) -> V
    where
        S: Simd + Lanes<E::Lane, V = V>;
}

macro_rules! elementwise {
    ($($operation:ident: $($element:ident)+ => $method:ident $(::<$half:ident>)?;)*) => {$($(
        impl<O: $operation> Elementwise<$element> for O {
            #[inline(always)]
            fn on<S, V: Copy>(self, s: S, x: V) -> V
            where
                S: Simd + Lanes<<$element as Element>::Lane, V = V>,
            {
                self.$method::<$element, S>(s, x)
            }
        }
    )+)*};
}
elementwise! {
    Unary: f32 f64 => lanes;
    Unary: f16 bf16 => half;
    UnaryInt: i8 i16 i32 i64 => int_lanes;
}

/// THE TABLE: one row per operation, `field: Type`. Calls `$then!` with all rows; the kernel
/// tables, the dtypes an operation is callable on, and the faces' names all come from here.
#[macro_export]
#[doc(hidden)]
macro_rules! for_each_op {
    ($then:ident) => {
        $then! {
            relu: Relu;
        }
    };
}
