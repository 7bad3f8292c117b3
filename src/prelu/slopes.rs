//! The slopes of the parametric rectifier, and how they lie over an array.

use core::slice;

use halfwave_kernels::Float;

use crate::blocks::{Broadcast, Operand};
use crate::rows::{Rows, check_lengths};

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

impl<'a, E: Float> Prelu<'a, E> {
    /// The slopes of a matrix of `rows × cols` elements, one for each row or one for each column.
    ///
    /// ```
    /// use halfwave::{Broadcast, Prelu};
    ///
    /// let x = [-1.0f32, -2.0, 3.0, -4.0]; // 2 rows of 2
    /// let slopes = [0.5, 0.25];
    /// let per_column = Prelu::broadcast(Broadcast::PerColumn(&slopes), 2);
    /// assert_eq!(per_column.apply_to_vec(&x), [-0.5, -0.5, 3.0, -1.0]);
    /// let per_row = Prelu::broadcast(Broadcast::PerRow(&slopes), 2);
    /// assert_eq!(per_row.apply_to_vec(&x), [-0.5, -1.0, 3.0, -1.0]);
    /// ```
    ///
    /// # Panics
    /// If there are slopes for the columns, and not one for each of `cols`.
    #[track_caller]
    pub fn broadcast(slopes: Broadcast<'a, E>, cols: usize) -> Self {
        match slopes {
            Broadcast::PerRow(slopes) => Prelu::PerChannel {
                slopes,
                inner: cols,
            },
            Broadcast::PerColumn(slopes) => {
                check_lengths([("a row", cols), ("slopes", slopes.len())]);
                Prelu::PerChannel { slopes, inner: 1 }
            }
        }
    }

    /// The slope, if there is only one.
    pub(super) fn only(&self) -> Option<E> {
        match *self {
            Prelu::Shared(slope)
            | Prelu::PerChannel {
                slopes: &[slope], ..
            } => Some(slope),
            _ => None,
        }
    }

    /// The slopes as an operand of an array in rows, and how many elements these rows have.
    pub(super) fn operand(&self, len: usize) -> (Operand<'_, E>, usize) {
        match self {
            Prelu::Shared(slope) => (Operand::PerRow(slice::from_ref(slope)), len),
            Prelu::PerElement(slopes) => (Operand::Each(Rows::flat(slopes)), len),
            Prelu::PerChannel { slopes, inner: 1 } => (Operand::PerColumn(slopes), slopes.len()),
            Prelu::PerChannel { slopes, inner } => (Operand::PerRow(slopes), *inner),
        }
    }

    /// Panics unless the slopes fit `len` elements.
    #[track_caller]
    pub(super) fn check(self, len: usize) {
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
