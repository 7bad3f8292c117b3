//! What is computed in pieces: an operation, its gradient, or its product.

use crate::derivative::{Derivative, Times, gradient_where_not_zero};
use crate::loops::pieces::registers::Registers;
use crate::math::product_with_tail;
use crate::register::{Lane, Near, Register};
use crate::simd::Simd;
use crate::unary::Unary;

/// What is computed in pieces, of the elements of `A` arrays.
pub(crate) trait Pieces<S: Simd, const A: usize>: Copy {
    /// The result, and where it is that.
    fn near(self, x: Registers<S, A>) -> Near<Register<f32, S>>;

    /// [`Unary::SUBNORMALS_APART`].
    const SUBNORMALS_APART: bool;

    /// [`Unary::NEAR_BELOW`].
    const BELOW: Option<f64>;

    /// [`Unary::NEAR_FROM`].
    const FROM: f64;

    /// [`Unary::OPEN`].
    const OPEN: bool;

    /// [`Unary::tiny`].
    fn tiny(self, x: Registers<S, A>) -> Register<f32, S>;

    /// The result elsewhere, and for NaN.
    fn far(self, x: Registers<S, A>) -> Register<f32, S>;
}

impl<S: Simd, O: Unary> Pieces<S, 1> for O {
    const SUBNORMALS_APART: bool = O::SUBNORMALS_APART;
    const BELOW: Option<f64> = O::NEAR_BELOW;
    const FROM: f64 = O::NEAR_FROM;
    const OPEN: bool = O::OPEN;

    #[inline(always)]
    fn near(self, [x]: Registers<S, 1>) -> Near<Register<f32, S>> {
        Unary::near(self, x)
    }

    #[inline(always)]
    fn far(self, [x]: Registers<S, 1>) -> Register<f32, S> {
        Unary::far(self, x).or_nan_of(x)
    }

    #[inline(always)]
    fn tiny(self, [x]: Registers<S, 1>) -> Register<f32, S> {
        Unary::tiny(self, x)
    }
}

impl<S: Simd, D: Derivative> Pieces<S, 2> for D {
    const SUBNORMALS_APART: bool = false;
    const BELOW: Option<f64> = D::BELOW;
    const FROM: f64 = 0.0;
    const OPEN: bool = false;

    #[inline(always)]
    fn near(self, [x, dy]: Registers<S, 2>) -> Near<Register<f32, S>> {
        let (derivative, near) = Derivative::near(self, x);
        (dy * derivative, near)
    }

    #[inline(always)]
    fn far(self, [x, dy]: Registers<S, 2>) -> Register<f32, S> {
        let derivative = Derivative::far(self, x).or_nan_of(x);
        gradient_where_not_zero(product_with_tail(dy, derivative), derivative)
    }

    #[inline(always)]
    fn tiny(self, [x, _]: Registers<S, 2>) -> Register<f32, S> {
        x
    }
}

impl<S: Simd, O: Unary> Pieces<S, 2> for Times<O> {
    const SUBNORMALS_APART: bool = O::SUBNORMALS_APART;
    const BELOW: Option<f64> = O::NEAR_BELOW;
    const FROM: f64 = O::NEAR_FROM;
    // There the product is `far`'s.
    const OPEN: bool = false;

    #[inline(always)]
    fn near(self, [x, b]: Registers<S, 2>) -> Near<Register<f32, S>> {
        let (y, near) = Unary::near(self.0, x);
        (y * b, near)
    }

    #[inline(always)]
    fn far(self, [x, b]: Registers<S, 2>) -> Register<f32, S> {
        let y = Unary::far(self.0, x).or_nan_of(x);
        (y * b).or_nan_of(y)
    }

    #[inline(always)]
    fn tiny(self, [x, b]: Registers<S, 2>) -> Register<f32, S> {
        Unary::tiny(self.0, x) * b
    }
}
