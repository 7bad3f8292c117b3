//! Sums, products and slopes: two arrays, or an array and one element for all of it.

use crate::derivative::{Times, scale_gradient};
use crate::dtype::{Element, bf16, f16};
use crate::half::Half;
use crate::lanes::Lanes;
use crate::loops::map::{Elementwise, MapFn};
use crate::loops::zip::{Pairwise, Zip, ZipFn};
use crate::register::{Lane, Mask, Register};
use crate::simd::Simd;

/// One arithmetic form on one dtype.
#[derive(Clone, Copy, Debug)]
pub struct ArithmeticFn<B, E> {
    /// Of two arrays.
    pub zip: ZipFn<B, E>,
    /// Of an array and one element.
    pub scalar: MapFn<Scalar<B, E>, E>,
}

impl<B: Pairwise<E>, E: Element> ArithmeticFn<B, E> {
    pub(crate) const fn of<S: Simd + Lanes<E::Lane>, W>() -> Self {
        Self {
            zip: S::with_simd::<Zip<B, E>>,
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

impl<O: Elementwise<E>, E: Element> Pairwise<E> for Times<O>
where
    Mul: Pairwise<E>,
{
    #[inline(always)]
    fn ready(self) -> Self {
        Self(self.0.ready())
    }

    #[inline(always)]
    unsafe fn zip<S>(self, s: S, zip: Zip<Self, E>)
    where
        S: Simd + Lanes<E::Lane>,
    {
        // SAFETY: forwarded.
        unsafe { self.0.times(s, zip) }
    }

    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, a: R, b: R) -> R
    where
        S: Simd + Lanes<E::Lane, V = R>,
    {
        Mul.on(s, self.0.on(s, a), b)
    }
}

/// A form on two registers of numbers. One rounding on every dtype: `f32` has more than twice the
/// bits of `f16` and `bf16`, so that rounding a sum or product of theirs to it first does no harm
/// (Figueroa, 1995).
pub trait Arithmetic: Copy {
    /// The form on one register of each.
    fn apply<X: Lane>(self, a: X, b: X) -> X;
}

macro_rules! pairwise {
    ($($B:ident)*) => {$(
        pairwise!(@float $B f32);
        pairwise!(@float $B f64);
        pairwise!(@half $B f16);
        pairwise!(@half $B bf16);
    )*};
    (@float $B:ident $E:ident) => {
        impl Pairwise<$E> for $B {
            #[inline(always)]
            fn on<S: Simd + Lanes<$E, V = R>, R: Copy>(self, s: S, a: R, b: R) -> R {
                self.apply(Register::<$E, S>::new(s, a), Register::new(s, b)).v()
            }
        }
    };
    (@half $B:ident $H:ident) => {
        impl Pairwise<$H> for $B {
            #[inline(always)]
            fn on<S: Simd + Lanes<i16, V = R>, R: Copy>(self, s: S, a: R, b: R) -> R {
                let ([a0, a1], [b0, b1]) = ($H::widen(s, a), $H::widen(s, b));
                let y0 = self.apply(Register::<f32, S>::new(s, a0), Register::new(s, b0));
                let y1 = self.apply(Register::<f32, S>::new(s, a1), Register::new(s, b1));
                $H::narrow(s, [y0.v(), y1.v()])
            }
        }
    };
}
pairwise! { Add Mul ScaleGradient Prelu PreluSlope PreluSlopeGradient }

/// `a + b`; where both are NaN, `a`.
#[derive(Clone, Copy, Debug)]
pub struct Add;

impl Arithmetic for Add {
    #[inline(always)]
    fn apply<X: Lane>(self, a: X, b: X) -> X {
        (a + b).or_nan_of(a)
    }
}

/// `a · b`; where both are NaN, `a`.
#[derive(Clone, Copy, Debug)]
pub struct Mul;

impl Arithmetic for Mul {
    #[inline(always)]
    fn apply<X: Lane>(self, a: X, b: X) -> X {
        (a * b).or_nan_of(a)
    }
}

/// `dy · factor`, and `+0` where the factor is zero, whatever `dy` is.
#[derive(Clone, Copy, Debug)]
pub struct ScaleGradient;

impl Arithmetic for ScaleGradient {
    #[inline(always)]
    fn apply<X: Lane>(self, dy: X, factor: X) -> X {
        scale_gradient(dy, factor)
    }
}

/// The leaky rectifier with a slope for each element: `x < 0 ? slope · x : x` of `x` and the slopes.
#[derive(Clone, Copy, Debug)]
pub struct Prelu;

impl Arithmetic for Prelu {
    #[inline(always)]
    fn apply<X: Lane>(self, x: X, slope: X) -> X {
        let zero = x.splat(0.0);
        // As in `LeakyRelu`: where the slope is zero, any number in place of -∞.
        let flat = slope.abs().le(zero);
        let least = flat.select(x.splat(-1.0), x.splat(f64::NEG_INFINITY));
        x.lt(zero).select(least.max(x) * slope, x)
    }
}

/// Prelu's derivative by `x`: `x > 0 ? 1 : slope`.
#[derive(Clone, Copy, Debug)]
pub struct PreluSlope;

impl Arithmetic for PreluSlope {
    #[inline(always)]
    fn apply<X: Lane>(self, x: X, slope: X) -> X {
        x.splat(0.0).lt(x).select(x.splat(1.0), slope)
    }
}

/// Prelu's derivative by the slope times `dy`, of `x` and `dy`: `x ≥ 0 ? 0 : dy · x`.
#[derive(Clone, Copy, Debug)]
pub struct PreluSlopeGradient;

impl Arithmetic for PreluSlopeGradient {
    #[inline(always)]
    fn apply<X: Lane>(self, x: X, dy: X) -> X {
        let zero = x.splat(0.0);
        zero.le(x).select(zero, (x * dy).or_nan_of(x))
    }
}
