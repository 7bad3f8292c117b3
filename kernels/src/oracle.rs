//! What the operations should give: the textbook formulas, for tests and `halfwave verify`, behind the
//! feature `oracle`.

use core::ops::{Add, Div, Mul, Neg, Sub};

use crate::precision::Precision;
use crate::unary::Unary;

/// An operation as a textbook has it, on one number. It shares no helper with the kernel it judges.
///
/// Parameters are rounded by [`Precision::value`] (`P` is `f32` for `f32`, `f16` and `bf16`). In `f64`
/// the formulas are exact, or far below half an ulp of those dtypes; in arbitrary precision, of `f64`.
///
/// ```
/// use halfwave_kernels::{Oracle, OracleNumber, Softsign};
///
/// assert_eq!(Softsign.oracle::<f32, f64>(-3.0), -0.75);
/// assert_eq!(<f64 as OracleNumber>::exp_m1(1e-300), 1e-300);
/// ```
pub trait Oracle: Unary {
    /// The operation.
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N;

    /// Its derivative.
    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N;

    /// Its derivative where the output is `y`.
    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        self.derivative_oracle::<P, N>(y)
    }

    /// The operation on an integer, if it takes them: as though every integer type were as wide. What a type
    /// does not hold, it saturates.
    fn int_oracle(self, x: i128) -> i128 {
        unimplemented!("an operation that takes integers says what it makes of {x}")
    }
}

/// A real number, as well as a type can hold one, so that one textbook formula serves tests in `f64`
/// and in arbitrary precision. The functions are to have a small relative error for every finite
/// argument.
///
/// `f64` is one, by the `libm` crate, so that tests see the same numbers on every system.
pub trait OracleNumber:
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

/// `x`, or zero for what is negative.
pub(crate) fn not_negative<N: OracleNumber>(x: N) -> N {
    let zero = N::of(0.0);
    if x < zero { zero } else { x }
}

macro_rules! by_libm {
    ($($method:ident: $function:ident),*) => {
        impl OracleNumber for f64 {
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
