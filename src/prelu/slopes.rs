//! Which slopes go with which elements.

use core::mem::MaybeUninit;
use core::ops::Range;

use halfwave_kernels::Float;

use super::Prelu;
use crate::pieces::{PIECE, Scratch, pieces};

/// The slopes of a range of elements.
pub(super) enum Slope<E> {
    /// The same one.
    One(E),
    /// As many as elements, from here.
    Each(*const E),
}

/// From how many bytes on a channel's run of neighbours gets a call of its own; shorter ones are
/// cheaper with their slopes written out.
const RUN: usize = 256;

/// Cuts `range` so that each part has its slopes at hand, in one register or one after the other in
/// memory. What is to be streamed to `dst` is cut on cache lines, as [`pieces`] says why.
pub(super) fn walk<E: Float>(
    prelu: Prelu<'_, E>,
    range: Range<usize>,
    dst: *const E,
    stream: bool,
    mut work: impl FnMut(Range<usize>, Slope<E>),
) {
    let (slopes, inner) = match prelu {
        Prelu::Shared(slope) => return work(range, Slope::One(slope)),
        Prelu::PerElement(slopes) => {
            let slopes = slopes[range.clone()].as_ptr();
            return work(range, Slope::Each(slopes));
        }
        Prelu::PerChannel {
            slopes: &[slope], ..
        } => return work(range, Slope::One(slope)),
        Prelu::PerChannel { slopes, inner } => (slopes, inner),
    };
    if range.is_empty() {
        return;
    }
    let period = slopes.len() * inner;
    if inner.saturating_mul(size_of::<E>()) >= RUN && !stream {
        return Runs::new(slopes, inner, range.start % period).cut(range.len(), |run, slope| {
            work(
                range.start + run.start..range.start + run.end,
                Slope::One(slope),
            );
        });
    }
    // A row and a piece fit, so that any piece of repeated rows is found in one place.
    let mut tile = Scratch::<E, { 2 * PIECE }>::new();
    let tiled = period <= PIECE && (inner > 1 || range.len() > period);
    if tiled {
        let len = period + PIECE.min(range.len());
        write_out(slopes, inner, 0, &mut tile.as_mut_slice()[..len]);
    }
    pieces(dst, range, |piece| {
        let phase = piece.start % period;
        let (channel, len) = (phase / inner, piece.len());
        if phase % inner + len <= inner {
            work(piece, Slope::One(slopes[channel]));
        } else if inner == 1 && phase + len <= period {
            work(piece, Slope::Each(slopes[phase..].as_ptr()));
        } else if tiled {
            work(piece, Slope::Each(tile.as_mut_ptr().wrapping_add(phase)));
        } else {
            write_out(slopes, inner, phase, &mut tile.as_mut_slice()[..len]);
            work(piece, Slope::Each(tile.as_mut_ptr()));
        }
    });
}

/// The slope of each element from number `phase` of a period on.
fn write_out<E: Float>(slopes: &[E], inner: usize, phase: usize, to: &mut [MaybeUninit<E>]) {
    if inner > 1 {
        return Runs::new(slopes, inner, phase).cut(to.len(), |run, slope| {
            for to in &mut to[run] {
                to.write(slope);
            }
        });
    }
    let (mut at, mut phase) = (0, phase);
    while at < to.len() {
        let len = (slopes.len() - phase).min(to.len() - at);
        let row = &slopes[phase..phase + len];
        for (to, &slope) in to[at..at + len].iter_mut().zip(row) {
            to.write(slope);
        }
        (at, phase) = (at + len, 0);
    }
}

/// Neighbours that have one slope.
struct Runs<'a, E> {
    slopes: &'a [E],
    inner: usize,
    channel: usize,
    /// How many are left of the first.
    left: usize,
}

impl<'a, E: Float> Runs<'a, E> {
    fn new(slopes: &'a [E], inner: usize, phase: usize) -> Self {
        let (channel, left) = (phase / inner, inner - phase % inner);
        Self {
            slopes,
            inner,
            channel,
            left,
        }
    }

    fn cut(self, len: usize, mut work: impl FnMut(Range<usize>, E)) {
        let (mut at, mut channel, mut left) = (0, self.channel, self.left);
        while at < len {
            let end = at.saturating_add(left).min(len);
            work(at..end, self.slopes[channel]);
            channel = if channel + 1 < self.slopes.len() {
                channel + 1
            } else {
                0
            };
            (at, left) = (end, self.inner);
        }
    }
}
