//! Sums, products and slopes: two arrays, or an array and one element for all of it.

use half::{bf16, f16};

use crate::element::{Element, Half, Real};
use crate::lanes::{FloatLanes, Lanes, Simd};
use crate::map::Zip;
use crate::ops::{Elementwise, Pairwise, nan_of, times};
use crate::table::{MapFn, ZipFn};

/// One arithmetic form on one dtype.
#[derive(Debug)]
pub struct ArithmeticFn<B, E> {
    /// Of two arrays.
    pub zip: ZipFn<B, E>,
    /// Of an array and one element.
    pub scalar: MapFn<Scalar<B, E>, E>,
}

impl<B: Pairwise<E>, E: Element> ArithmeticFn<B, E> {
    pub(crate) const fn of<S: Simd + Lanes<E::Lane>>() -> Self {
        Self {
            zip: S::enter::<Zip<B, E>>,
            scalar: S::map::<E, Scalar<B, E>>,
        }
    }
}

/// A form whose second operand is the same element everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Scalar<B, E>(pub B, pub E);

impl<B: Pairwise<E>, E: Element> Elementwise<E> for Scalar<B, E> {
    // Those of 16 bits are converted.
    const UNROLL: bool = size_of::<E>() > 2;

    #[inline(always)]
    fn ready(self) -> Self {
        Self(self.0.ready(), self.1)
    }

    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R) -> R
    where
        S: Simd + Lanes<E::Lane, V = R>,
    {
        self.0.on(s, x, s.splat(self.1.lane()))
    }
}

/// An operation on the result of a form, in one loop: the bits of the two one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Then<B, O>(pub B, pub O);

impl<B: Pairwise<E>, O: Elementwise<E>, E: Element> Pairwise<E> for Then<B, O> {
    #[inline(always)]
    fn ready(self) -> Self {
        Self(self.0.ready(), self.1.ready())
    }

    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, a: R, b: R) -> R
    where
        S: Simd + Lanes<E::Lane, V = R>,
    {
        self.1.on(s, self.0.on(s, a, b))
    }
}

/// A form in terms of float lanes. One rounding on every dtype: `f32` has more than twice the bits
/// of `f16` and `bf16`, so that rounding a sum or product of theirs to it first does no harm
/// (Figueroa, 1995).
pub trait Arithmetic: Copy {
    /// The form on one register of each.
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, a: L::V, b: L::V) -> L::V;
}

macro_rules! pairwise {
    ($($B:ident)*) => {$(
        impl Pairwise<f32> for $B {
            #[inline(always)]
            fn on<S: Simd + Lanes<f32, V = R>, R: Copy>(self, s: S, a: R, b: R) -> R {
                self.lanes::<f32, S>(s, a, b)
            }
        }
        impl Pairwise<f64> for $B {
            #[inline(always)]
            fn on<S: Simd + Lanes<f64, V = R>, R: Copy>(self, s: S, a: R, b: R) -> R {
                self.lanes::<f64, S>(s, a, b)
            }
        }
        pairwise!(@half $B f16);
        pairwise!(@half $B bf16);
    )*};
    (@half $B:ident $H:ident) => {
        impl Pairwise<$H> for $B {
            #[inline(always)]
            fn on<S: Simd + Lanes<i16, V = R>, R: Copy>(self, s: S, a: R, b: R) -> R {
                let ([a0, a1], [b0, b1]) = ($H::widen(s, a), $H::widen(s, b));
                $H::narrow(s, [self.lanes::<f32, S>(s, a0, b0), self.lanes::<f32, S>(s, a1, b1)])
            }
        }
    };
}
pairwise! { Add Mul Times Prelu PreluSlope PreluSlopeGradient }

/// `a + b`; where both are NaN, `a`.
#[derive(Clone, Copy, Debug)]
pub struct Add;

impl Arithmetic for Add {
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, a: L::V, b: L::V) -> L::V {
        nan_of::<R, L>(l, a, l.add(a, b))
    }
}

/// `a · b`; where both are NaN, `a`.
#[derive(Clone, Copy, Debug)]
pub struct Mul;

impl Arithmetic for Mul {
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, a: L::V, b: L::V) -> L::V {
        nan_of::<R, L>(l, a, l.mul(a, b))
    }
}

/// `dy · slope`, and `+0` where the slope is zero.
#[derive(Clone, Copy, Debug)]
pub struct Times;

impl Arithmetic for Times {
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, dy: L::V, slope: L::V) -> L::V {
        times::<R, L>(l, dy, slope)
    }
}

/// The leaky rectifier with a slope for each element: `x < 0 ? slope · x : x` of `x` and the slopes.
#[derive(Clone, Copy, Debug)]
pub struct Prelu;

impl Arithmetic for Prelu {
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V, slope: L::V) -> L::V {
        let zero = l.splat(R::of(0.0));
        // As in `LeakyRelu`: where the slope is zero, any number in place of -∞.
        let flat = l.le(l.abs(slope), zero);
        let least = l.select(
            flat,
            l.splat(R::of(-1.0)),
            l.splat(R::of(f64::NEG_INFINITY)),
        );
        l.select(l.lt(x, zero), l.mul(l.max(least, x), slope), x)
    }
}

/// Its derivative by `x`: `x > 0 ? 1 : slope`.
#[derive(Clone, Copy, Debug)]
pub struct PreluSlope;

impl Arithmetic for PreluSlope {
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V, slope: L::V) -> L::V {
        l.select(l.lt(l.splat(R::of(0.0)), x), l.splat(R::of(1.0)), slope)
    }
}

/// Its derivative by the slope times `dy`, of `x` and `dy`: `x ≥ 0 ? 0 : dy · x`.
#[derive(Clone, Copy, Debug)]
pub struct PreluSlopeGradient;

impl Arithmetic for PreluSlopeGradient {
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V, dy: L::V) -> L::V {
        let zero = l.splat(R::of(0.0));
        l.select(l.le(zero, x), zero, nan_of::<R, L>(l, x, l.mul(x, dy)))
    }
}
