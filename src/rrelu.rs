//! The randomised rectifier in training: slopes drawn from a counter-based generator.

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use halfwave_kernels::loops::Range as Bounds;
use halfwave_kernels::{Float, ParameterError, Rrelu};

use crate::backend::Backend;
use crate::blocks::{Block, Dst, Room, Scratch, Walk};
use crate::calls::value_calls;
use crate::dispatch::active;
use crate::kernels::CpuIsa;
use crate::rows::{Rows, RowsMut, Slot, check_lengths, to_vec, written};

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

    #[inline]
    #[track_caller]
    fn check(self, len: usize) {
        assert!(
            self.start.checked_add(len as u64).is_some(),
            "{len} elements from index {} on reach beyond index 2^64",
            self.start
        );
    }

    /// The slopes of a block.
    #[inline]
    fn draw<'b, E: Float>(self, kernels: CpuIsa, block: &Block, room: Room<'b, E>) -> Dst<'b, E> {
        let start = self.start + block.col as u64;
        kernels.draw_slopes((self.bounds, self.seed), start, block.len, room)
    }
}

value_calls! {
    impl [RreluTraining] "RreluTraining" as rrelu: RreluTraining, self: Self;

    "`y[i] = x[i] < 0 ? a[i] · x[i] : x[i]`, of slices of one length."
    ///
    /// ```
    /// use halfwave::RreluTraining;
    ///
    /// let mut y = [0.0f32; 2];
    /// RreluTraining::new(0.125, 0.25, 42)?.apply(&[-1.0, 2.0], &mut y);
    /// assert!((-0.25..=-0.125).contains(&y[0]) && y[1] == 2.0);
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    apply[E: Float] / par_apply / rrelu[E: Float](x: &[E], y: &mut [E]) -> ()
        = |backend| { backend.rrelu_to(rrelu, x, y, None); };

    "`y[i] = x[i] < 0 ? a[i] · x[i] : x[i]` into memory that need not be initialised. Returns it initialised."
    ///
    /// ```
    /// use halfwave::RreluTraining;
    /// use std::mem::MaybeUninit;
    ///
    /// let rrelu = RreluTraining::new(0.125, 0.25, 42)?;
    /// let mut fresh = [MaybeUninit::<f32>::uninit(); 2];
    /// assert_eq!(rrelu.apply_uninit(&[-1.0, 2.0], &mut fresh), rrelu.apply_to_vec(&[-1.0, 2.0]));
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    apply_uninit['y, E: Float] / par_apply_uninit / rrelu_uninit['y, E: Float]
        (x: &[E], y: &'y mut [MaybeUninit<E>]) -> &'y mut [E]
        = |backend| backend.rrelu_to(rrelu, x, y, None);

    "`x[i] = x[i] < 0 ? a[i] · x[i] : x[i]`."
    ///
    /// ```
    /// use halfwave::RreluTraining;
    ///
    /// let mut x = [-1.0f32, 2.0];
    /// RreluTraining::new(0.125, 0.25, 42)?.apply_in_place(&mut x);
    /// assert!((-0.25..=-0.125).contains(&x[0]) && x[1] == 2.0);
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    apply_in_place[E: Float] / par_apply_in_place / rrelu_in_place[E: Float](x: &mut [E]) -> ()
        = |backend| {
            let x = RowsMut::flat(x);
            forward(backend, rrelu, x.source(), x, None)
        };

    "`x[i] < 0 ? a[i] · x[i] : x[i]` in a new vector, on huge pages if it is large."
    ///
    /// ```
    /// let rrelu = halfwave::RreluTraining::new(0.125, 0.25, 42)?;
    /// assert_eq!(rrelu.apply_to_vec(&[1.0f32, 2.0]), [1.0, 2.0]);
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    apply_to_vec[E: Float] / par_apply_to_vec / rrelu_to_vec[E: Float](x: &[E]) -> Vec<E>
        = |backend| to_vec(x.len(), |y| backend.rrelu_to(rrelu, x, y, None));

    "`y[i] = x[i] < 0 ? a[i] · x[i] : x[i]`, and what PyTorch calls the noise: 1 for `x > 0`, else the slope, so that `dx = dy · noise`. These are the bits of [`slopes`](RreluTraining::slopes), and those of [`backward`](RreluTraining::backward) with `dy = 1`."
    ///
    /// ```
    /// let rrelu = halfwave::RreluTraining::new(0.125, 0.25, 42)?;
    /// let (mut y, mut noise) = ([0.0f32; 2], [0.0; 2]);
    /// rrelu.apply_with_noise(&[-1.0, 2.0], &mut y, &mut noise);
    /// assert_eq!(noise, [-y[0], 1.0]);
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    apply_with_noise[E: Float] / par_apply_with_noise / rrelu_with_noise[E: Float]
        (x: &[E], y: &mut [E], noise: &mut [E]) -> ()
        = |backend| {
            check_lengths([("x", x.len()), ("y", y.len()), ("noise", noise.len())]);
            backend.rrelu_to(rrelu, x, y, Some(RowsMut::flat(noise)));
        };

    "`slopes[i] = a[i]`: the slopes themselves. One that rounds to zero is `+0`, never `-0`."
    ///
    /// ```
    /// let rrelu = halfwave::RreluTraining::new(0.125, 0.25, 42)?;
    /// let mut slopes = [0.0f32; 2];
    /// rrelu.slopes(&mut slopes);
    /// assert_eq!(rrelu.apply_to_vec(&[-1.0f32, -2.0]), [-slopes[0], -2.0 * slopes[1]]);
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    slopes[E: Float] / par_slopes / rrelu_slopes[E: Float](slopes: &mut [E]) -> ()
        = |backend| draw_all(backend, rrelu, RowsMut::flat(slopes));

    "`dx[i] = x[i] > 0 ? dy[i] : a[i] · dy[i]`, with the slopes that `apply` had, drawn again. Where the slope is zero `dx` is `+0`, whatever `dy` is."
    ///
    /// ```
    /// let rrelu = halfwave::RreluTraining::new(0.125, 0.25, 42)?;
    /// let y = rrelu.apply_to_vec(&[-1.0f32, 2.0]);
    /// let mut dx = [0.0; 2];
    /// rrelu.backward(&[-1.0, 2.0], &[1.0, 1.0], &mut dx);
    /// assert_eq!(dx, [-y[0], 1.0]);
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    backward[E: Float] / par_backward / rrelu_backward[E: Float](x: &[E], dy: &[E], dx: &mut [E]) -> ()
        = |backend| {
            check_lengths([("x", x.len()), ("dy", dy.len()), ("dx", dx.len())]);
            backward(backend, rrelu, [Rows::flat(x), Rows::flat(dy)], RowsMut::flat(dx))
        };

    "`dy[i] = x[i] > 0 ? dy[i] : a[i] · dy[i]`, with the slopes that `apply` had: `dy` becomes `dx`."
    ///
    /// ```
    /// let rrelu = halfwave::RreluTraining::new(0.125, 0.25, 42)?;
    /// let y = rrelu.apply_to_vec(&[-1.0f32, 2.0]);
    /// let mut dy = [1.0, 1.0];
    /// rrelu.backward_in_place(&[-1.0, 2.0], &mut dy);
    /// assert_eq!(dy, [-y[0], 1.0]);
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    backward_in_place[E: Float] / par_backward_in_place / rrelu_backward_in_place[E: Float](x: &[E], dy: &mut [E]) -> ()
        = |backend| {
            check_lengths([("x", x.len()), ("dy", dy.len())]);
            let dy = RowsMut::flat(dy);
            backward(backend, rrelu, [Rows::flat(x), dy.source()], dy)
        };
}

impl Backend {
    #[track_caller]
    fn rrelu_to<'y, E: Float, T: Slot<E>>(
        self,
        rrelu: RreluTraining,
        x: &[E],
        y: &'y mut [T],
        noise: Option<RowsMut<'_, E>>,
    ) -> &'y mut [E] {
        check_lengths([("x", x.len()), ("y", y.len())]);
        forward(self, rrelu, Rows::flat(x), RowsMut::flat(y).slots(), noise);
        // SAFETY: the kernels have written every element.
        unsafe { written(y) }
    }
}

/// `y` and the noise, of one length. `y` may be `x`.
#[track_caller]
fn forward<E: Float>(
    backend: Backend,
    rrelu: RreluTraining,
    x: Rows<'_, E>,
    y: RowsMut<'_, E>,
    noise: Option<RowsMut<'_, E>>,
) {
    rrelu.check(x.cols());
    let kernels = backend.kernels();
    let (prelu, derivative) = (kernels.prelu::<E>(), kernels.prelu_slope::<E>());
    let in_place = x.view.is(&y.view);
    let arrays = if in_place { 1 } else { 2 } + usize::from(noise.is_some());
    let walk = Walk::to(&y, in_place, arrays);
    walk.split(backend.threads(), |range| {
        // Slopes of a block that begins and ends amid a draw.
        let mut scratch = Scratch::<2>::new();
        let room = scratch.whole();
        for block in walk.blocks(range) {
            let slopes = rrelu.draw(kernels, &block, room).written();
            let x = x.at(&block);
            // First the noise, which needs `x` as it was.
            if let Some(noise) = &noise {
                derivative.zip(x, slopes, noise.beside(&block));
            }
            prelu.zip(x, slopes, y.at(&block));
        }
    });
}

#[track_caller]
fn draw_all<E: Float>(backend: Backend, rrelu: RreluTraining, slopes: RowsMut<'_, E>) {
    rrelu.check(slopes.cols());
    let kernels = backend.kernels();
    let walk = Walk::to(&slopes, true, 1);
    walk.split(backend.threads(), |range| {
        let mut scratch = Scratch::<2>::new();
        let room = scratch.whole();
        for block in walk.blocks(range) {
            let drawn = rrelu.draw(kernels, &block, room);
            slopes.at(&block).copy_from(drawn.written());
        }
    });
}

/// `dx`, of one length. It may be `dy`.
#[track_caller]
fn backward<E: Float>(
    backend: Backend,
    rrelu: RreluTraining,
    [x, dy]: [Rows<'_, E>; 2],
    dx: RowsMut<'_, E>,
) {
    rrelu.check(x.cols());
    let kernels = backend.kernels();
    let (derivative, scale) = (kernels.prelu_slope::<E>(), kernels.scale_gradient::<E>());
    let in_place = dy.view.is(&dx.view);
    let walk = Walk::to(&dx, in_place, if in_place { 2 } else { 3 });
    walk.split(backend.threads(), |range| {
        let mut scratch = Scratch::<2>::new();
        let room = scratch.whole();
        for block in walk.blocks(range) {
            let slopes = rrelu.draw(kernels, &block, room);
            derivative.zip(x.at(&block), slopes.written(), slopes);
            scale.zip(dy.at(&block), slopes.written(), dx.at(&block));
        }
    });
}
