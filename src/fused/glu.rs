//! The gated linear units that have a name.
//!
//! Each is a [`Fused::gate`], with one operation in the place of `f`. The other forms, in place,
//! interleaved and on rayon's pool, are that trait's: `Silu::default().par_gate(g, v, y)`.

use halfwave_kernels::{Float, Gelu, GeluTanh, Relu, Sigmoid, Silu};

use super::Fused;
use crate::rows::{Rows, RowsMut, Slot};

/// A gate and its derivative, by their names.
macro_rules! units {
    ($($(#[$doc:meta])* fn $unit:ident, $backward:ident of $Op:ident, $f:literal;)*) => {$(
        #[doc = concat!("`y = ", $f, "(g) · v`: [`Fused::gate`] of [`", stringify!($Op), "`].")]
        ///
        $(#[$doc])*
        ///
        /// # Panics
        /// If the shapes differ.
        #[track_caller]
        pub fn $unit<'a, E: Float, T: Slot<E>>(
            g: impl Into<Rows<'a, E>>,
            v: impl Into<Rows<'a, E>>,
            y: impl Into<RowsMut<'a, T>>,
        ) {
            $Op::default().gate(g, v, y);
        }

        #[doc = concat!("`dg = (dy · v) · ", $f, "′(g)` and `dv = ", $f, "(g) · dy`: [`Fused::gate_backward`] of [`", stringify!($Op), "`].")]
        ///
        /// ```
        /// let (g, v, dy) = ([0.0f32, 1.5, -2.0], [1.0, 2.0, 3.0], [1.0, 10.0, 100.0]);
        /// let (mut y, mut dg, mut dv) = ([0.0; 3], [0.0; 3], [0.0; 3]);
        #[doc = concat!("halfwave::", stringify!($unit), "(&g, &v, &mut y);")]
        #[doc = concat!("halfwave::", stringify!($backward), "(&g, &v, &dy, &mut dg, &mut dv);")]
        /// for i in 0..3 {
        ///     // y = f(g) · v and dv = f(g) · dy, each rounded for itself.
        ///     assert!((dv[i] * v[i] - y[i] * dy[i]).abs() <= 1e-6 * dy[i]);
        /// }
        /// ```
        ///
        /// # Panics
        /// If the shapes differ.
        #[track_caller]
        pub fn $backward<'a, E: Float, S: Slot<E>, T: Slot<E>>(
            g: impl Into<Rows<'a, E>>,
            v: impl Into<Rows<'a, E>>,
            dy: impl Into<Rows<'a, E>>,
            dg: impl Into<RowsMut<'a, S>>,
            dv: impl Into<RowsMut<'a, T>>,
        ) {
            $Op::default().gate_backward(g, v, dy, dg, dv);
        }
    )*};
}

units! {
    /// The gated linear unit itself (Dauphin, Fan, Auli & Grangier, 2017). PyTorch's `F.glu(x)` splits
    /// `x` into halves `a` and `b` and is `a · sigmoid(b)`: the second half is the gate.
    ///
    /// ```
    /// use halfwave::Rows;
    ///
    /// let x = [10.0f32, 20.0, 0.0, 100.0];
    /// let (a, b) = Rows::from(&x).halves();
    /// let mut y = [0.0; 2];
    /// halfwave::glu(b, a, &mut y);
    /// assert_eq!(y, [5.0, 20.0]); // sigmoid(0) = 0.5, sigmoid(100) = 1
    /// ```
    fn glu, glu_backward of Sigmoid, "sigmoid";

    /// Of Shazeer, 2020. `reglu(g, v, y)`.
    ///
    /// ```
    /// let mut y = [0.0f32; 3];
    /// halfwave::reglu(&[-1.0, 0.5, 2.0], &[10.0, 20.0, 30.0], &mut y);
    /// assert_eq!(y, [0.0, 10.0, 60.0]);
    /// ```
    fn reglu, reglu_backward of Relu, "relu";

    /// Of Shazeer, 2020, with the exact Gaussian distribution function. Which half of a layer's output
    /// gates is the model's matter: in `GEGLU` of diffusers it is the second.
    /// [`geglu_tanh`] is what models with `gelu_new` or `gelu_pytorch_tanh` were trained with.
    ///
    /// ```
    /// let mut y = [0.0f32; 3];
    /// halfwave::geglu(&[-10.0, 0.0, 10.0], &[1e20, 20.0, 30.0], &mut y);
    /// assert_eq!(y[1..], [0.0, 300.0]);
    /// assert!((y[0] / -7.6198530e-3 - 1.0).abs() < 1e-6); // the tail is not cut off
    /// ```
    fn geglu, geglu_backward of Gelu, "gelu";

    /// [`geglu`] with the approximation by tanh, as in T5 1.1 and Gemma.
    ///
    /// ```
    /// let mut y = [0.0f32; 2];
    /// halfwave::geglu_tanh(&[0.0, 10.0], &[20.0, 30.0], &mut y);
    /// assert_eq!(y, [0.0, 300.0]);
    /// ```
    fn geglu_tanh, geglu_tanh_backward of GeluTanh, "gelu_tanh";

    /// Of Shazeer, 2020, with β = 1, as most language models have it; for another, `gate` of
    /// [`Silu::new`]. Where both halves are one array, the first gates in most (Llama's `gate_proj` and
    /// `up_proj` are two).
    ///
    /// ```
    /// use halfwave::Rows;
    ///
    /// let x = [0.0f32, 100.0, 10.0, 20.0];
    /// let (g, v) = Rows::from(&x).halves();
    /// let mut y = [0.0; 2];
    /// halfwave::swiglu(g, v, &mut y);
    /// assert_eq!(y, [0.0, 2000.0]); // silu(100) = 100
    /// ```
    fn swiglu, swiglu_backward of Silu, "silu";
}
