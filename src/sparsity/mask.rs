//! Masks and counts.

#![allow(unsafe_code)]

use core::mem::MaybeUninit;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};

use halfwave_kernels::{Float, Relu};

use crate::backend::Backend;
use crate::blocks::{BLOCK, Dst, Src, Walk, words};
use crate::kernels::{Blockwise, Masks};
use crate::rows::{Rows, RowsMut, Slot, check_lengths, written};

/// How many elements have their mask made at a time: those of two blocks.
fn most<E>() -> usize {
    2 * BLOCK / size_of::<E>()
}

/// The bytes of their mask, of elements of two bytes or more.
const MASK: usize = 2 * BLOCK / 2 / 8;

/// `y = relu(x)`, and the mask.
#[track_caller]
pub(super) fn relu_with_mask<'a, E: Float, T: Slot<E>>(
    backend: Backend,
    x: &[E],
    y: &'a mut [T],
    mask: &mut [u8],
) -> &'a mut [E] {
    check_lengths([("x", x.len()), ("y", y.len())]);
    check_mask(mask, x.len());
    let (to, mask) = (RowsMut::flat(y).slots(), RowsMut::flat(mask));
    rectify(backend, Rows::flat(x), to, Some(mask));
    // SAFETY: the kernels have written every element.
    unsafe { written(y) }
}

/// `y = relu(x)`, and how much of it is not zero.
#[track_caller]
pub(super) fn relu_with_count<'a, E: Float, T: Slot<E>>(
    backend: Backend,
    x: &[E],
    y: &'a mut [T],
) -> (&'a mut [E], usize) {
    check_lengths([("x", x.len()), ("y", y.len())]);
    let n = rectify(backend, Rows::flat(x), RowsMut::flat(y).slots(), None);
    // SAFETY: the kernels have written every element.
    (unsafe { written(y) }, n)
}

/// relu with its mask, or with a mask that is only counted, of one row each; returns how many bits are
/// set. `y` may be `x`.
pub(super) fn rectify<E: Float>(
    backend: Backend,
    x: Rows<'_, E>,
    y: RowsMut<'_, E>,
    mask: Option<RowsMut<'_, u8>>,
) -> usize {
    let (relu, positive) = (backend.bind(Relu), backend.kernels().positive());
    let in_place = x.view.is(&y.view);
    let walk = Walk::to(&y, in_place, if in_place { 1 } else { 2 });
    let sum = AtomicUsize::new(0);
    walk.split(backend.threads(), |range| {
        let mut scratch = [MaybeUninit::uninit(); MASK];
        let (end, mut n, mut done) = (range.end, 0, range.start);
        // Ranges begin with a word of mask: no two parts share a byte of it.
        for part in words(range, most::<E>()) {
            let bits = match &mask {
                Some(mask) => mask.range(bytes(&part), false),
                None => Dst::of(&mut scratch[..part.len().div_ceil(8)]),
            };
            n += positive.write(x.range(part.clone()), bits);
            // What is rectified ends with a line of `y`, so that no line is stored to twice; so it lags a
            // little behind the mask.
            let whole = match part.end == end {
                true => end,
                false => done.max(part.end - y.behind_line(part.end)),
            };
            relu.map(x.range(done..whole), y.range(done..whole, walk.streams()));
            done = whole;
        }
        sum.fetch_add(n, Ordering::Relaxed);
    });
    sum.into_inner()
}

/// `dx[i] = bit i ? dy[i] : +0`, of one row each. `dx` may be `dy`.
pub(super) fn unmask<E: Float>(
    backend: Backend,
    mask: Rows<'_, u8>,
    dy: Rows<'_, E>,
    dx: RowsMut<'_, E>,
) {
    let kernels = backend.kernels();
    let in_place = dy.view.is(&dx.view);
    let walk = Walk::to(&dx, in_place, if in_place { 1 } else { 2 });
    let walk = walk.whole().with_floats(false);
    // Ranges begin with a word of mask.
    walk.run(backend.threads(), move |block| {
        let bits = mask.range(bytes(&block.range()));
        kernels.unmask(dy.at(block), bits, dx.at(block));
    });
}

/// How many bits a mask of `x` would have set.
pub(super) fn count<P: Copy + Sync, E: Float>(
    backend: Backend,
    which: Masks<P, E>,
    x: &[E],
) -> usize {
    let (rows, sum) = (Rows::flat(x), AtomicUsize::new(0));
    backend.threads().split(size_of_val(x), x.len(), |range| {
        sum.fetch_add(count_of(which, rows.range(range)), Ordering::Relaxed);
    });
    sum.into_inner()
}

/// How many bits a mask of `x` would have set, by this thread.
pub(super) fn count_of<P: Copy, E: Float>(which: Masks<P, E>, x: Src<'_, E>) -> usize {
    let mut scratch = [MaybeUninit::uninit(); MASK];
    words(0..x.len(), most::<E>())
        .map(|part| {
            let bits = Dst::of(&mut scratch[..part.len().div_ceil(8)]);
            which.write(x.part(part.start, part.len()), bits)
        })
        .sum()
}

/// The bytes of a mask that have the bits of some elements.
#[inline]
fn bytes(elements: &Range<usize>) -> Range<usize> {
    elements.start / 8..elements.end.div_ceil(8)
}

/// Panics, saying both lengths, unless `mask` has the bytes for `len` elements.
#[inline]
#[track_caller]
pub(super) fn check_mask(mask: &[u8], len: usize) {
    let need = len.div_ceil(8);
    assert!(
        mask.len() == need,
        "the mask of {len} elements has {need} bytes, one for each eight; this one has {}",
        mask.len()
    );
}
