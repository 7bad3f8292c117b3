//! What a gradient is made of: an operation's derivative, from its input or its output, and the gradient's product.

use crate::lanes::V;
use crate::precision::F64ForF32;
use crate::register::{Lane, Mask, Near, PieceLane, Register};
use crate::simd::Simd;
use crate::unary::{F32Lanes, Unary};

/// Which derivative a gradient is made of.
pub trait Derivative: Copy {
    /// [`Unary::F32_DERIVATIVE`].
    const F32: F32Lanes;

    /// [`Unary::COMPUTE_BOUND`].
    const LONG: bool;

    /// [`Unary::derivative_overflows`].
    fn overflows(self) -> bool;

    /// [`Unary::DERIVATIVE_ENTRIES`].
    const ENTRIES: usize = usize::MAX;

    /// [`Unary::NEAR_DERIVATIVE_BELOW`].
    const BELOW: Option<f64> = None;

    /// Whether there are parameters, for some of which it may not go by pieces.
    const PARAMETRIC: bool = false;

    /// [`Unary::in_pieces`].
    #[inline(always)]
    fn in_pieces(self) -> bool {
        false
    }

    /// The derivative.
    fn derivative<X: Lane>(self, x: X) -> X;

    /// [`Unary::near_derivative`].
    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        (x, None)
    }

    /// [`Unary::far_derivative`].
    #[inline(always)]
    fn far<X: PieceLane>(self, x: X) -> X {
        x
    }
}

/// `(x, dy) → dx = dy · f′(x)`, and 0 where `f′(x)` is.
#[derive(Clone, Copy, Debug)]
pub struct Backward<O>(pub O);

/// `(y, dy) → dx`, with `f′` where the output is `y`.
#[derive(Clone, Copy, Debug)]
pub struct BackwardFromOutput<O>(pub O);

/// `(a, b) → f(a) · b`, in one loop: the bits of the two one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Times<O>(pub O);

impl<O: Unary> Derivative for Backward<O> {
    const F32: F32Lanes = O::F32_DERIVATIVE;
    const LONG: bool = O::COMPUTE_BOUND;
    const ENTRIES: usize = O::DERIVATIVE_ENTRIES;
    const BELOW: Option<f64> = O::NEAR_DERIVATIVE_BELOW;
    const PARAMETRIC: bool = !O::PARAMETERS.is_empty();
    #[inline(always)]
    fn overflows(self) -> bool {
        self.0.derivative_overflows()
    }
    #[inline(always)]
    fn in_pieces(self) -> bool {
        self.0.in_pieces()
    }
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        self.0.derivative(x)
    }
    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        self.0.near_derivative(x)
    }
    #[inline(always)]
    fn far<X: PieceLane>(self, x: X) -> X {
        self.0.far_derivative(x)
    }
}

impl<O: Unary> Derivative for BackwardFromOutput<O> {
    const F32: F32Lanes = O::F32_DERIVATIVE;
    const LONG: bool = O::COMPUTE_BOUND;
    #[inline(always)]
    fn overflows(self) -> bool {
        self.0.derivative_overflows()
    }
    #[inline(always)]
    fn derivative<X: Lane>(self, y: X) -> X {
        self.0.derivative_from_output(y)
    }
}

/// The gradient on a register of `f32`, with the derivative in whatever lanes that takes.
#[inline(always)]
pub(crate) fn gradient_f32<S: Simd, D: Derivative>(
    s: S,
    of: D,
    x: V<S, f32>,
    dy: V<S, f32>,
) -> V<S, f32> {
    let derivative = if const { D::F32.double::<S>() } {
        let mut y = s.widen(x);
        let mut i = 0;
        while i < 2 {
            y[i] = of.derivative(Register::<F64ForF32, S>::new(s, y[i])).v();
            i += 1;
        }
        s.narrow(y)
    } else {
        of.derivative(Register::<f32, S>::new(s, x)).v()
    };
    gradient::<D, Register<f32, S>>(
        of,
        Register::new(s, x),
        Register::new(s, dy),
        Register::new(s, derivative),
    )
    .v()
}

/// The gradient on a register of `f64`.
#[inline(always)]
pub(crate) fn gradient_f64<S: Simd, D: Derivative>(
    s: S,
    of: D,
    x: V<S, f64>,
    dy: V<S, f64>,
) -> V<S, f64> {
    let x = Register::<f64, S>::new(s, x);
    gradient::<D, _>(of, x, Register::new(s, dy), of.derivative(x)).v()
}

/// `dy · derivative`. Where x is NaN, so is a smooth derivative; but in a long formula the compiler
/// decides with whose sign.
#[inline(always)]
fn gradient<D: Derivative, X: Lane>(of: D, x: X, dy: X, derivative: X) -> X {
    let derivative = if const { D::LONG } {
        derivative
            .le(derivative.splat(f64::INFINITY))
            .select(derivative, x)
    } else {
        derivative
    };
    scale_gradient_of(of.overflows(), dy, derivative)
}

/// `dy · factor`, and `+0` where the factor is zero.
#[inline(always)]
pub(crate) fn scale_gradient<X: Lane>(dy: X, factor: X) -> X {
    scale_gradient_of(false, dy, factor)
}

/// [`scale_gradient`]; and where the factor is a positive number beyond the dtype, nothing of nothing.
#[inline(always)]
fn scale_gradient_of<X: Lane>(overflows: bool, dy: X, factor: X) -> X {
    let zero = dy.splat(0.0);
    let mut product = dy * factor;
    if overflows {
        product = dy.abs().le(zero).select(dy, product);
    }
    gradient_where_not_zero(product, factor)
}

/// The product of a gradient and a factor, and `+0` where this is zero.
#[inline(always)]
pub(crate) fn gradient_where_not_zero<X: Lane>(product: X, factor: X) -> X {
    let zero = factor.splat(0.0);
    let product = product.or_nan_of(factor);
    factor.abs().le(zero).select(zero, product)
}
