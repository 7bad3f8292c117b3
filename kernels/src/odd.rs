//! Registers of `f32` that round to odd: what operations that round once are written over on 16-bit floats.

use core::ops::{Add, Div, Mul, Sub};

use crate::lanes::V;
use crate::register::{Lane, Mask, Register, RegisterMask};
use crate::simd::Simd;

/// A register of the values of a 16-bit float, or of results: a [`Register`] of `f32`, but that products and sums of
/// a value and a parameter round to odd. `TINY` says that the dtype has subnormal numbers where `f32` has them.
pub(crate) struct Odd<S: Simd, const TINY: bool>(Register<f32, S>, S);

impl<S: Simd, const TINY: bool> Clone for Odd<S, TINY> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<S: Simd, const TINY: bool> Copy for Odd<S, TINY> {}

impl<S: Simd, const TINY: bool> Odd<S, TINY> {
    #[inline(always)]
    pub(crate) fn new(s: S, v: V<S, f32>) -> Self {
        Self(Register::new(s, v), s)
    }

    #[inline(always)]
    pub(crate) fn v(self) -> V<S, f32> {
        self.0.v()
    }

    #[inline(always)]
    fn with(self, x: Register<f32, S>) -> Self {
        Self(x, self.1)
    }
}

impl<S: Simd, const TINY: bool> Mul for Odd<S, TINY> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self::new(self.1, self.1.mul_to_odd::<TINY>(self.v(), b.v()))
    }
}
impl<S: Simd, const TINY: bool> Add for Odd<S, TINY> {
    type Output = Self;
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self::new(self.1, self.1.add_to_odd(self.v(), b.v()))
    }
}
impl<S: Simd, const TINY: bool> Sub for Odd<S, TINY> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        self + self.with(b.0.splat(-0.0) - b.0)
    }
}
impl<S: Simd, const TINY: bool> Div for Odd<S, TINY> {
    type Output = Self;
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        self.with(self.0 / b.0)
    }
}

impl<S: Simd, const TINY: bool> Mask<Odd<S, TINY>> for RegisterMask<f32, S> {
    #[inline(always)]
    fn select(self, yes: Odd<S, TINY>, no: Odd<S, TINY>) -> Odd<S, TINY> {
        yes.with(self.select(yes.0, no.0))
    }
    #[inline(always)]
    fn any(self) -> bool {
        Mask::<Register<f32, S>>::any(self)
    }
    #[inline(always)]
    fn all(self) -> bool {
        Mask::<Register<f32, S>>::all(self)
    }
}

/// Words that are those of the register within.
macro_rules! of_register {
    ($(fn $word:ident($($arg:ident: $T:ident),*);)*) => {$(
        #[inline(always)]
        fn $word(self, $($arg: $T),*) -> Self {
            self.with(self.0.$word($(of_register!(@$T $arg)),*))
        }
    )*};
    (@Self $arg:ident) => { $arg.0 };
    (@f64 $arg:ident) => { $arg };
}

impl<S: Simd, const TINY: bool> Lane for Odd<S, TINY> {
    type Precision = f32;
    type Mask = RegisterMask<f32, S>;
    const FUSED: bool = <Register<f32, S> as Lane>::FUSED;

    of_register! {
        fn splat(constant: f64);
        fn parameter(value: f64);
        fn derived(value: f64);
        fn mul_add(b: Self, c: Self);
        fn neg_mul_add(b: Self, c: Self);
        fn max(b: Self);
        fn min(b: Self);
        fn abs();
        fn copysign(sign: Self);
        fn pow2();
        fn and_bits(b: Self);
    }

    #[inline(always)]
    fn lt(self, b: Self) -> Self::Mask {
        self.0.lt(b.0)
    }
    #[inline(always)]
    fn le(self, b: Self) -> Self::Mask {
        self.0.le(b.0)
    }
}
