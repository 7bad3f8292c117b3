//! Composed forms: pieces of an array that go through a scratch buffer in the first-level cache, from
//! one kernel to the next.

use core::mem::MaybeUninit;
use core::ops::Range;

/// Elements in a piece; a multiple of the 64 that make up a word of mask. Smaller ones spend more on
/// calls; of larger ones not all fits in the first-level cache.
pub(crate) const PIECE: usize = 1024;

/// A cache line, in bytes: what a store past the caches should cover as a whole.
pub(crate) const LINE: usize = 64;

/// Room for `N` elements, on a cache line, not initialised.
#[repr(align(64))]
pub(crate) struct Scratch<E, const N: usize>([MaybeUninit<E>; N]);

impl<E: Copy, const N: usize> Scratch<E, N> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self([MaybeUninit::uninit(); N])
    }

    #[inline]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut E {
        self.0.as_mut_ptr().cast()
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [MaybeUninit<E>] {
        &mut self.0
    }
}

/// Cuts `range` into pieces of at most [`PIECE`] elements that begin and end on a cache line of `dst`,
/// but for the ends of `range`: two pieces that share a line would store it twice, and a line both
/// streamed and stored to costs half the speed.
#[inline]
pub(crate) fn pieces<E>(dst: *const E, range: Range<usize>, mut work: impl FnMut(Range<usize>)) {
    let Range { mut start, end } = range;
    let behind = dst.wrapping_add(start).addr() % LINE / size_of::<E>();
    let mut next = start + PIECE - behind;
    while start < end {
        work(start..next.min(end));
        (start, next) = (next, next + PIECE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_element_once_and_meet_on_cache_lines() {
        let array = Scratch::<f32, 16>::new();
        let array = array.0.as_ptr();
        for offset in 0..16 {
            for range in [0..0, 0..1, 5..6, 3..4000, 16..1040, 7..2048] {
                let dst = array.wrapping_add(offset);
                let mut next = range.start;
                pieces(dst, range.clone(), |piece| {
                    assert!(piece.start == next && piece.end > next);
                    assert!(piece.len() <= PIECE);
                    assert!(
                        next == range.start || dst.wrapping_add(next).addr() % LINE == 0,
                        "{offset} {range:?} {piece:?}"
                    );
                    next = piece.end;
                });
                assert_eq!(next, range.end);
            }
        }
    }
}
