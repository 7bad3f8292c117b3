//! What every operation can do.

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use halfwave_kernels::{Element, Float, Operation};

use crate::backend::Backend;
use crate::calls::operation_calls;
use crate::dispatch::active;
use crate::kernels::{Blockwise, output_suffices};
use crate::rows::{Rows, RowsMut, Slot, check_lengths, check_shapes, to_vec, written};

operation_calls! {
    /// The methods of every operation, on slices of every dtype it takes.
    ///
    /// `apply*` run on the calling thread and spawn none; `par_*` use the rayon pool they are called in,
    /// and this thread alone where more would not help ([`parallel`](crate::parallel) says where that
    /// is, and what they do after `fork`). They allocate nothing but the vector that `*_to_vec` returns. All
    /// give the same bits, in whatever floating-point environment they are called.
    ///
    /// `*_uninit` write to memory that need not be initialised; `*_rows` take rows with a stride, so that
    /// a part of a matrix can be read and written where it lies.
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
    /// beforehand. Those that take several slices panic, saying all lengths, if they differ, and those
    /// that take rows, saying all shapes.
    ///
    /// [`backend`]: crate::backend()
    trait Activation {
        /// `f(x)` of one element: the bits that it has in any slice.
        ///
        /// ```
        /// use halfwave::{Activation, Relu6};
        ///
        /// assert_eq!(Relu6.eval(7.5f32), 6.0);
        /// ```
        fn eval<E: Element>(self, x: E) -> E
        where
            Self: Operation<E>,
        {
            let mut y = [x];
            self.apply_in_place(&mut y);
            y[0]
        }

        /// Whether an output of dtype `E` tells the derivative, with these parameters: whether
        /// [`backward_from_output`](Activation::backward_from_output) may be called.
        ///
        /// ```
        /// use halfwave::{Activation, Gelu, LeakyRelu, Relu};
        ///
        /// assert!(Relu.has_backward_from_output::<f32>());
        /// assert!(!Gelu.has_backward_from_output::<f32>()); // it falls and then rises
        /// let leaky = LeakyRelu::new(-0.5)?; // so does this one
        /// assert!(!leaky.has_backward_from_output::<f32>());
        /// # Ok::<(), halfwave::ParameterError>(())
        /// ```
        fn has_backward_from_output<E: Float>(self) -> bool {
            output_suffices::<Self, E>(self)
        }
    }

    "`dst[i] = f(src[i])`, of slices of one length."
    ///
    /// ```
    /// use halfwave::{Activation, Clip};
    ///
    /// let mut y = [0i8; 3];
    /// Clip::new(-1.0, 1.0)?.apply(&[-5, 0, 5], &mut y);
    /// assert_eq!(y, [-1, 0, 1]);
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    apply / par_apply / apply [Element, Element, Takes] <>(src: &[E], dst: &mut [E]) -> ()
        = |backend, f| { backend.map_to(f, src, dst); };

    "`dst[i] = f(src[i])` into memory that need not be initialised. Returns it initialised."
    ///
    /// ```
    /// use halfwave::{Activation, Relu};
    /// use std::mem::MaybeUninit;
    ///
    /// let mut fresh = [MaybeUninit::<f32>::uninit(); 2];
    /// assert_eq!(Relu.apply_uninit(&[-1.0, 2.0], &mut fresh), [0.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    apply_uninit / par_apply_uninit / apply_uninit [Element, Element, Takes]
        <'a>(src: &[E], dst: &'a mut [MaybeUninit<E>]) -> &'a mut [E]
        = |backend, f| backend.map_to(f, src, dst);

    "`x[i] = f(x[i])`."
    ///
    /// ```
    /// use halfwave::{Activation, Relu};
    ///
    /// let mut x = [-1i32, 2];
    /// Relu.apply_in_place(&mut x);
    /// assert_eq!(x, [0, 2]);
    /// ```
    apply_in_place / par_apply_in_place / apply_in_place [Element, Element, Takes] <>(x: &mut [E]) -> ()
        = |backend, f| { let x = RowsMut::flat(x); backend.map(f, x.source(), x) };

    "`f(src[i])` in a new vector, on huge pages if it is large."
    ///
    /// [`memory::vec_with_capacity`](crate::memory::vec_with_capacity) makes it.
    ///
    /// ```
    /// use halfwave::{Activation, Relu};
    ///
    /// assert_eq!(Relu.apply_to_vec(&[-1.0f64, 2.0]), [0.0, 2.0]);
    /// ```
    apply_to_vec / par_apply_to_vec / apply_to_vec [Element, Element, Takes] <>(src: &[E]) -> Vec<E>
        = |backend, f| to_vec(src.len(), |dst| backend.map_to(f, src, dst));

    "`y = f(x)` of rows, which may have a stride: a part of a matrix, read and written where it lies."
    ///
    /// ```
    /// use halfwave::{Activation, Relu, Rows, RowsMut};
    ///
    /// let x = [1.0f32, -2.0, 9.0, -4.0, 5.0, 9.0]; // 2 rows of 3, of which 2 columns
    /// let mut y = [7.0; 8];
    /// Relu.apply_rows(Rows::strided(&x, 2, 2, 3), RowsMut::strided(&mut y, 2, 2, 4));
    /// assert_eq!(y, [1.0, 0.0, 7.0, 7.0, 0.0, 5.0, 7.0, 7.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    apply_rows / par_apply_rows / apply_rows [Element, Element, Takes]
        <'a, T: Slot<E>>(x: impl Into<Rows<'a, E>>, y: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, y) = (x.into(), y.into().slots());
            check_shapes([("x", &x.view), ("y", &y.view)]);
            backend.map(f, x, y)
        };

    "`x = f(x)` of rows, which may have a stride."
    ///
    /// ```
    /// use halfwave::{Activation, Relu, RowsMut};
    ///
    /// let mut x = [1.0f32, -2.0, -9.0, -4.0, 5.0, -9.0]; // 2 rows of 3, of which 2 columns
    /// Relu.apply_rows_in_place(RowsMut::strided(&mut x, 2, 2, 3));
    /// assert_eq!(x, [1.0, 0.0, -9.0, 0.0, 5.0, -9.0]);
    /// ```
    apply_rows_in_place / par_apply_rows_in_place / apply_rows_in_place [Element, Element, Takes]
        <'a>(x: impl Into<RowsMut<'a, E>>) -> ()
        = |backend, f| { let x = x.into(); backend.map(f, x.source(), x) };

    "`dx[i] = dy[i] · f′(x[i])`, and 0 where `f′(x[i])` is, whatever `dy[i]` is."
    ///
    /// ```
    /// use halfwave::{Activation, LeakyRelu};
    ///
    /// let mut dx = [0.0f32; 3];
    /// LeakyRelu::new(0.2)?.backward(&[-1.0, 0.0, 1.0], &[10.0; 3], &mut dx);
    /// assert_eq!(dx, [2.0, 2.0, 10.0]);
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    backward / par_backward / backward [Float, Element, Derivative] <>(x: &[E], dy: &[E], dx: &mut [E]) -> ()
        = |backend, f| { backend.backward_to(f, x, dy, dx); };

    "`dx[i] = dy[i] · f′(x[i])` into memory that need not be initialised. Returns it initialised."
    ///
    /// It is 0 where `f′(x[i])` is, as in [`backward`](Activation::backward).
    ///
    /// ```
    /// use halfwave::{Activation, Relu};
    /// use std::mem::MaybeUninit;
    ///
    /// let mut fresh = [MaybeUninit::<f32>::uninit(); 2];
    /// assert_eq!(Relu.backward_uninit(&[-1.0, 2.0], &[10.0; 2], &mut fresh), [0.0, 10.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    backward_uninit / par_backward_uninit / backward_uninit [Float, Element, Derivative]
        <'a>(x: &[E], dy: &[E], dx: &'a mut [MaybeUninit<E>]) -> &'a mut [E]
        = |backend, f| backend.backward_to(f, x, dy, dx);

    "`dy[i] = dy[i] · f′(x[i])`: `dy` becomes `dx`."
    ///
    /// ```
    /// use halfwave::{Activation, Relu};
    ///
    /// let mut dy = [10.0f32, 20.0];
    /// Relu.backward_in_place(&[-1.0, 2.0], &mut dy);
    /// assert_eq!(dy, [0.0, 20.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    backward_in_place / par_backward_in_place / backward_in_place [Float, Element, Derivative]
        <>(x: &[E], dy: &mut [E]) -> ()
        = |backend, f| {
            check_lengths([("x", x.len()), ("dy", dy.len())]);
            let dy = RowsMut::flat(dy);
            backend.map_backward(f, Rows::flat(x), dy.source(), dy)
        };

    "`dx = dy · f′(x)` of rows, which may have a stride."
    ///
    /// ```
    /// use halfwave::{Activation, Relu, Rows, RowsMut};
    ///
    /// let x = [1.0f32, -2.0, 9.0, -4.0, 5.0, 9.0]; // 2 rows of 3, of which 2 columns
    /// let mut dx = [0.0; 4];
    /// let dy = Rows::new(&[10.0, 20.0, 30.0, 40.0], 2, 2);
    /// Relu.backward_rows(Rows::strided(&x, 2, 2, 3), dy, RowsMut::new(&mut dx, 2, 2));
    /// assert_eq!(dx, [10.0, 0.0, 0.0, 40.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    backward_rows / par_backward_rows / backward_rows [Float, Element, Derivative]
        <'a, T: Slot<E>>(x: impl Into<Rows<'a, E>>, dy: impl Into<Rows<'a, E>>, dx: impl Into<RowsMut<'a, T>>) -> ()
        = |backend, f| {
            let (x, dy, dx) = (x.into(), dy.into(), dx.into().slots());
            check_shapes([("x", &x.view), ("dy", &dy.view), ("dx", &dx.view)]);
            backend.map_backward(f, x, dy, dx)
        };

    "`dy = dy · f′(x)` of rows, which may have a stride: `dy` becomes `dx`."
    ///
    /// ```
    /// use halfwave::{Activation, Relu, Rows, RowsMut};
    ///
    /// let mut dy = [10.0f32, 7.0, 20.0, 7.0]; // 2 rows of 2, of which 1 column
    /// Relu.backward_rows_in_place(Rows::new(&[-1.0, 2.0], 2, 1), RowsMut::strided(&mut dy, 2, 1, 2));
    /// assert_eq!(dy, [0.0, 7.0, 20.0, 7.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    backward_rows_in_place / par_backward_rows_in_place / backward_rows_in_place [Float, Element, Derivative]
        <'a>(x: impl Into<Rows<'a, E>>, dy: impl Into<RowsMut<'a, E>>) -> ()
        = |backend, f| {
            let (x, dy) = (x.into(), dy.into());
            check_shapes([("x", &x.view), ("dy", &dy.view)]);
            backend.map_backward(f, x, dy.source(), dy)
        };

    "`dx[i] = dy[i] · f′(x[i])` from the output `y = f(x)`, so that `x` need not be kept."
    ///
    /// ```
    /// use halfwave::{Activation, Sigmoid};
    ///
    /// let mut dx = [0.0f32; 2];
    /// Sigmoid.backward_from_output(&[0.5, 1.0], &[8.0; 2], &mut dx); // y · (1 − y)
    /// assert_eq!(dx, [2.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ, or
    /// [`has_backward_from_output`](Activation::has_backward_from_output) is false.
    backward_from_output / par_backward_from_output / backward_from_output [Float, Element, FromOutput]
        <>(y: &[E], dy: &[E], dx: &mut [E]) -> ()
        = |backend, f| { backend.backward_by_output_to(f, y, dy, dx); };

    "`dx[i] = dy[i] · f′(x[i])` from the output `y = f(x)`, into memory that need not be initialised. Returns it initialised."
    ///
    /// ```
    /// use halfwave::{Activation, Relu};
    /// use std::mem::MaybeUninit;
    ///
    /// let mut fresh = [MaybeUninit::<f32>::uninit(); 2];
    /// let dx = Relu.backward_from_output_uninit(&[0.0, 2.0], &[10.0; 2], &mut fresh);
    /// assert_eq!(dx, [0.0, 10.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ, or
    /// [`has_backward_from_output`](Activation::has_backward_from_output) is false.
    backward_from_output_uninit / par_backward_from_output_uninit / backward_from_output_uninit [Float, Element, FromOutput]
        <'a>(y: &[E], dy: &[E], dx: &'a mut [MaybeUninit<E>]) -> &'a mut [E]
        = |backend, f| backend.backward_by_output_to(f, y, dy, dx);

    "`dy[i] = dy[i] · f′(x[i])` from the output `y = f(x)`: `dy` becomes `dx`."
    ///
    /// ```
    /// use halfwave::{Activation, Relu};
    ///
    /// let mut dy = [10.0f32, 20.0];
    /// Relu.backward_from_output_in_place(&[0.0, 2.0], &mut dy);
    /// assert_eq!(dy, [0.0, 20.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ, or
    /// [`has_backward_from_output`](Activation::has_backward_from_output) is false.
    backward_from_output_in_place / par_backward_from_output_in_place / backward_from_output_in_place [Float, Element, FromOutput]
        <>(y: &[E], dy: &mut [E]) -> ()
        = |backend, f| {
            check_lengths([("y", y.len()), ("dy", dy.len())]);
            check_from_output::<E>(&f);
            let dy = RowsMut::flat(dy);
            backend.map_from_output(f, Rows::flat(y), dy.source(), dy)
        };
}

/// The forms on slices, whose destinations may be initialised or not: they come back as what they are
/// afterwards.
impl Backend {
    #[inline]
    #[track_caller]
    fn map_to<'y, E: Element, T: Slot<E>>(
        self,
        f: impl Blockwise<E>,
        x: &[E],
        y: &'y mut [T],
    ) -> &'y mut [E] {
        check_lengths([("src", x.len()), ("dst", y.len())]);
        self.map(f, Rows::flat(x), RowsMut::flat(y).slots());
        // SAFETY: the kernels have written every element.
        unsafe { written(y) }
    }

    #[inline]
    #[track_caller]
    fn backward_to<'d, E: Element, T: Slot<E>>(
        self,
        f: impl Blockwise<E>,
        x: &[E],
        dy: &[E],
        dx: &'d mut [T],
    ) -> &'d mut [E] {
        check_lengths([("x", x.len()), ("dy", dy.len()), ("dx", dx.len())]);
        let to = RowsMut::flat(dx).slots();
        self.map_backward(f, Rows::flat(x), Rows::flat(dy), to);
        // SAFETY: the kernels have written every element.
        unsafe { written(dx) }
    }

    #[inline]
    #[track_caller]
    fn backward_by_output_to<'d, E: Element, T: Slot<E>>(
        self,
        f: impl Blockwise<E>,
        y: &[E],
        dy: &[E],
        dx: &'d mut [T],
    ) -> &'d mut [E] {
        check_lengths([("y", y.len()), ("dy", dy.len()), ("dx", dx.len())]);
        check_from_output(&f);
        let to = RowsMut::flat(dx).slots();
        self.map_from_output(f, Rows::flat(y), Rows::flat(dy), to);
        // SAFETY: the kernels have written every element.
        unsafe { written(dx) }
    }
}

#[track_caller]
fn check_from_output<E: Element>(f: &impl Blockwise<E>) {
    assert!(
        f.has_from_output(),
        "on {} the output does not tell this operation's derivative: use `backward`",
        E::DTYPE
    );
}
