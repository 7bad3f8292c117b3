//! The parametric rectifier: slopes that are learned.

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;

use halfwave_kernels::forms::{Prelu as Forward, PreluSlope, PreluSlopeGradient, Scalar, Times};
use halfwave_kernels::{Backward, Float, LeakyRelu, Zip, fence};

use crate::backend::{Backend, Shared, bytes, check_lengths, map, streams, zip};
use crate::dispatch::active;
use crate::memory;
use crate::pieces::{PIECE, Scratch, pieces};

mod gradient;
mod slopes;

use slopes::Slope;

/// The parametric rectifier, `x < 0 ? slope · x : x`, with learned slopes (He, Zhang, Ren & Sun,
/// 2015): on `f32 f64 f16 bf16`, slopes in the dtype of `x`.
///
/// | x | prelu(x) |
/// |---|---|
/// | `x < 0` | `slope · x`, rounded once |
/// | `-∞` | the limit: `-∞` for a positive slope, `+∞` for a negative one, `-0.0` for `+0` |
/// | `x > 0`, `±0`, `+∞` | `x`, whatever the slope |
/// | NaN | the same NaN |
///
/// *Exact*. A slope that is NaN gives NaN for `x < 0`.
///
/// Derivatives: `dx = x > 0 ? dy : slope · dy`, at 0 the slope as in PyTorch, and `0` where the slope
/// is, whatever `dy`; `dslope` is [`backward_slope`](Prelu::backward_slope).
///
/// ```
/// use halfwave::Prelu;
///
/// let x = [-1.0f32, -2.0, 3.0, -4.0];
/// let mut y = [0.0; 4];
/// // Two rows of two channels: the channel is the last axis.
/// Prelu::PerChannel { slopes: &[0.5, 0.25], inner: 1 }.apply(&x, &mut y);
/// assert_eq!(y, [-0.5, -0.5, 3.0, -1.0]);
/// // Two channels of two pixels: the channel comes first.
/// Prelu::PerChannel { slopes: &[0.5, 0.25], inner: 2 }.apply(&x, &mut y);
/// assert_eq!(y, [-0.5, -1.0, 3.0, -1.0]);
/// ```
///
/// # Panics
/// Every method panics, saying all numbers, if the slices it takes differ in length or the slopes do
/// not fit `x`: as many as elements in [`PerElement`](Prelu::PerElement); in
/// [`PerChannel`](Prelu::PerChannel), so that `x` has a multiple of `slopes.len() · inner` elements.
/// Also if `HALFWAVE_ISA` names a backend that cannot be had.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Prelu<'a, E> {
    /// One slope for all elements.
    Shared(E),
    /// A slope for each element.
    PerElement(&'a [E]),
    /// A slope for each channel.
    PerChannel {
        /// Slope `c` is that of channel `c`.
        slopes: &'a [E],
        /// How many neighbouring elements belong to one channel before the next begins: 1 where the
        /// channel is the last axis (rows of channels, NHWC), height times width for NCHW. After the
        /// last channel the first follows again, for the next row or image.
        inner: usize,
    },
}

impl<E: Float> Prelu<'_, E> {
    /// `y[i] = prelu(x[i])`.
    #[track_caller]
    pub fn apply(self, x: &[E], y: &mut [E]) {
        active().prelu(self, x, y);
    }

    /// [`apply`](Prelu::apply) into memory that need not be initialised. Returns it initialised.
    #[track_caller]
    pub fn apply_uninit<'y>(self, x: &[E], y: &'y mut [MaybeUninit<E>]) -> &'y mut [E] {
        active().prelu_uninit(self, x, y)
    }

    /// `x[i] = prelu(x[i])`.
    #[track_caller]
    pub fn apply_in_place(self, x: &mut [E]) {
        active().prelu_in_place(self, x);
    }

    /// `prelu(x[i])` in a new vector, on huge pages if it is large.
    #[track_caller]
    pub fn apply_to_vec(self, x: &[E]) -> Vec<E> {
        active().prelu_to_vec(self, x)
    }

    /// `dx[i] = x[i] > 0 ? dy[i] : slope · dy[i]`, and 0 where the slope is.
    ///
    /// ```
    /// use halfwave::Prelu;
    ///
    /// let mut dx = [0.0f32; 3];
    /// Prelu::Shared(0.25).backward(&[-1.0, 0.0, 1.0], &[8.0; 3], &mut dx);
    /// assert_eq!(dx, [2.0, 2.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn backward(self, x: &[E], dy: &[E], dx: &mut [E]) {
        active().prelu_backward(self, x, dy, dx);
    }

    /// [`backward`](Prelu::backward) into memory that need not be initialised. Returns it initialised.
    #[track_caller]
    pub fn backward_uninit<'d>(
        self,
        x: &[E],
        dy: &[E],
        dx: &'d mut [MaybeUninit<E>],
    ) -> &'d mut [E] {
        active().prelu_backward_uninit(self, x, dy, dx)
    }

    /// [`backward`](Prelu::backward) in place: `dy` becomes `dx`.
    #[track_caller]
    pub fn backward_in_place(self, x: &[E], dy: &mut [E]) {
        active().prelu_backward_in_place(self, x, dy);
    }

    /// What each slope gains: the sum of `x ≥ 0 ? 0 : x · dy` over the elements that have this slope.
    /// `dslope` has as many elements as there are slopes, one if it is shared. What the slopes are
    /// does not matter.
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
    #[track_caller]
    pub fn backward_slope(self, x: &[E], dy: &[E], dslope: &mut [E]) {
        active().prelu_backward_slope(self, x, dy, dslope);
    }

    /// [`apply`](Prelu::apply) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_apply(self, x: &[E], y: &mut [E]) {
        active().par().prelu(self, x, y);
    }

    /// [`apply_uninit`](Prelu::apply_uninit) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_apply_uninit<'y>(self, x: &[E], y: &'y mut [MaybeUninit<E>]) -> &'y mut [E] {
        active().par().prelu_uninit(self, x, y)
    }

    /// [`apply_in_place`](Prelu::apply_in_place) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_apply_in_place(self, x: &mut [E]) {
        active().par().prelu_in_place(self, x);
    }

    /// [`apply_to_vec`](Prelu::apply_to_vec) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_apply_to_vec(self, x: &[E]) -> Vec<E> {
        active().par().prelu_to_vec(self, x)
    }

    /// [`backward`](Prelu::backward) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_backward(self, x: &[E], dy: &[E], dx: &mut [E]) {
        active().par().prelu_backward(self, x, dy, dx);
    }

    /// [`backward_in_place`](Prelu::backward_in_place) on rayon's current pool.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_backward_in_place(self, x: &[E], dy: &mut [E]) {
        active().par().prelu_backward_in_place(self, x, dy);
    }

    /// [`backward_slope`](Prelu::backward_slope) on rayon's current pool: the same bits.
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_backward_slope(self, x: &[E], dy: &[E], dslope: &mut [E]) {
        active().par().prelu_backward_slope(self, x, dy, dslope);
    }

    /// Panics unless the slopes fit `len` elements.
    #[track_caller]
    fn check(self, len: usize) {
        match self {
            Prelu::Shared(_) => {}
            Prelu::PerElement(slopes) => check_lengths([("x", len), ("slopes", slopes.len())]),
            Prelu::PerChannel { slopes, inner } => {
                let channels = slopes.len();
                let fits = match channels.checked_mul(inner) {
                    Some(0) => len == 0,
                    Some(period) => len.is_multiple_of(period),
                    None => len == 0,
                };
                assert!(
                    fits,
                    "x has {len} elements, which must be a multiple of {channels} slopes times \
                     {inner} elements to each"
                );
            }
        }
    }
}

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
                let kernel = E::forms(&self.kernels().forms).prelu_slope_gradient.zip;
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
        let (kernels, threads) = (&E::forms(&self.kernels().forms).prelu, self.threads());
        // SAFETY: forwarded.
        match prelu {
            Prelu::Shared(slope) => {
                let op = Scalar(Forward, slope);
                return unsafe { map(kernels.scalar, op, x, y, len, threads) };
            }
            Prelu::PerElement(slopes) => {
                let arrays = [x, slopes.as_ptr()];
                return unsafe { zip(kernels.zip, Forward, arrays, y, len, threads) };
            }
            Prelu::PerChannel { .. } => {}
        }
        let in_place = ptr::eq(x, y);
        let stream = streams(y, len, in_place);
        let bytes = bytes::<E>(if in_place { 1 } else { 2 }, len);
        let (x, y) = (Shared::new(x), Shared::new(y));
        threads.split(bytes, len, |range| {
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
            if stream {
                fence();
            }
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
        let forms = E::forms(&self.kernels().forms);
        // Of one slope it is a leaky rectifier's, in one kernel.
        let leaky = self.kernel::<LeakyRelu, E>().backward;
        let in_place = ptr::eq(dy, dx);
        let stream = streams(dx, len, in_place);
        let arrays =
            if in_place { 2 } else { 3 } + usize::from(matches!(prelu, Prelu::PerElement(_)));
        let bytes = bytes::<E>(arrays, len);
        let (x, dy, dx) = (Shared::new(x), Shared::new(dy), Shared::new(dx));
        self.threads().split(bytes, len, |range| {
            let mut derivatives = Scratch::<E, PIECE>::new();
            let derivatives = derivatives.as_mut_ptr();
            slopes::walk(prelu, range, dx.at(0), stream, |range, slope| match slope {
                Slope::One(slope) => {
                    let slope = slope.to_f64();
                    let (a, b, dst) = (x.at(range.start), dy.at(range.start), dx.at(range.start));
                    let (op, len) = (Backward(LeakyRelu { slope }), range.len());
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
                        (forms.prelu_slope.zip)(Zip {
                            op: PreluSlope,
                            a: x.at(at),
                            b,
                            dst: derivatives,
                            len,
                            stream: false,
                        });
                        (forms.times.zip)(Zip {
                            op: Times,
                            a: dy.at(at),
                            b: derivatives,
                            dst: dx.at(at),
                            len,
                            stream,
                        });
                    }
                }),
            });
            if stream {
                fence();
            }
        });
    }
}
