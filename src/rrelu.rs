//! The randomised rectifier in training: slopes drawn from a counter-based generator.

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;

use halfwave_kernels::forms::{
    DrawSlopes, FormsOf, Prelu as Forward, PreluSlope, Range as Bounds, Times,
};
use halfwave_kernels::{Float, ParameterError, Rrelu, Zip};

use crate::backend::{Backend, Shared, bytes, check_lengths, streams};
use crate::dispatch::active;
use crate::memory;
use crate::pieces::{LINE, PIECE, Scratch, pieces};

/// The randomised leaky rectifier in training: `x < 0 ? a · x : x`, with a slope `a` for each element
/// drawn uniformly from `[lower, upper]` (Xu, Wang, Chen & Li, 2015). In inference it is a leaky
/// rectifier with the mean.
///
/// The slope of an element is a function of the seed and the element's index alone: the same bits on
/// every backend, at any thread count, and however a batch is cut, if each part says
/// [`where it starts`](RreluTraining::starting_at). So [`backward`](RreluTraining::backward) draws the
/// slopes again, and none need be stored. Take another seed for each layer and step, or go on with the
/// index.
///
/// The generator is Philox4x32-10 (Salmon, Moraes, Dror & Shaw, 2011), with the seed as its key and a
/// counter of elements. On `f32`, a word of 32 bits gives one of 2²³ slopes that lie evenly between the
/// bounds, themselves rounded to `f32`; `f16` and `bf16` take the same slope, rounded; `f64` takes two
/// words and has 2⁵² slopes. Rounding may reach a bound, and never goes beyond. A slope that rounds to
/// zero is `+0`, never `-0`, in every form.
///
/// ```
/// use halfwave::RreluTraining;
///
/// let x = [-1.0f32, -1.0, 2.0, f32::NAN];
/// let rrelu = RreluTraining::new(0.125, 0.25, 42)?;
/// let y = rrelu.apply_to_vec(&x);
/// assert!((-0.25..=-0.125).contains(&y[0]) && y[0] != y[1] && y[2] == 2.0 && y[3].is_nan());
/// // In two parts, the same.
/// assert_eq!(rrelu.starting_at(1).apply_to_vec(&x[1..3]), y[1..3]);
/// // The gradient goes through the same slopes.
/// let mut dx = [0.0; 4];
/// rrelu.backward(&x, &[1.0; 4], &mut dx);
/// assert_eq!((dx[0], dx[1], dx[2]), (-y[0], -y[1], 1.0));
/// # Ok::<(), halfwave::ParameterError>(())
/// ```
///
/// Edge cases are those of [`Prelu`](crate::Prelu).
///
/// # Panics
/// Methods panic, saying all lengths, if those of slices differ; if the array would reach beyond index
/// 2⁶⁴; and if `HALFWAVE_ISA` names a backend that cannot be had.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RreluTraining {
    bounds: Bounds,
    seed: u64,
    start: u64,
}

/// A method for each form: on the backend of choice, and on rayon's pool.
impl RreluTraining {
    /// Slopes from `lower` to `upper`, both included, of the stream that `seed` names. The usual bounds
    /// are 1/8 and 1/3.
    /// For `f32`, `f16` and `bf16` they are rounded to `f32`; one that is infinite there makes slopes
    /// infinite or NaN.
    ///
    /// # Errors
    /// If a bound is NaN or infinite, or `lower` is above `upper`; the message names both and their
    /// values.
    pub fn new(lower: f64, upper: f64, seed: u64) -> Result<Self, ParameterError> {
        Rrelu::new(lower, upper)?;
        let bounds = Bounds { lower, upper };
        Ok(Self {
            bounds,
            seed,
            start: 0,
        })
    }

    /// The same slopes from number `index` on: for the elements of an array from there.
    #[must_use]
    pub fn starting_at(self, index: u64) -> Self {
        Self {
            start: index,
            ..self
        }
    }

    /// `y[i] = x[i] < 0 ? a[i] · x[i] : x[i]`.
    #[track_caller]
    pub fn apply<E: Float>(self, x: &[E], y: &mut [E]) {
        active().rrelu(self, x, y);
    }

    /// [`apply`](RreluTraining::apply) into memory that need not be initialised. Returns it initialised.
    #[track_caller]
    pub fn apply_uninit<'y, E: Float>(self, x: &[E], y: &'y mut [MaybeUninit<E>]) -> &'y mut [E] {
        active().rrelu_uninit(self, x, y)
    }

    /// [`apply`](RreluTraining::apply) in place.
    #[track_caller]
    pub fn apply_in_place<E: Float>(self, x: &mut [E]) {
        active().rrelu_in_place(self, x);
    }

    /// [`apply`](RreluTraining::apply) to a new vector, on huge pages if it is large.
    #[track_caller]
    pub fn apply_to_vec<E: Float>(self, x: &[E]) -> Vec<E> {
        active().rrelu_to_vec(self, x)
    }

    /// [`apply`](RreluTraining::apply) that also stores what PyTorch calls the noise: 1 for `x > 0`, else
    /// the slope, so that `dx = dy · noise`. These are the bits of [`slopes`](RreluTraining::slopes), and
    /// those of [`backward`](RreluTraining::backward) with `dy = 1`.
    #[track_caller]
    pub fn apply_with_noise<E: Float>(self, x: &[E], y: &mut [E], noise: &mut [E]) {
        active().rrelu_with_noise(self, x, y, noise);
    }

    /// The slopes themselves. One that rounds to zero is `+0`, never `-0`.
    #[track_caller]
    pub fn slopes<E: Float>(self, slopes: &mut [E]) {
        active().rrelu_slopes(self, slopes);
    }

    /// `dx[i] = x[i] > 0 ? dy[i] : a[i] · dy[i]`, with the slopes that `apply` had, drawn again. Where the
    /// slope is zero `dx` is `+0`, whatever `dy` is.
    #[track_caller]
    pub fn backward<E: Float>(self, x: &[E], dy: &[E], dx: &mut [E]) {
        active().rrelu_backward(self, x, dy, dx);
    }

    /// [`backward`](RreluTraining::backward) in place: `dy` becomes `dx`.
    #[track_caller]
    pub fn backward_in_place<E: Float>(self, x: &[E], dy: &mut [E]) {
        active().rrelu_backward_in_place(self, x, dy);
    }

    /// [`apply`](RreluTraining::apply) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_apply<E: Float>(self, x: &[E], y: &mut [E]) {
        active().par().rrelu(self, x, y);
    }

    /// [`apply_in_place`](RreluTraining::apply_in_place) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_apply_in_place<E: Float>(self, x: &mut [E]) {
        active().par().rrelu_in_place(self, x);
    }

    /// [`apply_to_vec`](RreluTraining::apply_to_vec) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_apply_to_vec<E: Float>(self, x: &[E]) -> Vec<E> {
        active().par().rrelu_to_vec(self, x)
    }

    /// [`apply_with_noise`](RreluTraining::apply_with_noise) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_apply_with_noise<E: Float>(self, x: &[E], y: &mut [E], noise: &mut [E]) {
        active().par().rrelu_with_noise(self, x, y, noise);
    }

    /// [`backward`](RreluTraining::backward) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_backward<E: Float>(self, x: &[E], dy: &[E], dx: &mut [E]) {
        active().par().rrelu_backward(self, x, dy, dx);
    }

    /// [`backward_in_place`](RreluTraining::backward_in_place) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_backward_in_place<E: Float>(self, x: &[E], dy: &mut [E]) {
        active().par().rrelu_backward_in_place(self, x, dy);
    }

    #[track_caller]
    fn check(self, len: usize) {
        assert!(
            self.start.checked_add(len as u64).is_some(),
            "{len} elements from index {} on reach beyond index 2^64",
            self.start
        );
    }

    /// Draws the slopes for `range`, at most a piece, into `scratch`; returns where they begin.
    ///
    /// # Safety
    /// The CPU runs the kernels.
    unsafe fn draw<E: Float>(
        self,
        forms: &FormsOf<E>,
        range: &Range<usize>,
        scratch: &mut Drawn<E>,
    ) -> *mut E {
        let index = self.start + range.start as u64;
        let per_draw = forms.per_draw as u64;
        let skip = (index % per_draw) as usize;
        let dst = scratch.as_mut_ptr();
        // SAFETY: `skip` is below `per_draw`, which is at most 16: together with a piece, and rounded up
        // to whole draws, not more than the scratch has.
        unsafe {
            (forms.draw_slopes)(DrawSlopes {
                range: self.bounds,
                seed: self.seed,
                first: index / per_draw,
                dst,
                draws: (skip + range.len()).div_ceil(forms.per_draw),
            });
        }
        dst.wrapping_add(skip)
    }
}

/// Room for the slopes of a piece that begins and ends amid a draw.
type Drawn<E> = Scratch<E, { PIECE + 32 }>;

/// The forms of [`RreluTraining`] on one backend; there they are explained.
impl Backend {
    /// [`RreluTraining::apply`].
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn rrelu<E: Float>(self, rrelu: RreluTraining, x: &[E], y: &mut [E]) {
        check_lengths([("x", x.len()), ("y", y.len())]);
        rrelu.check(x.len());
        // SAFETY: as many elements in both, which a shared and an exclusive borrow keep apart.
        unsafe { self.rrelu_raw(rrelu, x.as_ptr(), y.as_mut_ptr(), None, x.len()) }
    }

    /// [`RreluTraining::apply_uninit`].
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn rrelu_uninit<'y, E: Float>(
        self,
        rrelu: RreluTraining,
        x: &[E],
        y: &'y mut [MaybeUninit<E>],
    ) -> &'y mut [E] {
        check_lengths([("x", x.len()), ("y", y.len())]);
        rrelu.check(x.len());
        // SAFETY: as `rrelu`; the kernels write every element and read none of `y`.
        unsafe {
            self.rrelu_raw(rrelu, x.as_ptr(), y.as_mut_ptr().cast(), None, x.len());
            &mut *(ptr::from_mut(y) as *mut [E])
        }
    }

    /// [`RreluTraining::apply_in_place`].
    #[track_caller]
    pub fn rrelu_in_place<E: Float>(self, rrelu: RreluTraining, x: &mut [E]) {
        rrelu.check(x.len());
        let p = x.as_mut_ptr();
        // SAFETY: one exclusive borrow, as source and destination.
        unsafe { self.rrelu_raw(rrelu, p, p, None, x.len()) }
    }

    /// [`RreluTraining::apply_to_vec`].
    #[track_caller]
    pub fn rrelu_to_vec<E: Float>(self, rrelu: RreluTraining, x: &[E]) -> Vec<E> {
        let mut y = memory::vec_with_capacity(x.len());
        self.rrelu_uninit(rrelu, x, &mut y.spare_capacity_mut()[..x.len()]);
        // SAFETY: `rrelu_uninit` has initialised this many elements.
        unsafe { y.set_len(x.len()) };
        y
    }

    /// [`RreluTraining::apply_with_noise`].
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn rrelu_with_noise<E: Float>(
        self,
        rrelu: RreluTraining,
        x: &[E],
        y: &mut [E],
        noise: &mut [E],
    ) {
        check_lengths([("x", x.len()), ("y", y.len()), ("noise", noise.len())]);
        rrelu.check(x.len());
        let noise = Some(noise.as_mut_ptr());
        // SAFETY: as many elements in all, which the borrows keep apart.
        unsafe { self.rrelu_raw(rrelu, x.as_ptr(), y.as_mut_ptr(), noise, x.len()) }
    }

    /// [`RreluTraining::slopes`].
    #[track_caller]
    pub fn rrelu_slopes<E: Float>(self, rrelu: RreluTraining, slopes: &mut [E]) {
        rrelu.check(slopes.len());
        let forms = E::forms(&self.kernels().forms);
        let (len, dst) = (slopes.len(), Shared::new(slopes.as_ptr()));
        let (bytes, threads) = (bytes::<E>(1, len), self.threads());
        threads.split(bytes, len, false, |range| {
            let mut scratch = Drawn::<E>::new();
            pieces(dst.at(0), range, |piece| {
                // SAFETY: the CPU runs the backend's kernels; pieces lie in the slice and do not overlap.
                unsafe {
                    let slopes = rrelu.draw(forms, &piece, &mut scratch);
                    dst.at(piece.start)
                        .copy_from_nonoverlapping(slopes, piece.len());
                }
            });
        });
    }

    /// [`RreluTraining::backward`].
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn rrelu_backward<E: Float>(self, rrelu: RreluTraining, x: &[E], dy: &[E], dx: &mut [E]) {
        check_lengths([("x", x.len()), ("dy", dy.len()), ("dx", dx.len())]);
        rrelu.check(x.len());
        let arrays = [x.as_ptr(), dy.as_ptr()];
        // SAFETY: as many elements in all; the exclusive borrow keeps `dx` apart.
        unsafe { self.rrelu_backward_raw(rrelu, arrays, dx.as_mut_ptr(), x.len()) }
    }

    /// [`RreluTraining::backward_in_place`].
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn rrelu_backward_in_place<E: Float>(self, rrelu: RreluTraining, x: &[E], dy: &mut [E]) {
        check_lengths([("x", x.len()), ("dy", dy.len())]);
        rrelu.check(x.len());
        let p = dy.as_mut_ptr();
        // SAFETY: as many elements in both; the destination is one of its own sources.
        unsafe { self.rrelu_backward_raw(rrelu, [x.as_ptr(), p], p, x.len()) }
    }

    /// # Safety
    /// `x` is valid for reads and `y` and `noise` for writes of `len` elements; `x` and `y` are the same
    /// pointer or do not overlap, and `noise` overlaps neither.
    unsafe fn rrelu_raw<E: Float>(
        self,
        rrelu: RreluTraining,
        x: *const E,
        y: *mut E,
        noise: Option<*mut E>,
        len: usize,
    ) {
        let forms = E::forms(&self.kernels().forms);
        let in_place = ptr::eq(x, y);
        let stream = streams(y, len, in_place);
        // Pieces end on cache lines of `y`, and of the noise only if that lies alike.
        let alike = |noise: *mut E| noise.addr() % LINE == y.addr() % LINE;
        let stream_noise = stream && noise.is_some_and(alike);
        let arrays = if in_place { 1 } else { 2 } + usize::from(noise.is_some());
        let (x, y, noise) = (
            Shared::new(x),
            Shared::new(y),
            noise.map(|p| Shared::new(p)),
        );
        let (bytes, threads) = (bytes::<E>(arrays, len), self.threads());
        threads.split(bytes, len, stream, |range| {
            let mut scratch = Drawn::<E>::new();
            pieces(y.at(0), range, |piece| {
                let (at, len) = (piece.start, piece.len());
                // SAFETY: the CPU runs the backend's kernels; pieces lie within `len` and do not overlap.
                unsafe {
                    let (a, b) = (x.at(at), rrelu.draw(forms, &piece, &mut scratch));
                    // First the noise, which needs `x` as it was.
                    if let Some(noise) = &noise {
                        let (op, dst, stream) = (PreluSlope, noise.at(at), stream_noise);
                        (forms.prelu_slope.zip)(Zip {
                            op,
                            a,
                            b,
                            dst,
                            len,
                            stream,
                        });
                    }
                    let (op, dst) = (Forward, y.at(at));
                    (forms.prelu.zip)(Zip {
                        op,
                        a,
                        b,
                        dst,
                        len,
                        stream,
                    });
                }
            });
        });
    }

    /// # Safety
    /// `x` and `dy` are valid for reads and `dx` for writes of `len` elements; `dx` is `dy` or overlaps
    /// neither.
    unsafe fn rrelu_backward_raw<E: Float>(
        self,
        rrelu: RreluTraining,
        [x, dy]: [*const E; 2],
        dx: *mut E,
        len: usize,
    ) {
        let forms = E::forms(&self.kernels().forms);
        let in_place = ptr::eq(dy, dx);
        let stream = streams(dx, len, in_place);
        let bytes = bytes::<E>(if in_place { 2 } else { 3 }, len);
        let (x, dy, dx) = (Shared::new(x), Shared::new(dy), Shared::new(dx));
        self.threads().split(bytes, len, stream, |range| {
            let mut scratch = Drawn::<E>::new();
            pieces(dx.at(0), range, |piece| {
                let (at, len) = (piece.start, piece.len());
                // SAFETY: as in `rrelu_raw`.
                unsafe {
                    let slopes = rrelu.draw(forms, &piece, &mut scratch);
                    (forms.prelu_slope.zip)(Zip {
                        op: PreluSlope,
                        a: x.at(at),
                        b: slopes,
                        dst: slopes,
                        len,
                        stream: false,
                    });
                    (forms.times.zip)(Zip {
                        op: Times,
                        a: dy.at(at),
                        b: slopes,
                        dst: dx.at(at),
                        len,
                        stream,
                    });
                }
            });
        });
    }
}
