//! An operation with what stands beside it in a network.

mod affine;
mod gate;
mod glu;

pub use gate::BILINEAR;
pub use glu::{
    geglu, geglu_backward, geglu_tanh, geglu_tanh_backward, glu, glu_backward, reglu,
    reglu_backward, swiglu, swiglu_backward,
};

use halfwave_kernels::{Float, Operation};

use crate::blocks::Broadcast;
use crate::calls::operation_calls;
use crate::dispatch::active;
use crate::rows::{Rows, RowsMut, Slot, check_shapes};
use affine::Affine;

operation_calls! {
    /// Forms of every operation that fuse it with its neighbours: one pass over memory where a sequence
    /// of calls takes several.
    ///
    /// The arrays are [`Rows`]: a slice is one row, a matrix has many, and rows may have a stride, so
    /// that a part of a matrix can be read and written where it lies. Outputs need not be initialised
    /// ([`RowsMut`]). Every float dtype is taken: `f32 f64 f16 bf16`.
    ///
    /// Every step is rounded to the dtype, so that the bits are those of the sequence of calls, on every
    /// backend and any number of threads. Derivatives are those of
    /// [`Activation::backward`](crate::Activation::backward); where `f′` is 0, so is `dx`. The sums over
    /// rows or columns that a bias's own gradient needs are left to the caller.
    ///
    /// ```
    /// use halfwave::{Broadcast, Fused, Relu, Rows, RowsMut};
    ///
    /// // A layer's output of 2 × 3 and its bias.
    /// let x = [1.0f32, -2.0, 3.0, -4.0, 5.0, -6.0];
    /// let mut y = [0.0; 6];
    /// let b = Broadcast::PerColumn(&[1.0, 1.0, -1.0]);
    /// Relu.bias(Rows::new(&x, 2, 3), b, RowsMut::new(&mut y, 2, 3));
    /// assert_eq!(y, [2.0, 0.0, 2.0, 0.0, 6.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// Every method panics, saying all, if shapes differ that must be the same, or `HALFWAVE_ISA` names a
    /// backend that cannot be had.
    trait Fused {}

    "`y = f(x + b)`, with an element of `b` for each row or for each column of `x`."
    ///
    /// ```
    /// use halfwave::{Broadcast, Fused, Relu, Rows, RowsMut};
    ///
    /// let x = [1.0f32, -2.0, 3.0, -4.0];
    /// let mut y = [0.0; 4];
    /// let (x, y_rows) = (Rows::new(&x, 2, 2), RowsMut::new(&mut y, 2, 2));
    /// Relu.bias(x, Broadcast::PerRow(&[0.5, 10.0]), y_rows);
    /// assert_eq!(y, [1.5, 0.0, 13.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ, or `b` has not one element for each row, or for each column, of `x`.
    bias / par_bias / bias [Float, Float, Takes]
        <'a, T: Slot<E>>(x: impl Into<Rows<'a, E>>, b: Broadcast<'_, E>, y: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, y) = (x.into(), y.into().slots());
            check_shapes([("x", &x.view), ("y", &y.view)]);
            affine::forward(backend, f, x, Affine::bias(b, &x.view), y)
        };

    "`x = f(x + b)`, with an element of `b` for each row or for each column of `x`."
    ///
    /// ```
    /// use halfwave::{Broadcast, Fused, Relu};
    ///
    /// let mut x = [1.0f32, -2.0];
    /// Relu.bias_in_place(&mut x, Broadcast::PerColumn(&[1.0, 3.0]));
    /// assert_eq!(x, [2.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If `b` has not one element for each row, or for each column, of `x`.
    bias_in_place / par_bias_in_place / bias_in_place [Float, Float, Takes]
        <'a>(x: impl Into<RowsMut<'a, E>>, b: Broadcast<'_, E>) -> ()
        = |backend, f| {
            let x = x.into();
            affine::forward(backend, f, x.source(), Affine::bias(b, &x.view), x)
        };

    "`dx = dy · f′(x + b)`, with the sum made again from `x` and `b`."
    ///
    /// ```
    /// use halfwave::{Broadcast, Fused, Relu};
    ///
    /// let mut dx = [0.0f32; 2];
    /// Relu.bias_backward(&[1.0, -2.0], Broadcast::PerRow(&[1.5]), &[10.0, 20.0], &mut dx);
    /// assert_eq!(dx, [10.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ, or `b` has not one element for each row, or for each column, of `x`.
    bias_backward / par_bias_backward / bias_backward [Float, Float, Takes]
        <'a, T: Slot<E>>(x: impl Into<Rows<'a, E>>, b: Broadcast<'_, E>, dy: impl Into<Rows<'a, E>>, dx: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, dy, dx) = (x.into(), dy.into(), dx.into().slots());
            check_shapes([("x", &x.view), ("dy", &dy.view), ("dx", &dx.view)]);
            affine::backward(backend, f, x, Affine::bias(b, &x.view), dy, dx)
        };

    "`dy = dy · f′(x + b)`: `dy` becomes `dx`."
    ///
    /// ```
    /// use halfwave::{Broadcast, Fused, Relu};
    ///
    /// let mut dy = [10.0f32, 20.0];
    /// Relu.bias_backward_in_place(&[1.0, -2.0], Broadcast::PerRow(&[1.5]), &mut dy);
    /// assert_eq!(dy, [10.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ, or `b` has not one element for each row, or for each column, of `x`.
    bias_backward_in_place / par_bias_backward_in_place / bias_backward_in_place [Float, Float, Takes]
        <'a>(x: impl Into<Rows<'a, E>>, b: Broadcast<'_, E>, dy: impl Into<RowsMut<'a, E>>) -> ()
        = |backend, f| {
            let (x, dy) = (x.into(), dy.into());
            check_shapes([("x", &x.view), ("dy", &dy.view)]);
            affine::backward(backend, f, x, Affine::bias(b, &x.view), dy.source(), dy)
        };

    "`y = f(x + r)`, with as many elements in `r` as in `x`."
    ///
    /// ```
    /// use halfwave::{Fused, Relu};
    ///
    /// let mut y = [0.0f32; 2];
    /// Relu.residual(&[1.0, -2.0], &[0.5, 0.5], &mut y);
    /// assert_eq!(y, [1.5, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    residual / par_residual / residual [Float, Float, Takes]
        <'a, T: Slot<E>>(x: impl Into<Rows<'a, E>>, r: impl Into<Rows<'a, E>>, y: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, r, y) = (x.into(), r.into(), y.into().slots());
            check_shapes([("x", &x.view), ("r", &r.view), ("y", &y.view)]);
            affine::forward(backend, f, x, Affine::residual(r), y)
        };

    "`x = f(x + r)`, with as many elements in `r` as in `x`."
    ///
    /// ```
    /// use halfwave::{Fused, Relu};
    ///
    /// let mut x = [1.0f32, -2.0];
    /// Relu.residual_in_place(&mut x, &[0.5, 0.5]);
    /// assert_eq!(x, [1.5, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    residual_in_place / par_residual_in_place / residual_in_place [Float, Float, Takes]
        <'a>(x: impl Into<RowsMut<'a, E>>, r: impl Into<Rows<'a, E>>) -> ()
        = |backend, f| {
            let (x, r) = (x.into(), r.into());
            check_shapes([("x", &x.view), ("r", &r.view)]);
            affine::forward(backend, f, x.source(), Affine::residual(r), x)
        };

    "`sum = x + r` and `y = f(sum)`."
    ///
    /// The derivative is `f`'s own, of the sum: [`Activation::backward`](crate::Activation::backward).
    ///
    /// ```
    /// use halfwave::{Fused, Relu};
    ///
    /// let (mut sum, mut y) = ([0.0f32; 2], [0.0; 2]);
    /// Relu.residual_sum(&[1.0, -2.0], &[0.5, 0.5], &mut sum, &mut y);
    /// assert_eq!((sum, y), ([1.5, -1.5], [1.5, 0.0]));
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    residual_sum / par_residual_sum / residual_sum [Float, Float, Takes]
        <'a, S: Slot<E>, T: Slot<E>>(x: impl Into<Rows<'a, E>>, r: impl Into<Rows<'a, E>>, sum: impl Into<RowsMut<'a, S>>, y: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, r, sum, y) = (x.into(), r.into(), sum.into().slots(), y.into().slots());
            let shapes = [("x", &x.view), ("r", &r.view), ("sum", &sum.view), ("y", &y.view)];
            check_shapes(shapes);
            affine::residual_sum(backend, f, x, r, sum, y)
        };

    "`x = x + r` and `y = f(x)`."
    ///
    /// ```
    /// use halfwave::{Fused, Relu};
    ///
    /// let (mut x, mut y) = ([1.0f32, -2.0], [0.0; 2]);
    /// Relu.residual_sum_in_place(&mut x, &[0.5, 0.5], &mut y);
    /// assert_eq!((x, y), ([1.5, -1.5], [1.5, 0.0]));
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    residual_sum_in_place / par_residual_sum_in_place / residual_sum_in_place [Float, Float, Takes]
        <'a, T: Slot<E>>(x: impl Into<RowsMut<'a, E>>, r: impl Into<Rows<'a, E>>, y: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, r, y) = (x.into(), r.into(), y.into().slots());
            check_shapes([("x", &x.view), ("r", &r.view), ("y", &y.view)]);
            affine::residual_sum(backend, f, x.source(), r, x, y)
        };

    "`dx = dy · f′(x + r)`, which is `dr` too, with the sum made again from `x` and `r`."
    ///
    /// ```
    /// use halfwave::{Fused, Relu};
    ///
    /// let mut dx = [0.0f32; 2];
    /// Relu.residual_backward(&[1.0, -2.0], &[0.5, 0.5], &[10.0, 20.0], &mut dx);
    /// assert_eq!(dx, [10.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    residual_backward / par_residual_backward / residual_backward [Float, Float, Takes]
        <'a, T: Slot<E>>(x: impl Into<Rows<'a, E>>, r: impl Into<Rows<'a, E>>, dy: impl Into<Rows<'a, E>>, dx: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, r, dy, dx) = (x.into(), r.into(), dy.into(), dx.into().slots());
            let shapes = [("x", &x.view), ("r", &r.view), ("dy", &dy.view), ("dx", &dx.view)];
            check_shapes(shapes);
            affine::backward(backend, f, x, Affine::residual(r), dy, dx)
        };

    "`dy = dy · f′(x + r)`: `dy` becomes `dx`, which is `dr` too."
    ///
    /// ```
    /// use halfwave::{Fused, Relu};
    ///
    /// let mut dy = [10.0f32, 20.0];
    /// Relu.residual_backward_in_place(&[1.0, -2.0], &[0.5, 0.5], &mut dy);
    /// assert_eq!(dy, [10.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    residual_backward_in_place / par_residual_backward_in_place / residual_backward_in_place [Float, Float, Takes]
        <'a>(x: impl Into<Rows<'a, E>>, r: impl Into<Rows<'a, E>>, dy: impl Into<RowsMut<'a, E>>) -> ()
        = |backend, f| {
            let (x, r, dy) = (x.into(), r.into(), dy.into());
            check_shapes([("x", &x.view), ("r", &r.view), ("dy", &dy.view)]);
            affine::backward(backend, f, x, Affine::residual(r), dy.source(), dy)
        };

    "`y = f(x · s + b)`: a normalisation folded into a scale and a bias. The product is rounded, then the sum."
    ///
    /// ```
    /// use halfwave::{Broadcast, Fused, Relu};
    ///
    /// let mut y = [0.0f32; 2];
    /// Relu.scale_bias(&[1.0, -2.0], Broadcast::PerColumn(&[2.0, 3.0]), Broadcast::PerRow(&[1.0]), &mut y);
    /// assert_eq!(y, [3.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ, or `s` or `b` has not one element for each row, or for each column, of `x`.
    scale_bias / par_scale_bias / scale_bias [Float, Float, Takes]
        <'a, T: Slot<E>>(x: impl Into<Rows<'a, E>>, s: Broadcast<'_, E>, b: Broadcast<'_, E>, y: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, y) = (x.into(), y.into().slots());
            check_shapes([("x", &x.view), ("y", &y.view)]);
            affine::forward(backend, f, x, Affine::scale_bias(s, b, &x.view), y)
        };

    "`x = f(x · s + b)`. The product is rounded, then the sum."
    ///
    /// ```
    /// use halfwave::{Broadcast, Fused, Relu};
    ///
    /// let mut x = [1.0f32, -2.0];
    /// Relu.scale_bias_in_place(&mut x, Broadcast::PerColumn(&[2.0, 3.0]), Broadcast::PerRow(&[1.0]));
    /// assert_eq!(x, [3.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If `s` or `b` has not one element for each row, or for each column, of `x`.
    scale_bias_in_place / par_scale_bias_in_place / scale_bias_in_place [Float, Float, Takes]
        <'a>(x: impl Into<RowsMut<'a, E>>, s: Broadcast<'_, E>, b: Broadcast<'_, E>) -> ()
        = |backend, f| {
            let x = x.into();
            affine::forward(backend, f, x.source(), Affine::scale_bias(s, b, &x.view), x)
        };

    "`dx = (dy · s) · f′(x · s + b)`, with the argument made again from `x`, `s` and `b`."
    ///
    /// ```
    /// use halfwave::{Broadcast, Fused, Relu};
    ///
    /// let (s, b) = (Broadcast::PerColumn(&[2.0, 3.0][..]), Broadcast::PerRow(&[1.0][..]));
    /// let mut dx = [0.0f32; 2];
    /// Relu.scale_bias_backward(&[1.0, -2.0], s, b, &[10.0, 20.0], &mut dx);
    /// assert_eq!(dx, [20.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ, or `s` or `b` has not one element for each row, or for each column, of `x`.
    scale_bias_backward / par_scale_bias_backward / scale_bias_backward [Float, Float, Takes]
        <'a, T: Slot<E>>(x: impl Into<Rows<'a, E>>, s: Broadcast<'_, E>, b: Broadcast<'_, E>, dy: impl Into<Rows<'a, E>>, dx: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, dy, dx) = (x.into(), dy.into(), dx.into().slots());
            check_shapes([("x", &x.view), ("dy", &dy.view), ("dx", &dx.view)]);
            affine::backward(backend, f, x, Affine::scale_bias(s, b, &x.view), dy, dx)
        };

    "`dy = (dy · s) · f′(x · s + b)`: `dy` becomes `dx`."
    ///
    /// ```
    /// use halfwave::{Broadcast, Fused, Relu};
    ///
    /// let (s, b) = (Broadcast::PerColumn(&[2.0, 3.0][..]), Broadcast::PerRow(&[1.0][..]));
    /// let mut dy = [10.0f32, 20.0];
    /// Relu.scale_bias_backward_in_place(&[1.0, -2.0], s, b, &mut dy);
    /// assert_eq!(dy, [20.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ, or `s` or `b` has not one element for each row, or for each column, of `x`.
    scale_bias_backward_in_place / par_scale_bias_backward_in_place / scale_bias_backward_in_place [Float, Float, Takes]
        <'a>(x: impl Into<Rows<'a, E>>, s: Broadcast<'_, E>, b: Broadcast<'_, E>, dy: impl Into<RowsMut<'a, E>>) -> ()
        = |backend, f| {
            let (x, dy) = (x.into(), dy.into());
            check_shapes([("x", &x.view), ("dy", &dy.view)]);
            affine::backward(backend, f, x, Affine::scale_bias(s, b, &x.view), dy.source(), dy)
        };

    "`y = f(g) · v`: a gated linear unit, named by its `f`."
    ///
    /// It is [`glu`](crate::glu) of `Sigmoid`, [`reglu`](crate::reglu) of `Relu`,
    /// [`geglu`](crate::geglu) of `Gelu`, [`geglu_tanh`](crate::geglu_tanh) of `GeluTanh`,
    /// [`swiglu`](crate::swiglu) of `Silu`, bilinear of [`BILINEAR`](crate::BILINEAR) (Dauphin et al., 2017;
    /// Shazeer, 2020).
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
    ///
    /// # Panics
    /// If the shapes differ.
    gate / par_gate / gate [Float, Float, Takes]
        <'a, T: Slot<E>>(g: impl Into<Rows<'a, E>>, v: impl Into<Rows<'a, E>>, y: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (g, v, y) = (g.into(), v.into(), y.into().slots());
            check_shapes([("g", &g.view), ("v", &v.view), ("y", &y.view)]);
            gate::forward(backend, f, g, v, y)
        };

    "`g = f(g) · v`: a gated linear unit, with the output in place of `g`."
    ///
    /// ```
    /// use halfwave::{Fused, Relu};
    ///
    /// let mut g = [1.0f32, -2.0];
    /// Relu.gate_in_place(&mut g, &[10.0, 20.0]);
    /// assert_eq!(g, [10.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    gate_in_place / par_gate_in_place / gate_in_place [Float, Float, Takes]
        <'a>(g: impl Into<RowsMut<'a, E>>, v: impl Into<Rows<'a, E>>) -> ()
        = |backend, f| {
            let (g, v) = (g.into(), v.into());
            check_shapes([("g", &g.view), ("v", &v.view)]);
            gate::forward(backend, f, g.source(), v, g)
        };

    "`dg = (dy · v) · f′(g)` and `dv = f(g) · dy`."
    ///
    /// Where both gradients are the halves of one array, [`RowsMut::halves`] gives them.
    ///
    /// ```
    /// use halfwave::{Fused, Relu, RowsMut};
    ///
    /// let mut dx = [0.0f32; 4];
    /// let (dg, dv) = RowsMut::from(&mut dx).halves();
    /// Relu.gate_backward(&[1.0, -2.0], &[10.0, 20.0], &[3.0, 4.0], dg, dv);
    /// assert_eq!(dx, [30.0, 0.0, 3.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    gate_backward / par_gate_backward / gate_backward [Float, Float, Takes]
        <'a, S: Slot<E>, T: Slot<E>>(g: impl Into<Rows<'a, E>>, v: impl Into<Rows<'a, E>>, dy: impl Into<Rows<'a, E>>, dg: impl Into<RowsMut<'a, S>>, dv: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (g, v, dy, dg, dv) = (g.into(), v.into(), dy.into(), dg.into().slots(), dv.into().slots());
            let sources = [("g", &g.view), ("v", &v.view), ("dy", &dy.view)];
            let [a, b, c] = sources;
            check_shapes([a, b, c, ("dg", &dg.view), ("dv", &dv.view)]);
            gate::backward(backend, f, [g, v, dy], dg, dv)
        };

    "`g = (dy · v) · f′(g)` and `v = f(g) · dy`: `g` becomes `dg`, and `v` becomes `dv`."
    ///
    /// ```
    /// use halfwave::{Fused, Relu};
    ///
    /// let (mut g, mut v) = ([1.0f32, -2.0], [10.0, 20.0]);
    /// Relu.gate_backward_in_place(&mut g, &mut v, &[3.0, 4.0]);
    /// assert_eq!((g, v), ([30.0, 0.0], [3.0, 0.0]));
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    gate_backward_in_place / par_gate_backward_in_place / gate_backward_in_place [Float, Float, Takes]
        <'a>(g: impl Into<RowsMut<'a, E>>, v: impl Into<RowsMut<'a, E>>, dy: impl Into<Rows<'a, E>>) -> ()
        = |backend, f| {
            let (g, v, dy) = (g.into(), v.into(), dy.into());
            check_shapes([("g", &g.view), ("v", &v.view), ("dy", &dy.view)]);
            gate::backward(backend, f, [g.source(), v.source(), dy], g, v)
        };

    "`y = f(g) · v` of rows in which each `g` is followed by its `v`: `x = g₀ v₀ g₁ v₁ …`, with twice the columns of `y`."
    ///
    /// ```
    /// use halfwave::{Fused, Relu};
    ///
    /// let mut y = [0.0f32; 2];
    /// Relu.gate_interleaved(&[1.0, 10.0, -2.0, 20.0], &mut y);
    /// assert_eq!(y, [10.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If `x` has not as many rows as `y`, and two columns for each of `y`.
    gate_interleaved / par_gate_interleaved / gate_interleaved [Float, Float, Takes]
        <'a, T: Slot<E>>(x: impl Into<Rows<'a, E>>, y: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, y) = (x.into(), y.into().slots());
            gate::interleaved(backend, f, gate::pairs(x, ("y", &y.view)), y)
        };

    "`dx = dg₀ dv₀ dg₁ dv₁ …`: the gradients of [`gate_interleaved`](crate::Fused::gate_interleaved), interleaved as `x` is."
    ///
    /// ```
    /// use halfwave::{Fused, Relu};
    ///
    /// let mut dx = [0.0f32; 4];
    /// Relu.gate_interleaved_backward(&[1.0, 10.0, -2.0, 20.0], &[3.0, 4.0], &mut dx);
    /// assert_eq!(dx, [30.0, 3.0, 0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If `x` and `dx` differ in shape, or have not two columns for each of `dy`.
    gate_interleaved_backward / par_gate_interleaved_backward / gate_interleaved_backward [Float, Float, Takes]
        <'a, T: Slot<E>>(x: impl Into<Rows<'a, E>>, dy: impl Into<Rows<'a, E>>, dx: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, dy, dx) = (x.into(), dy.into(), dx.into().slots());
            check_shapes([("x", &x.view), ("dx", &dx.view)]);
            gate::interleaved_backward(backend, f, gate::pairs(x, ("dy", &dy.view)), dy, dx.pairs())
        };
}
