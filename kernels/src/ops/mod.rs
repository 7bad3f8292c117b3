//! The operations: what one is, and the table of all.

mod clip;
mod half;
mod hard_shrink;
mod hard_sigmoid;
mod hard_swish;
mod leaky_relu;
mod relu;
mod relu6;
mod relu_squared;
mod rrelu;
mod shrink;
mod soft_shrink;
mod softsign;
mod step;
#[cfg(test)]
mod testing;
mod threshold;
mod thresholded_relu;

pub(crate) use half::round_upper;

pub use clip::Clip;
pub use hard_shrink::HardShrink;
pub use hard_sigmoid::HardSigmoid;
pub use hard_swish::HardSwish;
pub use leaky_relu::LeakyRelu;
pub use relu::Relu;
pub use relu_squared::ReluSquared;
pub use relu6::Relu6;
pub use rrelu::Rrelu;
pub use shrink::Shrink;
pub use soft_shrink::SoftShrink;
pub use softsign::Softsign;
pub use step::Step;
pub use threshold::Threshold;
pub use thresholded_relu::ThresholdedRelu;

use ::half::{bf16, f16};

use crate::element::{Element, Float, Half, Int, Real, Wide};
use crate::lanes::{FloatLanes, Lanes, Simd, V};
use crate::parameters::Parameters;

/// How [`Unary::derivative`] is had from the output alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromOutput {
    /// It is not: several inputs give the same output with different derivatives, or only a
    /// formula less exact than the one from the input would do.
    Never,
    /// By the same function: `f′(f(x)) = f′(x)`.
    AsFromInput,
    /// By [`Unary::derivative_from_output`].
    ByItself,
}

/// A function of one element, written once for all instruction sets.
pub trait Unary: Parameters + Send + Sync + 'static {
    /// What it computes, in the notation of a textbook: for titles and lists.
    const FORMULA: &'static str;

    /// On `f32`, how far `lanes` may be from the true value, in ulps; zero if it is exact. A result
    /// on `f16` or `bf16` that is this near to where rounding changes is computed again in `f64`.
    const ULPS: i32 = 0;

    /// Whether every result is the input or a constant, and `lanes` does nothing but compare and
    /// select (`max`, `min`, `abs` are that too).
    const SELECTS: bool = false;

    /// Whether `half` is so short that the loop should be unrolled around it.
    const UNROLL_HALF: bool = false;

    /// Whether `f32` is computed in `f64` lanes, because in `f32` lanes it would not be within one
    /// ulp.
    const IN_F64: bool = false;

    /// Whether 64-byte registers pay: the operation is bound by computation rather than by loads and
    /// stores, and by instructions that such a register does at the speed of two of 32 bytes, or faster.
    const COMPUTE_BOUND: bool = false;

    /// Whether and how the derivative is had from the output.
    const FROM_OUTPUT: FromOutput = FromOutput::Never;

    /// The operation.
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V;

    /// Its derivative. Where this is zero, so is `dx`, whatever `dy` is.
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V;

    /// Its derivative where the output is `y`.
    #[inline(always)]
    fn derivative_from_output<R: Real, L: FloatLanes<R::Lane>>(self, l: L, y: L::V) -> L::V {
        self.derivative::<R, L>(l, y)
    }

    /// What tests compare with: the operation on one number in plain `f64` arithmetic, as a textbook
    /// has it, with parameters and constants as [`Real::value`] rounds them (`R` is `f32` for `f32`,
    /// `f16` and `bf16`). Exact, or far below half an ulp of those dtypes.
    fn oracle<R: Real>(self, x: f64) -> f64;

    /// The same of the derivative.
    fn derivative_oracle<R: Real>(self, x: f64) -> f64;

    /// Whether the output of dtype `E` tells the derivative with these parameters, where
    /// [`FROM_OUTPUT`](Unary::FROM_OUTPUT) says that it can.
    fn output_suffices<E: Float>(self) -> bool {
        true
    }

    /// The operation on the bits of `f16` or `bf16`, correctly rounded.
    #[inline(always)]
    fn half<H: Half, S: Simd>(self, s: S, x: V<S, i16>) -> V<S, i16> {
        if Self::SELECTS {
            half::by_selecting::<H, S, Self>(s, self, x)
        } else {
            half::by_computing::<H, S, Self>(s, self, x)
        }
    }
}

/// A [`Unary`] that makes sense for signed integers too.
pub trait UnaryInt: Copy + Send + Sync + 'static {
    /// The operation on integer lanes.
    fn int_lanes<E: Int, L: Lanes<E>>(self, l: L, x: L::V) -> L::V;
}

/// An operation as a loop over `E` sees it: on whatever a register of `E` holds.
/// Implemented for every [`Unary`] and [`UnaryInt`].
pub trait Elementwise<E: Element>: Copy {
    /// Whether the loop should go over four registers at a time; else over one.
    const UNROLL: bool = true;

    /// The operation as [`on`](Elementwise::on) wants it; to be asked for once, before the loop.
    #[inline(always)]
    fn ready(self) -> Self {
        self
    }

    /// The operation on one register.
    fn on<S, R: Copy>(self, s: S, x: R) -> R
    where
        S: Simd + Lanes<E::Lane, V = R>;
}

/// An operation on two arrays as a loop over `E` sees it.
pub trait Pairwise<E: Element>: Copy {
    /// The operation on one register of each.
    fn on<S, R: Copy>(self, s: S, a: R, b: R) -> R
    where
        S: Simd + Lanes<E::Lane, V = R>;
}

impl<O: Unary> Elementwise<f32> for O {
    const UNROLL: bool = !O::IN_F64;

    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R) -> R
    where
        S: Simd + Lanes<f32, V = R>,
    {
        if O::IN_F64 {
            let [a, b] = s.widen(x);
            s.narrow([self.lanes::<Wide, S>(s, a), self.lanes::<Wide, S>(s, b)])
        } else {
            self.lanes::<f32, S>(s, x)
        }
    }
}

impl<O: Unary> Elementwise<f64> for O {
    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R) -> R
    where
        S: Simd + Lanes<f64, V = R>,
    {
        self.lanes::<f64, S>(s, x)
    }
}

#[inline(always)]
fn ready_half<H: Half, O: Unary>(op: O) -> O {
    if const { O::SELECTS && !O::PARAMETERS.is_empty() } {
        half::ready::<H, O>(op)
    } else {
        op
    }
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // called as `ready_half` is
fn as_it_is<E, O>(op: O) -> O {
    op
}

macro_rules! elementwise {
    ($($operation:ident: $($element:ident)+ => $method:ident, $unroll:expr, $ready:ident;)*) => {$($(
        impl<O: $operation> Elementwise<$element> for O {
            const UNROLL: bool = $unroll;

            #[inline(always)]
            fn ready(self) -> Self {
                $ready::<$element, O>(self)
            }

            #[inline(always)]
            fn on<S, R: Copy>(self, s: S, x: R) -> R
            where
                S: Simd + Lanes<<$element as Element>::Lane, V = R>,
            {
                self.$method::<$element, S>(s, x)
            }
        }
    )+)*};
}
elementwise! {
    Unary: f16 bf16 => half, O::UNROLL_HALF, ready_half;
    UnaryInt: i8 i16 i32 i64 => int_lanes, true, as_it_is;
}

/// `(x, dy) → dx = dy · f′(x)`, and 0 where `f′(x)` is.
#[derive(Clone, Copy, Debug)]
pub struct Backward<O>(pub O);

/// `(y, dy) → dx`, with `f′` where the output is `y`.
#[derive(Clone, Copy, Debug)]
pub struct BackwardFromOutput<O>(pub O);

/// The derivative that a backward operation multiplies by.
pub trait Slope: Copy {
    /// [`Unary::IN_F64`].
    const IN_F64: bool;

    /// The derivative.
    fn slope<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V;

    /// The product, for `f32`.
    #[inline(always)]
    fn f32<S: Simd>(self, s: S, x: V<S, f32>, dy: V<S, f32>) -> V<S, f32> {
        if Self::IN_F64 {
            let [a, b] = s.widen(x);
            let slope = s.narrow([self.slope::<Wide, S>(s, a), self.slope::<Wide, S>(s, b)]);
            times::<f32, S>(s, dy, slope)
        } else {
            times::<f32, S>(s, dy, self.slope::<f32, S>(s, x))
        }
    }
}

/// `dy · slope`, and `+0` where the slope is zero.
#[inline(always)]
pub(crate) fn times<R: Real, L: FloatLanes<R::Lane>>(l: L, dy: L::V, slope: L::V) -> L::V {
    let zero = l.splat(R::of(0.0));
    let product = nan_of::<R, L>(l, slope, l.mul(dy, slope));
    l.select(l.le(l.abs(slope), zero), zero, product)
}

/// `a` where that is NaN, else `y`, which was made of `a` and another: for the compiler may swap the
/// operands of a sum or product, here but not there, and where both are NaN the result would depend
/// on that.
#[inline(always)]
pub(crate) fn nan_of<R: Real, L: FloatLanes<R::Lane>>(l: L, a: L::V, y: L::V) -> L::V {
    l.select(l.le(a, l.splat(R::of(f64::INFINITY))), y, a)
}

macro_rules! backward {
    ($($Backward:ident $derivative:ident;)*) => {$(
        impl<O: Unary> Slope for $Backward<O> {
            const IN_F64: bool = O::IN_F64;
            #[inline(always)]
            fn slope<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
                self.0.$derivative::<R, L>(l, x)
            }
        }
    )*};
}
backward! {
    Backward derivative;
    BackwardFromOutput derivative_from_output;
}

impl<B: Slope> Pairwise<f32> for B {
    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R, dy: R) -> R
    where
        S: Simd + Lanes<f32, V = R>,
    {
        self.f32(s, x, dy)
    }
}

impl<B: Slope> Pairwise<f64> for B {
    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R, dy: R) -> R
    where
        S: Simd + Lanes<f64, V = R>,
    {
        times::<f64, S>(s, dy, self.slope::<f64, S>(s, x))
    }
}

macro_rules! halves {
    ($($H:ident)*) => {$(
        // The derivative and the product in `f32`, rounded at the end.
        impl<B: Slope> Pairwise<$H> for B {
            #[inline(always)]
            fn on<S, R: Copy>(self, s: S, x: R, dy: R) -> R
            where
                S: Simd + Lanes<i16, V = R>,
            {
                let ([x0, x1], [dy0, dy1]) = ($H::widen(s, x), $H::widen(s, dy));
                $H::narrow(s, [self.f32(s, x0, dy0), self.f32(s, x1, dy1)])
            }
        }
    )*};
}
halves! { f16 bf16 }

/// THE TABLE: one row per operation, `field: Type in Kind`, where the kind says which dtypes it
/// takes: `All`, or `Floats`. Calls `$then!` with all rows; the kernel tables, the dtypes an
/// operation is callable on, and the faces' names all come from here.
#[macro_export]
#[doc(hidden)]
macro_rules! for_each_op {
    ($then:ident) => {
        $then! {
            relu: Relu in All;
            relu6: Relu6 in All;
            clip: Clip in All;
            leaky_relu: LeakyRelu in Floats;
            rrelu: Rrelu in Floats;
            threshold: Threshold in Floats;
            thresholded_relu: ThresholdedRelu in Floats;
            relu_squared: ReluSquared in Floats;
            step: Step in Floats;
            hard_sigmoid: HardSigmoid in Floats;
            hard_swish: HardSwish in Floats;
            hard_shrink: HardShrink in Floats;
            soft_shrink: SoftShrink in Floats;
            shrink: Shrink in Floats;
            softsign: Softsign in Floats;
        }
    };
}
