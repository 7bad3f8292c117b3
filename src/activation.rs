//! What every operation can do.

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use halfwave_kernels::{BuiltinOp, Element, Float, FromOutput, Operation};

use crate::dispatch::active;
use crate::memory;

/// The methods of every operation, on slices of every dtype it takes.
///
/// `apply*` run on the calling thread and spawn none; `par_*` use the rayon pool they are called in.
/// `apply*` allocate nothing but the vector that `*_to_vec` returns. All give the same bits.
///
/// ```
/// use halfwave::{Activation, Relu};
///
/// let x = vec![-1.5f32, 0.0, 2.5];
/// let mut y = vec![0.0; x.len()];
/// Relu.apply(&x, &mut y);
/// assert_eq!(y, [0.0, 0.0, 2.5]);
/// ```
///
/// # Panics
/// Every method panics if `HALFWAVE_ISA` names a backend that cannot be had; [`backend`] tells
/// beforehand. Those that take several slices panic, saying all lengths, if they differ.
///
/// [`backend`]: crate::backend
pub trait Activation: BuiltinOp {
    /// `dst[i] = f(src[i])`.
    #[track_caller]
    fn apply<E: Element>(self, src: &[E], dst: &mut [E])
    where
        Self: Operation<E>,
    {
        active().apply(self, src, dst);
    }

    /// `dst[i] = f(src[i])` into memory that need not be initialised. Returns it initialised.
    #[track_caller]
    fn apply_uninit<'a, E: Element>(self, src: &[E], dst: &'a mut [MaybeUninit<E>]) -> &'a mut [E]
    where
        Self: Operation<E>,
    {
        active().apply_uninit(self, src, dst)
    }

    /// `x[i] = f(x[i])`.
    fn apply_in_place<E: Element>(self, x: &mut [E])
    where
        Self: Operation<E>,
    {
        active().apply_in_place(self, x);
    }

    /// `f(src[i])` in a new vector, on huge pages if it is large
    /// ([`memory::vec_with_capacity`]).
    fn apply_to_vec<E: Element>(self, src: &[E]) -> Vec<E>
    where
        Self: Operation<E>,
    {
        let mut vec = memory::vec_with_capacity(src.len());
        self.apply_uninit(src, &mut vec.spare_capacity_mut()[..src.len()]);
        // SAFETY: `apply_uninit` has initialised this many elements.
        unsafe { vec.set_len(src.len()) };
        vec
    }

    /// `f(x)` of one element: the same bits as in any slice.
    fn eval<E: Element>(self, x: E) -> E
    where
        Self: Operation<E>,
    {
        let mut y = [x];
        self.apply_in_place(&mut y);
        y[0]
    }

    /// `dx[i] = dy[i] · f′(x[i])`, and 0 where `f′(x[i])` is, whatever `dy[i]` is.
    ///
    /// ```
    /// use halfwave::{Activation, LeakyRelu};
    ///
    /// let mut dx = [0.0f32; 3];
    /// LeakyRelu::new(0.2).unwrap().backward(&[-1.0, 0.0, 1.0], &[10.0; 3], &mut dx);
    /// assert_eq!(dx, [2.0, 2.0, 10.0]);
    /// ```
    #[track_caller]
    fn backward<E: Float>(self, x: &[E], dy: &[E], dx: &mut [E])
    where
        Self: Operation<E>,
    {
        active().backward(self, x, dy, dx);
    }

    /// [`backward`](Activation::backward) into memory that need not be initialised. Returns it
    /// initialised.
    #[track_caller]
    fn backward_uninit<'a, E: Float>(
        self,
        x: &[E],
        dy: &[E],
        dx: &'a mut [MaybeUninit<E>],
    ) -> &'a mut [E]
    where
        Self: Operation<E>,
    {
        active().backward_uninit(self, x, dy, dx)
    }

    /// `dy[i] = dy[i] · f′(x[i])`: `dy` becomes `dx`.
    #[track_caller]
    fn backward_in_place<E: Float>(self, x: &[E], dy: &mut [E])
    where
        Self: Operation<E>,
    {
        active().backward_in_place(self, x, dy);
    }

    /// Whether an output of dtype `E` tells the derivative, with these parameters: whether
    /// [`backward_from_output`](Activation::backward_from_output) may be called.
    fn has_backward_from_output<E: Float>(self) -> bool {
        Self::FROM_OUTPUT != FromOutput::Never && self.output_suffices::<E>()
    }

    /// [`backward`](Activation::backward) from the output `y = f(x)`, so that `x` need not be kept.
    ///
    /// # Panics
    /// If lengths differ, or
    /// [`has_backward_from_output`](Activation::has_backward_from_output) is false.
    #[track_caller]
    fn backward_from_output<E: Float>(self, y: &[E], dy: &[E], dx: &mut [E])
    where
        Self: Operation<E>,
    {
        active().backward_from_output(self, y, dy, dx);
    }

    /// [`backward_from_output`](Activation::backward_from_output) into memory that need not be
    /// initialised. Returns it initialised.
    #[track_caller]
    fn backward_from_output_uninit<'a, E: Float>(
        self,
        y: &[E],
        dy: &[E],
        dx: &'a mut [MaybeUninit<E>],
    ) -> &'a mut [E]
    where
        Self: Operation<E>,
    {
        active().backward_from_output_uninit(self, y, dy, dx)
    }

    /// [`backward_in_place`](Activation::backward_in_place) from the output.
    #[track_caller]
    fn backward_from_output_in_place<E: Float>(self, y: &[E], dy: &mut [E])
    where
        Self: Operation<E>,
    {
        active().backward_from_output_in_place(self, y, dy);
    }

    /// [`apply`](Activation::apply) on rayon's current pool; on this thread alone where more would
    /// not help ([`parallel`](crate::parallel) says where that is).
    #[cfg(feature = "parallel")]
    #[track_caller]
    fn par_apply<E: Element>(self, src: &[E], dst: &mut [E])
    where
        Self: Operation<E>,
    {
        active().par().apply(self, src, dst);
    }

    /// [`apply_uninit`](Activation::apply_uninit) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    fn par_apply_uninit<'a, E: Element>(
        self,
        src: &[E],
        dst: &'a mut [MaybeUninit<E>],
    ) -> &'a mut [E]
    where
        Self: Operation<E>,
    {
        active().par().apply_uninit(self, src, dst)
    }

    /// [`apply_in_place`](Activation::apply_in_place) on rayon's current pool.
    #[cfg(feature = "parallel")]
    fn par_apply_in_place<E: Element>(self, x: &mut [E])
    where
        Self: Operation<E>,
    {
        active().par().apply_in_place(self, x);
    }

    /// [`apply_to_vec`](Activation::apply_to_vec) on rayon's current pool.
    #[cfg(feature = "parallel")]
    fn par_apply_to_vec<E: Element>(self, src: &[E]) -> Vec<E>
    where
        Self: Operation<E>,
    {
        let mut vec = memory::vec_with_capacity(src.len());
        self.par_apply_uninit(src, &mut vec.spare_capacity_mut()[..src.len()]);
        // SAFETY: `par_apply_uninit` has initialised this many elements.
        unsafe { vec.set_len(src.len()) };
        vec
    }

    /// [`backward`](Activation::backward) on rayon's current pool. For the other forms of it:
    /// `halfwave::backend()?.par()`.
    #[cfg(feature = "parallel")]
    #[track_caller]
    fn par_backward<E: Float>(self, x: &[E], dy: &[E], dx: &mut [E])
    where
        Self: Operation<E>,
    {
        active().par().backward(self, x, dy, dx);
    }

    /// [`backward_in_place`](Activation::backward_in_place) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    fn par_backward_in_place<E: Float>(self, x: &[E], dy: &mut [E])
    where
        Self: Operation<E>,
    {
        active().par().backward_in_place(self, x, dy);
    }

    /// [`backward_from_output`](Activation::backward_from_output) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    fn par_backward_from_output<E: Float>(self, y: &[E], dy: &[E], dx: &mut [E])
    where
        Self: Operation<E>,
    {
        active().par().backward_from_output(self, y, dy, dx);
    }

    /// [`backward_from_output_in_place`](Activation::backward_from_output_in_place) on rayon's
    /// current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    fn par_backward_from_output_in_place<E: Float>(self, y: &[E], dy: &mut [E])
    where
        Self: Operation<E>,
    {
        active().par().backward_from_output_in_place(self, y, dy);
    }
}

impl<O: BuiltinOp> Activation for O {}
