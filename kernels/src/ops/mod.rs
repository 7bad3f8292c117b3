//! The operations: what one is, and the table of all.

mod celu;
mod clip;
mod elu;
mod gelu;
mod gelu_tanh;
mod half;
mod hard_shrink;
mod hard_sigmoid;
mod hard_swish;
mod leaky_relu;
mod log_sigmoid;
mod mish;
mod quick_gelu;
mod relu;
mod relu6;
mod relu_squared;
mod rrelu;
mod selu;
mod shrink;
mod sigmoid;
mod silu;
mod soft_shrink;
mod softplus;
mod softsign;
mod step;
mod tanh;
mod tanh_shrink;
#[cfg(test)]
mod testing;
mod threshold;
mod thresholded_relu;

pub(crate) use half::round_upper;

pub use celu::Celu;
pub use clip::Clip;
pub use elu::Elu;
pub use gelu::Gelu;
pub use gelu_tanh::GeluTanh;
pub use hard_shrink::HardShrink;
pub use hard_sigmoid::HardSigmoid;
pub use hard_swish::HardSwish;
pub use leaky_relu::LeakyRelu;
pub use log_sigmoid::LogSigmoid;
pub use mish::Mish;
pub use quick_gelu::QuickGelu;
pub use relu::Relu;
pub use relu_squared::ReluSquared;
pub use relu6::Relu6;
pub use rrelu::Rrelu;
pub use selu::Selu;
pub use shrink::Shrink;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use soft_shrink::SoftShrink;
pub use softplus::Softplus;
pub use softsign::Softsign;
pub use step::Step;
pub use tanh::Tanh;
pub use tanh_shrink::TanhShrink;
pub use threshold::Threshold;
pub use thresholded_relu::ThresholdedRelu;

use ::half::{bf16, f16};

use crate::element::{Element, Float, Half, Int, Real, Short};
use crate::lanes::{FloatLanes, Lanes, Simd, V};
use crate::num::Num;
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

/// In what lanes something on `f32` is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum F32Lanes {
    /// `f32`.
    Single,
    /// `f32` where these fuse a multiplication and an addition, as what the operation carries along of
    /// its roundings needs it; else `f64`.
    Fused,
    /// `f64`, because in `f32` lanes it would not be within one ulp, or not as fast.
    Double,
}

impl F32Lanes {
    /// Whether on `L` these are `f64`.
    pub(crate) const fn double<L: FloatLanes<f32>>(self) -> bool {
        match self {
            Self::Single => false,
            Self::Fused => !L::FUSED,
            Self::Double => true,
        }
    }
}

/// A function of one element, written once for all instruction sets.
pub trait Unary: Parameters + Send + Sync + 'static {
    /// What it computes, in the notation of a textbook: for titles and lists.
    const FORMULA: &'static str;

    /// On `f32`, how far `lanes` may be from the true value, in ulps; zero if it is exact. A result
    /// on `f16` or `bf16` that is this near to where rounding changes is computed again in `f64`.
    const ULPS: i32 = 0;

    /// Whether `lanes` rounds correctly, on `f32` and on `f64`.
    const EXACT: bool = Self::ULPS == 0;

    /// Whether every result is the input or a constant, and `lanes` does nothing but compare and
    /// select (`max`, `min`, `abs` are that too).
    const SELECTS: bool = false;

    /// Whether `half` is so short that the loop should be unrolled around it.
    const UNROLL_HALF: bool = false;

    /// In what lanes `f32` is computed.
    const F32: F32Lanes = F32Lanes::Single;

    /// The same of the derivative.
    const F32_SLOPE: F32Lanes = Self::F32;

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

    /// What tests compare with: the operation on one number, as a textbook has it, with parameters
    /// and constants as [`Real::value`] rounds them (`R` is `f32` for `f32`, `f16` and `bf16`). In
    /// `f64` exact, or far below half an ulp of those dtypes; in arbitrary precision, for `f64`.
    fn oracle<R: Real, N: Num>(self, x: N) -> N;

    /// The same of the derivative.
    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N;

    /// The same of the derivative where the output is `y`.
    fn derivative_from_output_oracle<R: Real, N: Num>(self, y: N) -> N {
        self.derivative_oracle::<R, N>(y)
    }

    /// Where the derivative changes its sign without a kink: where the function turns. From half of
    /// that to twice that, what is left of the derivative is the difference of much larger numbers, so
    /// that the bound on its error is an absolute one.
    fn turn(self) -> Option<f64> {
        None
    }

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
    /// As [`Elementwise::ready`].
    #[inline(always)]
    fn ready(self) -> Self {
        self
    }

    /// The operation on one register of each.
    fn on<S, R: Copy>(self, s: S, a: R, b: R) -> R
    where
        S: Simd + Lanes<E::Lane, V = R>;
}

impl<O: Unary> Elementwise<f32> for O {
    const UNROLL: bool = matches!(O::F32, F32Lanes::Single);

    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R) -> R
    where
        S: Simd + Lanes<f32, V = R>,
    {
        in_f32(s, self, x)
    }
}

/// The operation on `f32`, in whatever lanes that takes.
#[inline(always)]
pub(crate) fn in_f32<S: Simd, O: Unary>(s: S, op: O, x: V<S, f32>) -> V<S, f32> {
    let y = if O::F32.double::<S>() {
        let [a, b] = s.widen(x);
        s.narrow([op.lanes::<Short, S>(s, a), op.lanes::<Short, S>(s, b)])
    } else {
        op.lanes::<f32, S>(s, x)
    };
    sign_of_nan::<f32, S, O>(s, x, y)
}

/// NaN where `x` is. On x86-64, multiply-add keeps the sign of a NaN even where it subtracts the
/// product, and operations see to the rest; on aarch64 it does not.
#[inline(always)]
fn sign_of_nan<R: Real, L: FloatLanes<R::Lane>, O: Unary>(l: L, x: L::V, y: L::V) -> L::V {
    if O::COMPUTE_BOUND && cfg!(not(target_arch = "x86_64")) {
        nan_of::<R, L>(l, x, y)
    } else {
        y
    }
}

impl<O: Unary> Elementwise<f64> for O {
    const UNROLL: bool = matches!(O::F32, F32Lanes::Single);

    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R) -> R
    where
        S: Simd + Lanes<f64, V = R>,
    {
        sign_of_nan::<f64, S, O>(s, x, self.lanes::<f64, S>(s, x))
    }
}

macro_rules! ints {
    ($($I:ident)*) => {$(
        impl<O: UnaryInt> Elementwise<$I> for O {
            #[inline(always)]
            fn on<S, R: Copy>(self, s: S, x: R) -> R
            where
                S: Simd + Lanes<$I, V = R>,
            {
                self.int_lanes::<$I, S>(s, x)
            }
        }
    )*};
}
ints! { i8 i16 i32 i64 }

/// `(x, dy) → dx = dy · f′(x)`, and 0 where `f′(x)` is.
#[derive(Clone, Copy, Debug)]
pub struct Backward<O>(pub O);

/// `(y, dy) → dx`, with `f′` where the output is `y`.
#[derive(Clone, Copy, Debug)]
pub struct BackwardFromOutput<O>(pub O);

/// The derivative that a backward operation multiplies by.
pub trait Slope: Copy {
    /// [`Unary::F32_SLOPE`].
    const F32: F32Lanes;

    /// [`Unary::COMPUTE_BOUND`].
    const LONG: bool;

    /// The derivative.
    fn slope<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V;

    /// The product.
    #[inline(always)]
    fn product<R: Real, L: FloatLanes<R::Lane>>(
        self,
        l: L,
        x: L::V,
        dy: L::V,
        slope: L::V,
    ) -> L::V {
        // Where x is NaN, so is a smooth slope; but with whose sign, in a long formula the compiler decides.
        let slope = if Self::LONG {
            l.select(l.le(slope, l.splat(R::of(f64::INFINITY))), slope, x)
        } else {
            slope
        };
        times::<R, L>(l, dy, slope)
    }

    /// The same for `f32`, with the slope.
    #[inline(always)]
    fn f32<S: Simd>(self, s: S, x: V<S, f32>, dy: V<S, f32>) -> V<S, f32> {
        let slope = if Self::F32.double::<S>() {
            let [a, b] = s.widen(x);
            s.narrow([self.slope::<Short, S>(s, a), self.slope::<Short, S>(s, b)])
        } else {
            self.slope::<f32, S>(s, x)
        };
        self.product::<f32, S>(s, x, dy, slope)
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
            const F32: F32Lanes = O::F32_SLOPE;
            const LONG: bool = O::COMPUTE_BOUND;
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
        self.product::<f64, S>(s, x, dy, self.slope::<f64, S>(s, x))
    }
}

macro_rules! halves {
    ($($H:ident)*) => {$(
        impl<O: Unary> Elementwise<$H> for O {
            const UNROLL: bool = O::UNROLL_HALF;

            #[inline(always)]
            fn ready(self) -> Self {
                if const { O::SELECTS && !O::PARAMETERS.is_empty() } {
                    half::ready::<$H, O>(self)
                } else {
                    self
                }
            }

            #[inline(always)]
            fn on<S, R: Copy>(self, s: S, x: R) -> R
            where
                S: Simd + Lanes<i16, V = R>,
            {
                self.half::<$H, S>(s, x)
            }
        }

        // The derivative and the product in `f32`, rounded at the end.
        impl<B: Slope> Pairwise<$H> for B {
            #[inline(always)]
            fn on<S, R: Copy>(self, s: S, x: R, dy: R) -> R
            where
                S: Simd + Lanes<i16, V = R>,
            {
                let (x, dy) = ($H::widen(s, x), $H::widen(s, dy));
                let mut dx = x;
                let mut i = 0;
                while i < 2 {
                    dx[i] = self.f32(s, x[i], dy[i]);
                    i += 1;
                }
                $H::narrow(s, dx)
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
            sigmoid: Sigmoid in Floats;
            log_sigmoid: LogSigmoid in Floats;
            tanh: Tanh in Floats;
            tanh_shrink: TanhShrink in Floats;
            softplus: Softplus in Floats;
            elu: Elu in Floats;
            celu: Celu in Floats;
            selu: Selu in Floats;
            silu: Silu in Floats;
            gelu: Gelu in Floats;
            gelu_tanh: GeluTanh in Floats;
            quick_gelu: QuickGelu in Floats;
            mish: Mish in Floats;
        }
    };
}
