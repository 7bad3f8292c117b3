//! The loops behind [`Prelu`]: lengths checked, pieces found their slopes.

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;

use halfwave_kernels::loops::{
    Prelu as Forward, PreluSlope, PreluSlopeGradient, Scalar, ScaleGradient,
};
use halfwave_kernels::{Backward, Float, LeakyRelu, Zip, table};

use super::slopes::Slope;
use super::{Prelu, gradient, slopes};
use crate::backend::{Backend, Shared, bytes, check_lengths, map, streams, zip};
use crate::memory;
use crate::pieces::{PIECE, Scratch, pieces};

/// The forms of [`Prelu`] on one backend; there they are explained.
impl Backend {
    /// [`Prelu::apply`].
    ///
    /// # Panics
    /// If lengths do not fit.
    #[track_caller]
    pub fn prelu<E: Float>(self, prelu: Prelu<'_, E>, x: &[E], y: &mut [E]) {
        check_lengths([("x", x.len()), ("y", y.len())]);
        prelu.check(x.len());
        // SAFETY: as many elements in both, which a shared and an exclusive borrow keep apart, and
        // slopes for all of them.
        unsafe { self.prelu_raw(prelu, x.as_ptr(), y.as_mut_ptr(), x.len()) }
    }

    /// [`Prelu::apply_uninit`].
    ///
    /// # Panics
    /// If lengths do not fit.
    #[track_caller]
    pub fn prelu_uninit<'y, E: Float>(
        self,
        prelu: Prelu<'_, E>,
        x: &[E],
        y: &'y mut [MaybeUninit<E>],
    ) -> &'y mut [E] {
        check_lengths([("x", x.len()), ("y", y.len())]);
        prelu.check(x.len());
        // SAFETY: as `prelu`; the kernels write every element and read none of `y`.
        unsafe {
            self.prelu_raw(prelu, x.as_ptr(), y.as_mut_ptr().cast(), x.len());
            &mut *(ptr::from_mut(y) as *mut [E])
        }
    }

    /// [`Prelu::apply_in_place`].
    ///
    /// # Panics
    /// If the slopes do not fit.
    #[track_caller]
    pub fn prelu_in_place<E: Float>(self, prelu: Prelu<'_, E>, x: &mut [E]) {
        prelu.check(x.len());
        let p = x.as_mut_ptr();
        // SAFETY: one exclusive borrow, as source and destination.
        unsafe { self.prelu_raw(prelu, p, p, x.len()) }
    }

    /// [`Prelu::apply_to_vec`].
    ///
    /// # Panics
    /// If the slopes do not fit.
    #[track_caller]
    pub fn prelu_to_vec<E: Float>(self, prelu: Prelu<'_, E>, x: &[E]) -> Vec<E> {
        let mut y = memory::vec_with_capacity(x.len());
        self.prelu_uninit(prelu, x, &mut y.spare_capacity_mut()[..x.len()]);
        // SAFETY: `prelu_uninit` has initialised this many elements.
        unsafe { y.set_len(x.len()) };
        y
    }

    /// [`Prelu::backward`].
    ///
    /// # Panics
    /// If lengths do not fit.
    #[track_caller]
    pub fn prelu_backward<E: Float>(self, prelu: Prelu<'_, E>, x: &[E], dy: &[E], dx: &mut [E]) {
        check_lengths([("x", x.len()), ("dy", dy.len()), ("dx", dx.len())]);
        prelu.check(x.len());
        let arrays = [x.as_ptr(), dy.as_ptr()];
        // SAFETY: as many elements in all, and slopes for them; the exclusive borrow keeps `dx` apart.
        unsafe { self.prelu_backward_raw(prelu, arrays, dx.as_mut_ptr(), x.len()) }
    }

    /// [`Prelu::backward_uninit`].
    ///
    /// # Panics
    /// If lengths do not fit.
    #[track_caller]
    pub fn prelu_backward_uninit<'d, E: Float>(
        self,
        prelu: Prelu<'_, E>,
        x: &[E],
        dy: &[E],
        dx: &'d mut [MaybeUninit<E>],
    ) -> &'d mut [E] {
        check_lengths([("x", x.len()), ("dy", dy.len()), ("dx", dx.len())]);
        prelu.check(x.len());
        let arrays = [x.as_ptr(), dy.as_ptr()];
        // SAFETY: as `prelu_backward`; the kernels write every element and read none of `dx`.
        unsafe {
            self.prelu_backward_raw(prelu, arrays, dx.as_mut_ptr().cast(), x.len());
            &mut *(ptr::from_mut(dx) as *mut [E])
        }
    }

    /// [`Prelu::backward_in_place`].
    ///
    /// # Panics
    /// If lengths do not fit.
    #[track_caller]
    pub fn prelu_backward_in_place<E: Float>(self, prelu: Prelu<'_, E>, x: &[E], dy: &mut [E]) {
        check_lengths([("x", x.len()), ("dy", dy.len())]);
        prelu.check(x.len());
        let p = dy.as_mut_ptr();
        // SAFETY: as many elements in both; the destination is one of its own sources.
        unsafe { self.prelu_backward_raw(prelu, [x.as_ptr(), p], p, x.len()) }
    }

    /// [`Prelu::backward_slope`].
    ///
    /// # Panics
    /// If lengths do not fit.
    #[track_caller]
    pub fn prelu_backward_slope<E: Float>(
        self,
        prelu: Prelu<'_, E>,
        x: &[E],
        dy: &[E],
        dslope: &mut [E],
    ) {
        check_lengths([("x", x.len()), ("dy", dy.len())]);
        prelu.check(x.len());
        match prelu {
            Prelu::Shared(_) => {
                check_lengths([("a shared slope", 1), ("dslope", dslope.len())]);
                gradient::sum(self, x, dy, dslope, x.len());
            }
            Prelu::PerElement(slopes) => {
                check_lengths([("slopes", slopes.len()), ("dslope", dslope.len())]);
                let kernel = table::prelu::<E>(self.isa()).slope_gradient.zip;
                let (arrays, to) = ([x.as_ptr(), dy.as_ptr()], dslope.as_mut_ptr());
                // SAFETY: as many elements in all; the exclusive borrow keeps `dslope` apart.
                unsafe {
                    zip(
                        kernel,
                        PreluSlopeGradient,
                        arrays,
                        to,
                        x.len(),
                        self.threads(),
                    )
                }
            }
            Prelu::PerChannel { slopes, inner } => {
                check_lengths([("slopes", slopes.len()), ("dslope", dslope.len())]);
                gradient::sum(self, x, dy, dslope, inner);
            }
        }
    }

    /// # Safety
    /// `x` is valid for reads and `y` for writes of `len` elements; they are the same pointer or do not
    /// overlap. The slopes fit.
    unsafe fn prelu_raw<E: Float>(self, prelu: Prelu<'_, E>, x: *const E, y: *mut E, len: usize) {
        let (kernels, threads) = (&table::prelu::<E>(self.isa()).prelu, self.threads());
        match prelu {
            Prelu::Shared(slope) => {
                let op = Scalar(Forward, slope);
                // SAFETY: forwarded.
                return unsafe { map(kernels.scalar, op, x, y, len, threads) };
            }
            Prelu::PerElement(slopes) => {
                let arrays = [x, slopes.as_ptr()];
                // SAFETY: forwarded; as many slopes as elements.
                return unsafe { zip(kernels.zip, Forward, arrays, y, len, threads) };
            }
            Prelu::PerChannel { .. } => {}
        }
        let in_place = ptr::eq(x, y);
        let stream = streams(y, len, in_place);
        let bytes = bytes::<E>(if in_place { 1 } else { 2 }, len);
        let (x, y) = (Shared::new(x), Shared::new(y));
        threads.split(bytes, len, stream, |range| {
            slopes::walk(prelu, range, y.at(0), stream, |range, slope| {
                let Range { start, end } = range;
                let (x, y, len) = (x.at(start), y.at(start), end - start);
                // SAFETY: ranges lie within `len` and do not overlap, and each is taken once; `Each`
                // points to as many slopes.
                unsafe {
                    match slope {
                        Slope::One(slope) => {
                            (kernels.scalar)(Scalar(Forward, slope), x, y, len, stream);
                        }
                        Slope::Each(slopes) => (kernels.zip)(Zip {
                            op: Forward,
                            a: x,
                            b: slopes,
                            dst: y,
                            len,
                            stream,
                        }),
                    }
                }
            });
        });
    }

    /// # Safety
    /// `x` and `dy` are valid for reads and `dx` for writes of `len` elements; `dx` is `dy` or overlaps
    /// neither. The slopes fit.
    unsafe fn prelu_backward_raw<E: Float>(
        self,
        prelu: Prelu<'_, E>,
        [x, dy]: [*const E; 2],
        dx: *mut E,
        len: usize,
    ) {
        let slope_kernel = table::prelu::<E>(self.isa()).slope.zip;
        let scale_gradient = table::arithmetic::<E>(self.isa()).scale_gradient.zip;
        // Of one slope it is a leaky rectifier's, in one kernel.
        let leaky = self.backward_kernel::<LeakyRelu, E>();
        let in_place = ptr::eq(dy, dx);
        let stream = streams(dx, len, in_place);
        let arrays =
            if in_place { 2 } else { 3 } + usize::from(matches!(prelu, Prelu::PerElement(_)));
        let bytes = bytes::<E>(arrays, len);
        let (x, dy, dx) = (Shared::new(x), Shared::new(dy), Shared::new(dx));
        self.threads().split(bytes, len, stream, |range| {
            let mut derivatives = Scratch::<E, PIECE>::new();
            let derivatives = derivatives.as_mut_ptr();
            slopes::walk(prelu, range, dx.at(0), stream, |range, slope| match slope {
                Slope::One(slope) => {
                    let (a, b, dst) = (x.at(range.start), dy.at(range.start), dx.at(range.start));
                    let (op, len) = (Backward(LeakyRelu::unchecked(slope.to_f64())), range.len());
                    // SAFETY: as in `prelu_raw`.
                    unsafe {
                        leaky(Zip {
                            op,
                            a,
                            b,
                            dst,
                            len,
                            stream,
                        })
                    }
                }
                Slope::Each(slopes) => pieces(dx.at(0), range.clone(), |piece| {
                    let (at, len) = (piece.start, piece.len());
                    let b = slopes.wrapping_add(at - range.start);
                    // SAFETY: as in `prelu_raw`; a piece fits in the scratch.
                    unsafe {
                        slope_kernel(Zip {
                            op: PreluSlope,
                            a: x.at(at),
                            b,
                            dst: derivatives,
                            len,
                            stream: false,
                        });
                        scale_gradient(Zip {
                            op: ScaleGradient,
                            a: dy.at(at),
                            b: derivatives,
                            dst: dx.at(at),
                            len,
                            stream,
                        });
                    }
                }),
            });
        });
    }
}
