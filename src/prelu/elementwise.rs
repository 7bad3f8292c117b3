//! The forms of [`Prelu`] that give an element for each.

use core::ops::Range;

use halfwave_kernels::{Float, LeakyRelu};

use super::slopes::Prelu;
use crate::backend::Backend;
use crate::blocks::{BLOCK, Block, Operand, Scratch, Value, Walk};
use crate::float_env;
use crate::kernels::Blockwise;
use crate::rows::{Rows, RowsMut};

/// From how many bytes on a row of one slope gets a call of its own; shorter ones are cheaper with their
/// slopes written out. Not past the caches, where only whole lines are stored.
const RUN: usize = 256;

/// From how many elements on it gets one forward if slopes cannot be written out once for all rows. Against
/// slopes written out, on f32 in cache with 64 channels (Zen 4), such calls ran at 0.98 of the speed with 25
/// neighbours in a channel, at 1.4 with 36, at 1.6 with 49.
const RUN_FORWARD: usize = 32;

/// Blocks of scratch in which slopes are written out once for all rows, with a block to spare.
const TILE: usize = 3;

/// The rows of a range, each with its slope.
fn runs<E: Float>(
    walk: &Walk<E>,
    range: Range<usize>,
    slopes: &[E],
) -> impl Iterator<Item = (Block, E)> {
    let (row, _) = walk.place(range.start);
    let first = row.checked_rem(slopes.len()).unwrap_or(0);
    walk.rows(range)
        .zip(slopes.iter().copied().cycle().skip(first))
}

/// `y = x < 0 ? slope · x : x`, of one row each, which the slopes fit. `y` may be `x`.
pub(super) fn forward<E: Float>(
    backend: Backend,
    prelu: Prelu<'_, E>,
    x: Rows<'_, E>,
    y: RowsMut<'_, E>,
) {
    let kernel = backend.kernels().prelu::<E>();
    if let Some(slope) = prelu.only() {
        let in_place = x.view.is(&y.view);
        let walk = Walk::to(&y, in_place, if in_place { 1 } else { 2 }).whole();
        return walk.run(backend.threads(), move |block| {
            kernel.call(x.at(block), Value::One(slope), y.at(block));
        });
    }
    let (slopes, cols) = prelu.operand(x.cols());
    let (x, y) = (x.folded(cols), y.folded(cols));
    let in_place = x.view.is(&y.view);
    let arrays = if in_place { 1 } else { 2 } + usize::from(slopes.is_each());
    let walk = Walk::to(&y, in_place, arrays);
    if let Operand::PerRow(each) = slopes
        && !walk.streams()
    {
        let bytes = cols.saturating_mul(size_of::<E>());
        let once = bytes.saturating_mul(each.len()) <= (TILE - 1) * BLOCK;
        if bytes >= RUN || cols >= RUN_FORWARD && !once {
            return walk.split(backend.threads(), move |range| {
                for (row, slope) in runs(&walk, range, each) {
                    kernel.call(x.at(&row), Value::One(slope), y.at(&row));
                }
            });
        }
    }
    let walk = if slopes.is_each() { walk.whole() } else { walk };
    walk.split(backend.threads(), move |range| {
        let (mut scratch, mut tile) = (Scratch::<1>::new(), Scratch::<TILE>::new());
        let [room] = scratch.rooms();
        let slopes = slopes.on(&walk, cols, &range, tile.whole());
        for block in walk.blocks(range) {
            kernel.call(x.at(&block), slopes.at(&block, room), y.at(&block));
        }
    });
}

/// `dx = x > 0 ? dy : slope · dy`, of one row each, which the slopes fit. `dx` may be `dy`.
pub(super) fn backward<E: Float>(
    backend: Backend,
    prelu: Prelu<'_, E>,
    x: Rows<'_, E>,
    dy: Rows<'_, E>,
    dx: RowsMut<'_, E>,
) {
    // Of one slope it is a leaky rectifier's, in one kernel. Not of NaN, of which that could make another
    // NaN: the bits must not depend on how rows are cut.
    let is_number = |slope: &E| !slope.to_f64().is_nan();
    let leaky = |slope: E| backend.bind(LeakyRelu::unchecked(slope.to_f64()));
    let only = |slope: Option<E>| slope.filter(is_number).map(leaky);
    if let Some(leaky) = float_env::compute(prelu.only(), only) {
        return backend.map_backward(leaky, x, dy, dx);
    }
    let kernels = backend.kernels();
    let (derivative, scale) = (kernels.prelu_slope::<E>(), kernels.scale_gradient::<E>());
    let (slopes, cols) = prelu.operand(x.cols());
    let (x, dy, dx) = (x.folded(cols), dy.folded(cols), dx.folded(cols));
    let in_place = dy.view.is(&dx.view);
    let arrays = if in_place { 2 } else { 3 } + usize::from(slopes.is_each());
    let walk = Walk::to(&dx, in_place, arrays);
    if let Operand::PerRow(each) = slopes
        && !walk.streams()
        && cols.saturating_mul(size_of::<E>()) >= RUN
        && float_env::compute(each, |each| each.iter().all(is_number))
    {
        return walk.split(backend.threads(), move |range| {
            for (row, slope) in runs(&walk, range, each) {
                leaky(slope).backward(x.at(&row), dy.at(&row), dx.at(&row));
            }
        });
    }
    walk.split(backend.threads(), move |range| {
        let (mut scratch, mut tile) = (Scratch::<2>::new(), Scratch::<TILE>::new());
        let [room, z] = scratch.rooms();
        let slopes = slopes.on(&walk, cols, &range, tile.whole());
        for block in walk.blocks(range) {
            let (x, dy, dx) = (x.at(&block), dy.at(&block), dx.at(&block));
            match slopes.at(&block, room) {
                Value::One(slope) if is_number(&slope) => leaky(slope).backward(x, dy, dx),
                slopes => {
                    let derivatives = z.dst(block.len);
                    derivative.call(x, slopes, derivatives);
                    scale.zip(dy, derivatives.written(), dx);
                }
            }
        }
    });
}
