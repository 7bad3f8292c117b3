//! The parametric rectifier: slopes that are learned.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use halfwave_kernels::Float;

use crate::backend::check_lengths;
use crate::dispatch::active;

mod forms;
mod gradient;
mod slopes;

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
