//! An operation with what stands beside it in a network.

use halfwave_kernels::{BuiltinOp, Float, Operation};

use crate::dispatch::active;
use crate::view::{Rows, RowsMut, Slot};

/// One element for each row, or one for each column.
///
/// In a matrix of `batch × features`, a layer's bias goes along [`Columns`](Along::Columns); in one
/// of `channels × pixels`, a convolution's along [`Rows`](Along::Rows).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Along<'a, E> {
    /// As many elements as there are rows.
    Rows(&'a [E]),
    /// As many elements as there are columns.
    Columns(&'a [E]),
}

/// A method, and its twin on the pool.
macro_rules! twins {
    ($($(#[$doc:meta])* fn $name:ident, $par:ident $(<$($S:ident),+>)? ($($arg:ident: $Arg:ty),+);)*) => {$(
        $(#[$doc])*
        #[track_caller]
        fn $name<'a, E: Float $($(, $S: Slot<E>)+)?>(self, $($arg: $Arg),+)
        where
            Self: Operation<E>,
        {
            active().$name(self, $($arg),+);
        }

        #[doc = concat!("[`", stringify!($name), "`](Fused::", stringify!($name), ") on rayon's current pool.")]
        #[cfg(feature = "parallel")]
        #[track_caller]
        fn $par<'a, E: Float $($(, $S: Slot<E>)+)?>(self, $($arg: $Arg),+)
        where
            Self: Operation<E>,
        {
            active().par().$name(self, $($arg),+);
        }
    )*};
}

/// Forms of every operation that fuse it with its neighbours: one pass over memory where a sequence
/// of calls takes several.
///
/// The arrays are [`Rows`]: a slice is one row, a matrix has many, and rows may have a stride, so
/// that a part of a matrix can be read and written where it lies. Outputs need not be initialised
/// ([`RowsMut`]).
///
/// Every step is rounded to the dtype, so that the bits are those of the sequence of calls, on every
/// backend and any number of threads. Derivatives are those of
/// [`Activation::backward`](crate::Activation::backward); where `f′` is 0, so is `dx`. The sums over
/// rows or columns that a bias's own gradient needs are left to the caller.
///
/// ```
/// use halfwave::{Along, Fused, Relu, Rows, RowsMut};
///
/// // A layer's output of 2 × 3 and its bias.
/// let x = [1.0f32, -2.0, 3.0, -4.0, 5.0, -6.0];
/// let mut y = [0.0; 6];
/// let b = Along::Columns(&[1.0, 1.0, -1.0]);
/// Relu.bias(Rows::new(&x, 2, 3), b, RowsMut::new(&mut y, 2, 3));
/// assert_eq!(y, [2.0, 0.0, 2.0, 0.0, 6.0, 0.0]);
/// ```
///
/// # Panics
/// Every method panics, saying all, if shapes differ that must be the same, or `HALFWAVE_ISA` names a
/// backend that cannot be had.
pub trait Fused: BuiltinOp {
    twins! {
        /// `y = f(x + b)`, with an element of `b` for each row or for each column of `x`.
        ///
        /// ```
        /// use halfwave::{Along, Fused, Relu, Rows, RowsMut};
        ///
        /// let x = [1.0f32, -2.0, 3.0, -4.0];
        /// let mut y = [0.0; 4];
        /// let (x, y_rows) = (Rows::new(&x, 2, 2), RowsMut::new(&mut y, 2, 2));
        /// Relu.bias(x, Along::Rows(&[0.5, 10.0]), y_rows);
        /// assert_eq!(y, [1.5, 0.0, 13.0, 6.0]);
        /// ```
        fn bias, par_bias<T>(x: impl Into<Rows<'a, E>>, b: Along<'_, E>, y: impl Into<RowsMut<'a, T>>);

        /// `x = f(x + b)`.
        ///
        /// ```
        /// use halfwave::{Along, Fused, Relu};
        ///
        /// let mut x = [1.0f32, -2.0];
        /// Relu.bias_in_place(&mut x, Along::Columns(&[1.0, 3.0]));
        /// assert_eq!(x, [2.0, 1.0]);
        /// ```
        fn bias_in_place, par_bias_in_place(x: impl Into<RowsMut<'a, E>>, b: Along<'_, E>);

        /// `dx = dy · f′(x + b)`, with the sum made again from `x` and `b`.
        ///
        /// ```
        /// use halfwave::{Along, Fused, Relu};
        ///
        /// let mut dx = [0.0f32; 2];
        /// Relu.bias_backward(&[1.0, -2.0], Along::Rows(&[1.5]), &[10.0, 20.0], &mut dx);
        /// assert_eq!(dx, [10.0, 0.0]);
        /// ```
        fn bias_backward, par_bias_backward<T>(x: impl Into<Rows<'a, E>>, b: Along<'_, E>, dy: impl Into<Rows<'a, E>>, dx: impl Into<RowsMut<'a, T>>);

        /// [`bias_backward`](Fused::bias_backward), with `dx` in place of `dy`.
        ///
        /// ```
        /// use halfwave::{Along, Fused, Relu};
        ///
        /// let mut dy = [10.0f32, 20.0];
        /// Relu.bias_backward_in_place(&[1.0, -2.0], Along::Rows(&[1.5]), &mut dy);
        /// assert_eq!(dy, [10.0, 0.0]);
        /// ```
        fn bias_backward_in_place, par_bias_backward_in_place(x: impl Into<Rows<'a, E>>, b: Along<'_, E>, dy: impl Into<RowsMut<'a, E>>);

        /// `y = f(x + r)`.
        ///
        /// ```
        /// use halfwave::{Fused, Relu};
        ///
        /// let mut y = [0.0f32; 2];
        /// Relu.residual(&[1.0, -2.0], &[0.5, 0.5], &mut y);
        /// assert_eq!(y, [1.5, 0.0]);
        /// ```
        fn residual, par_residual<T>(x: impl Into<Rows<'a, E>>, r: impl Into<Rows<'a, E>>, y: impl Into<RowsMut<'a, T>>);

        /// `x = f(x + r)`.
        ///
        /// ```
        /// use halfwave::{Fused, Relu};
        ///
        /// let mut x = [1.0f32, -2.0];
        /// Relu.residual_in_place(&mut x, &[0.5, 0.5]);
        /// assert_eq!(x, [1.5, 0.0]);
        /// ```
        fn residual_in_place, par_residual_in_place(x: impl Into<RowsMut<'a, E>>, r: impl Into<Rows<'a, E>>);

        /// `sum = x + r` and `y = f(sum)`. The derivative is `f`'s own, of the sum:
        /// [`Activation::backward`](crate::Activation::backward).
        ///
        /// ```
        /// use halfwave::{Fused, Relu};
        ///
        /// let (mut sum, mut y) = ([0.0f32; 2], [0.0; 2]);
        /// Relu.residual_sum(&[1.0, -2.0], &[0.5, 0.5], &mut sum, &mut y);
        /// assert_eq!((sum, y), ([1.5, -1.5], [1.5, 0.0]));
        /// ```
        fn residual_sum, par_residual_sum<S, T>(x: impl Into<Rows<'a, E>>, r: impl Into<Rows<'a, E>>, sum: impl Into<RowsMut<'a, S>>, y: impl Into<RowsMut<'a, T>>);

        /// `x = x + r` and `y = f(x)`.
        ///
        /// ```
        /// use halfwave::{Fused, Relu};
        ///
        /// let (mut x, mut y) = ([1.0f32, -2.0], [0.0; 2]);
        /// Relu.residual_sum_in_place(&mut x, &[0.5, 0.5], &mut y);
        /// assert_eq!((x, y), ([1.5, -1.5], [1.5, 0.0]));
        /// ```
        fn residual_sum_in_place, par_residual_sum_in_place<T>(x: impl Into<RowsMut<'a, E>>, r: impl Into<Rows<'a, E>>, y: impl Into<RowsMut<'a, T>>);

        /// `dx = dy · f′(x + r)`, which is `dr` too, with the sum made again from `x` and `r`.
        ///
        /// ```
        /// use halfwave::{Fused, Relu};
        ///
        /// let mut dx = [0.0f32; 2];
        /// Relu.residual_backward(&[1.0, -2.0], &[0.5, 0.5], &[10.0, 20.0], &mut dx);
        /// assert_eq!(dx, [10.0, 0.0]);
        /// ```
        fn residual_backward, par_residual_backward<T>(x: impl Into<Rows<'a, E>>, r: impl Into<Rows<'a, E>>, dy: impl Into<Rows<'a, E>>, dx: impl Into<RowsMut<'a, T>>);

        /// [`residual_backward`](Fused::residual_backward), with `dx` in place of `dy`.
        ///
        /// ```
        /// use halfwave::{Fused, Relu};
        ///
        /// let mut dy = [10.0f32, 20.0];
        /// Relu.residual_backward_in_place(&[1.0, -2.0], &[0.5, 0.5], &mut dy);
        /// assert_eq!(dy, [10.0, 0.0]);
        /// ```
        fn residual_backward_in_place, par_residual_backward_in_place(x: impl Into<Rows<'a, E>>, r: impl Into<Rows<'a, E>>, dy: impl Into<RowsMut<'a, E>>);

        /// `y = f(x · s + b)`: a normalisation folded into a scale and a bias. The product is rounded,
        /// then the sum.
        ///
        /// ```
        /// use halfwave::{Along, Fused, Relu};
        ///
        /// let mut y = [0.0f32; 2];
        /// Relu.scale_bias(&[1.0, -2.0], Along::Columns(&[2.0, 3.0]), Along::Rows(&[1.0]), &mut y);
        /// assert_eq!(y, [3.0, 0.0]);
        /// ```
        fn scale_bias, par_scale_bias<T>(x: impl Into<Rows<'a, E>>, s: Along<'_, E>, b: Along<'_, E>, y: impl Into<RowsMut<'a, T>>);

        /// `x = f(x · s + b)`.
        ///
        /// ```
        /// use halfwave::{Along, Fused, Relu};
        ///
        /// let mut x = [1.0f32, -2.0];
        /// Relu.scale_bias_in_place(&mut x, Along::Columns(&[2.0, 3.0]), Along::Rows(&[1.0]));
        /// assert_eq!(x, [3.0, 0.0]);
        /// ```
        fn scale_bias_in_place, par_scale_bias_in_place(x: impl Into<RowsMut<'a, E>>, s: Along<'_, E>, b: Along<'_, E>);

        /// `dx = (dy · s) · f′(x · s + b)`, with the argument made again from `x`, `s` and `b`.
        ///
        /// ```
        /// use halfwave::{Along, Fused, Relu};
        ///
        /// let (s, b) = (Along::Columns(&[2.0, 3.0][..]), Along::Rows(&[1.0][..]));
        /// let mut dx = [0.0f32; 2];
        /// Relu.scale_bias_backward(&[1.0, -2.0], s, b, &[10.0, 20.0], &mut dx);
        /// assert_eq!(dx, [20.0, 0.0]);
        /// ```
        fn scale_bias_backward, par_scale_bias_backward<T>(x: impl Into<Rows<'a, E>>, s: Along<'_, E>, b: Along<'_, E>, dy: impl Into<Rows<'a, E>>, dx: impl Into<RowsMut<'a, T>>);

        /// [`scale_bias_backward`](Fused::scale_bias_backward), with `dx` in place of `dy`.
        ///
        /// ```
        /// use halfwave::{Along, Fused, Relu};
        ///
        /// let (s, b) = (Along::Columns(&[2.0, 3.0][..]), Along::Rows(&[1.0][..]));
        /// let mut dy = [10.0f32, 20.0];
        /// Relu.scale_bias_backward_in_place(&[1.0, -2.0], s, b, &mut dy);
        /// assert_eq!(dy, [20.0, 0.0]);
        /// ```
        fn scale_bias_backward_in_place, par_scale_bias_backward_in_place(x: impl Into<Rows<'a, E>>, s: Along<'_, E>, b: Along<'_, E>, dy: impl Into<RowsMut<'a, E>>);

        /// `y = f(g) · v`: a gated linear unit (Dauphin et al., 2017; Shazeer, 2020), named by its
        /// `f`: [`glu`](crate::glu) of `Sigmoid`, [`reglu`](crate::reglu) of `Relu`,
        /// [`geglu`](crate::geglu) of `Gelu`, [`geglu_tanh`](crate::geglu_tanh) of `GeluTanh`,
        /// [`swiglu`](crate::swiglu) of `Silu`, bilinear of [`BILINEAR`](crate::BILINEAR).
        ///
        /// `g` goes through the operation and `v` does not. Where both are the halves of one array,
        /// [`Rows::halves`] gives them, and frameworks disagree on their order: PyTorch's `glu` gates
        /// by the second, the SwiGLU of most language models by the first.
        ///
        /// ```
        /// use halfwave::{Fused, Relu, Rows};
        ///
        /// let x = [1.0f32, -2.0, 10.0, 20.0]; // one row: two and two
        /// let (a, b) = Rows::from(&x).halves();
        /// let mut y = [0.0; 2];
        /// Relu.gate(a, b, &mut y); // the first half gates
        /// assert_eq!(y, [10.0, 0.0]);
        /// Relu.gate(b, a, &mut y); // the second half gates
        /// assert_eq!(y, [10.0, -40.0]);
        /// ```
        fn gate, par_gate<T>(g: impl Into<Rows<'a, E>>, v: impl Into<Rows<'a, E>>, y: impl Into<RowsMut<'a, T>>);

        /// `g = f(g) · v`.
        ///
        /// ```
        /// use halfwave::{Fused, Relu};
        ///
        /// let mut g = [1.0f32, -2.0];
        /// Relu.gate_in_place(&mut g, &[10.0, 20.0]);
        /// assert_eq!(g, [10.0, 0.0]);
        /// ```
        fn gate_in_place, par_gate_in_place(g: impl Into<RowsMut<'a, E>>, v: impl Into<Rows<'a, E>>);

        /// `dg = (dy · v) · f′(g)` and `dv = dy · f(g)`. Where both gradients are the halves of one
        /// array, [`RowsMut::halves`] gives them.
        ///
        /// ```
        /// use halfwave::{Fused, Relu, RowsMut};
        ///
        /// let mut dx = [0.0f32; 4];
        /// let (dg, dv) = RowsMut::from(&mut dx).halves();
        /// Relu.gate_backward(&[1.0, -2.0], &[10.0, 20.0], &[3.0, 4.0], dg, dv);
        /// assert_eq!(dx, [30.0, 0.0, 3.0, 0.0]);
        /// ```
        fn gate_backward, par_gate_backward<S, T>(g: impl Into<Rows<'a, E>>, v: impl Into<Rows<'a, E>>, dy: impl Into<Rows<'a, E>>, dg: impl Into<RowsMut<'a, S>>, dv: impl Into<RowsMut<'a, T>>);

        /// [`gate_backward`](Fused::gate_backward), with `dg` in place of `g` and `dv` of `v`.
        ///
        /// ```
        /// use halfwave::{Fused, Relu};
        ///
        /// let (mut g, mut v) = ([1.0f32, -2.0], [10.0, 20.0]);
        /// Relu.gate_backward_in_place(&mut g, &mut v, &[3.0, 4.0]);
        /// assert_eq!((g, v), ([30.0, 0.0], [3.0, 0.0]));
        /// ```
        fn gate_backward_in_place, par_gate_backward_in_place(g: impl Into<RowsMut<'a, E>>, v: impl Into<RowsMut<'a, E>>, dy: impl Into<Rows<'a, E>>);

        /// `y = f(g) · v` of rows in which each `g` is followed by its `v`: `x = g₀ v₀ g₁ v₁ …`, with
        /// twice the columns of `y`.
        ///
        /// ```
        /// use halfwave::{Fused, Relu};
        ///
        /// let mut y = [0.0f32; 2];
        /// Relu.gate_interleaved(&[1.0, 10.0, -2.0, 20.0], &mut y);
        /// assert_eq!(y, [10.0, 0.0]);
        /// ```
        fn gate_interleaved, par_gate_interleaved<T>(x: impl Into<Rows<'a, E>>, y: impl Into<RowsMut<'a, T>>);

        /// The gradients of [`gate_interleaved`](Fused::gate_interleaved), interleaved as `x` is:
        /// `dx = dg₀ dv₀ dg₁ dv₁ …`.
        ///
        /// ```
        /// use halfwave::{Fused, Relu};
        ///
        /// let mut dx = [0.0f32; 4];
        /// Relu.gate_interleaved_backward(&[1.0, 10.0, -2.0, 20.0], &[3.0, 4.0], &mut dx);
        /// assert_eq!(dx, [30.0, 3.0, 0.0, 0.0]);
        /// ```
        fn gate_interleaved_backward, par_gate_interleaved_backward<T>(x: impl Into<Rows<'a, E>>, dy: impl Into<Rows<'a, E>>, dx: impl Into<RowsMut<'a, T>>);
    }
}

impl<O: BuiltinOp> Fused for O {}
