//! The parametric rectifier: slopes that are learned.

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use halfwave_kernels::Float;

use crate::backend::Backend;
use crate::calls::value_calls;
use crate::dispatch::active;
use crate::rows::{Rows, RowsMut, Slot, check_lengths, to_vec, written};

mod elementwise;
mod gradient;
mod slopes;

pub use slopes::Prelu;

value_calls! {
    impl [<E: Float> Prelu<'_, E>] "Prelu" as prelu: Prelu<'_, E>, self: Self;

    "`y[i] = x[i] < 0 ? slope · x[i] : x[i]`, of slices of one length."
    ///
    /// ```
    /// use halfwave::Prelu;
    ///
    /// let mut y = [0.0f32; 3];
    /// Prelu::PerElement(&[0.5, 0.25, 2.0]).apply(&[-1.0, -1.0, -1.0], &mut y);
    /// assert_eq!(y, [-0.5, -0.25, -2.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ, or the slopes do not fit.
    apply[] / par_apply / prelu[E: Float](x: &[E], y: &mut [E]) -> ()
        = |backend| { backend.prelu_to(prelu, x, y); };

    "`y[i] = x[i] < 0 ? slope · x[i] : x[i]` into memory that need not be initialised. Returns it initialised."
    ///
    /// ```
    /// use halfwave::Prelu;
    /// use std::mem::MaybeUninit;
    ///
    /// let mut fresh = [MaybeUninit::<f32>::uninit(); 2];
    /// assert_eq!(Prelu::Shared(0.5).apply_uninit(&[-1.0, 2.0], &mut fresh), [-0.5, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ, or the slopes do not fit.
    apply_uninit['y] / par_apply_uninit / prelu_uninit['y, E: Float]
        (x: &[E], y: &'y mut [MaybeUninit<E>]) -> &'y mut [E]
        = |backend| backend.prelu_to(prelu, x, y);

    "`x[i] = x[i] < 0 ? slope · x[i] : x[i]`."
    ///
    /// ```
    /// use halfwave::Prelu;
    ///
    /// let mut x = [-1.0f32, 2.0];
    /// Prelu::Shared(0.5).apply_in_place(&mut x);
    /// assert_eq!(x, [-0.5, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the slopes do not fit.
    apply_in_place[] / par_apply_in_place / prelu_in_place[E: Float](x: &mut [E]) -> ()
        = |backend| {
            prelu.check(x.len());
            let x = RowsMut::flat(x);
            elementwise::forward(backend, prelu, x.source(), x)
        };

    "`x[i] < 0 ? slope · x[i] : x[i]` in a new vector, on huge pages if it is large."
    ///
    /// ```
    /// assert_eq!(halfwave::Prelu::Shared(0.5).apply_to_vec(&[-1.0f32, 2.0]), [-0.5, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the slopes do not fit.
    apply_to_vec[] / par_apply_to_vec / prelu_to_vec[E: Float](x: &[E]) -> Vec<E>
        = |backend| to_vec(x.len(), |y| backend.prelu_to(prelu, x, y));

    "`dx[i] = x[i] > 0 ? dy[i] : slope · dy[i]`, and 0 where the slope is."
    ///
    /// ```
    /// use halfwave::Prelu;
    ///
    /// let mut dx = [0.0f32; 3];
    /// Prelu::Shared(0.25).backward(&[-1.0, 0.0, 1.0], &[8.0; 3], &mut dx);
    /// assert_eq!(dx, [2.0, 2.0, 8.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ, or the slopes do not fit.
    backward[] / par_backward / prelu_backward[E: Float](x: &[E], dy: &[E], dx: &mut [E]) -> ()
        = |backend| { backend.prelu_backward_to(prelu, x, dy, dx); };

    "`dx[i] = x[i] > 0 ? dy[i] : slope · dy[i]` into memory that need not be initialised. Returns it initialised."
    ///
    /// It is 0 where the slope is, as in [`backward`](Prelu::backward).
    ///
    /// ```
    /// use halfwave::Prelu;
    /// use std::mem::MaybeUninit;
    ///
    /// let mut fresh = [MaybeUninit::<f32>::uninit(); 2];
    /// let dx = Prelu::Shared(0.5).backward_uninit(&[-1.0, 2.0], &[8.0; 2], &mut fresh);
    /// assert_eq!(dx, [4.0, 8.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ, or the slopes do not fit.
    backward_uninit['d] / par_backward_uninit / prelu_backward_uninit['d, E: Float]
        (x: &[E], dy: &[E], dx: &'d mut [MaybeUninit<E>]) -> &'d mut [E]
        = |backend| backend.prelu_backward_to(prelu, x, dy, dx);

    "`dy[i] = x[i] > 0 ? dy[i] : slope · dy[i]`: `dy` becomes `dx`."
    ///
    /// ```
    /// use halfwave::Prelu;
    ///
    /// let mut dy = [8.0f32, 8.0];
    /// Prelu::Shared(0.5).backward_in_place(&[-1.0, 2.0], &mut dy);
    /// assert_eq!(dy, [4.0, 8.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ, or the slopes do not fit.
    backward_in_place[] / par_backward_in_place / prelu_backward_in_place[E: Float](x: &[E], dy: &mut [E]) -> ()
        = |backend| {
            check_lengths([("x", x.len()), ("dy", dy.len())]);
            prelu.check(x.len());
            let dy = RowsMut::flat(dy);
            elementwise::backward(backend, prelu, Rows::flat(x), dy.source(), dy)
        };

    "What each slope gains: the sum of `x ≥ 0 ? 0 : x · dy` over the elements that have this slope."
    ///
    /// `dslope` has as many elements as there are slopes, one if it is shared. What the slopes are does
    /// not matter.
    ///
    /// [`PerElement`](Prelu::PerElement) there is nothing to sum, and the product is rounded once.
    /// Otherwise the sum is that of a tree whose shape depends on the shape of the arrays alone: the
    /// same bits on every backend, at any thread count. It is kept in `f64`, at a distance from the
    /// true sum of at most
    ///
    /// > (140 + log₂ n) · 2⁻⁵³ · Σ|x · dy|
    ///
    /// for n elements, and rounded to the dtype at the end (for `f16` and `bf16` by way of `f32`). An
    /// infinite product, or a sum that overflows `f64`, gives the infinity or NaN that IEEE 754 addition
    /// makes of it; NaN is the positive quiet one. It allocates 8 bytes for each channel and block of the
    /// array: 4,096 neighbours of a channel or, where it has fewer than 64, 64 rows or images.
    ///
    /// ```
    /// use halfwave::Prelu;
    ///
    /// let (x, dy) = ([-1.0f32, 2.0, -3.0, -4.0], [1.0; 4]);
    /// let mut dslope = [0.0; 2];
    /// Prelu::PerChannel { slopes: &[0.5, 0.25], inner: 1 }.backward_slope(&x, &dy, &mut dslope);
    /// assert_eq!(dslope, [-4.0, -4.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ, the slopes do not fit, or `dslope` has not one element for each.
    backward_slope[] / par_backward_slope / prelu_backward_slope[E: Float](x: &[E], dy: &[E], dslope: &mut [E]) -> ()
        = |backend| {
            check_lengths([("x", x.len()), ("dy", dy.len())]);
            prelu.check(x.len());
            gradient::of(backend, prelu, x, dy, dslope)
        };
}

/// The forms on slices, whose destinations may be initialised or not: they come back as what they are
/// afterwards.
impl Backend {
    #[track_caller]
    fn prelu_to<'y, E: Float, T: Slot<E>>(
        self,
        prelu: Prelu<'_, E>,
        x: &[E],
        y: &'y mut [T],
    ) -> &'y mut [E] {
        check_lengths([("x", x.len()), ("y", y.len())]);
        prelu.check(x.len());
        elementwise::forward(self, prelu, Rows::flat(x), RowsMut::flat(y).slots());
        // SAFETY: the kernels have written every element.
        unsafe { written(y) }
    }

    #[track_caller]
    fn prelu_backward_to<'d, E: Float, T: Slot<E>>(
        self,
        prelu: Prelu<'_, E>,
        x: &[E],
        dy: &[E],
        dx: &'d mut [T],
    ) -> &'d mut [E] {
        check_lengths([("x", x.len()), ("dy", dy.len()), ("dx", dx.len())]);
        prelu.check(x.len());
        let to = RowsMut::flat(dx).slots();
        elementwise::backward(self, prelu, Rows::flat(x), Rows::flat(dy), to);
        // SAFETY: the kernels have written every element.
        unsafe { written(dx) }
    }
}
