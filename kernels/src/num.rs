//! The numbers that oracles compute with.

use core::ops::{Add, Div, Mul, Neg, Sub};

/// A real number, as well as a type can hold one: what [`Unary::oracle`](crate::Unary::oracle) is
/// written over, so that one textbook formula serves tests in `f64` and in arbitrary precision. The
/// functions are to have a small relative error for every finite argument.
///
/// `f64` is one, by the `libm` crate, so that tests see the same numbers on every system.
///
/// ```
/// use halfwave_kernels::{Num, Softsign, Unary};
///
/// assert_eq!(Softsign.oracle::<f32, f64>(-3.0), -0.75);
/// assert_eq!(<f64 as Num>::exp_m1(1e-300), 1e-300);
/// ```
pub trait Num:
    Clone
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The number itself, exactly.
    fn of(x: f64) -> Self;
    /// `e^x`
    fn exp(self) -> Self;
    /// `e^x - 1`
    fn exp_m1(self) -> Self;
    /// `ln(1 + x)`, for `x > -1`.
    fn ln_1p(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The complementary error function, `2/√π · ∫ e^(-t²) dt` from `x` to infinity.
    fn erfc(self) -> Self;
    /// The square root of what is not negative.
    fn sqrt(self) -> Self;
    /// π
    fn pi() -> Self;

    /// The absolute value.
    fn abs(self) -> Self {
        if self < Self::of(0.0) { -self } else { self }
    }
}

// Inlined, so that this crate's own code refers to nothing in `libm`: `.ci/symbols` looks.
macro_rules! by_libm {
    ($($method:ident: $function:ident),*) => {
        impl Num for f64 {
            #[inline]
            fn of(x: f64) -> f64 {
                x
            }
            #[inline]
            fn pi() -> f64 {
                core::f64::consts::PI
            }
            $(#[inline]
            fn $method(self) -> f64 {
                libm::$function(self)
            })*
        }
    };
}
by_libm! { exp: exp, exp_m1: expm1, ln_1p: log1p, tanh: tanh, erfc: erfc, sqrt: sqrt, abs: fabs }
