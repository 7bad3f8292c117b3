//! When and how work is split over rayon's pool.

#![allow(unsafe_code)]

use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;

use halfwave_kernels::{Element, Operation};
use rayon::prelude::*;

use crate::backend::{Backend, check_lengths};

/// Below this many bytes of memory touched, `par_` runs on the calling thread.
///
/// Measured on two Zen 4 cores with a rectifier, called from outside the pool, so that both workers
/// must wake: out of place, two threads break even at 1.5 MiB and win 1.4× at 4 MiB; in place,
/// where the same bytes take half the time, at 2 MiB. From inside the pool they win from 1 MiB on.
pub const BREAK_EVEN: usize = 2 << 20;

/// The smallest piece handed to a thread, in bytes of memory touched.
pub const GRAIN: usize = 256 << 10;

/// How many pieces to cut a call that touches `bytes` into: a few for each thread, so that one that
/// is late leaves its last to the others.
fn pieces(bytes: usize, threads: impl FnOnce() -> usize) -> usize {
    if bytes < BREAK_EVEN {
        return 1; // without asking rayon, which costs as much as a small call
    }
    match threads() {
        1 => 1,
        threads => (bytes / GRAIN).min(4 * threads),
    }
}

/// The elements of piece `i` of `pieces`. Cuts fall on multiples of 64 elements, so that pieces of
/// an aligned array are aligned.
fn piece(i: usize, pieces: usize, len: usize) -> Range<usize> {
    let step = len.div_ceil(pieces).next_multiple_of(64);
    (i * step).min(len)..((i + 1) * step).min(len)
}

/// A pointer that may cross threads.
#[derive(Clone, Copy)]
struct Shared<T>(*mut T);
// SAFETY: it points to plain elements, and each thread touches only the pieces it was given.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    // A method, so that a closure captures the whole and not the bare pointer inside.
    fn at(self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

impl Backend {
    /// [`apply`](Backend::apply) on rayon's current pool.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn par_apply<O: Operation<E>, E: Element>(self, op: O, src: &[E], dst: &mut [E]) {
        check_lengths(src.len(), dst.len());
        // SAFETY: as many elements in both, which a shared and an exclusive borrow keep apart.
        unsafe { self.par_apply_raw(op, src.as_ptr(), dst.as_mut_ptr(), src.len()) }
    }

    /// [`apply_uninit`](Backend::apply_uninit) on rayon's current pool.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn par_apply_uninit<'a, O: Operation<E>, E: Element>(
        self,
        op: O,
        src: &[E],
        dst: &'a mut [MaybeUninit<E>],
    ) -> &'a mut [E] {
        check_lengths(src.len(), dst.len());
        // SAFETY: as `par_apply`; the pieces cover `dst`, and a kernel writes all of its piece.
        unsafe {
            self.par_apply_raw(op, src.as_ptr(), dst.as_mut_ptr().cast(), src.len());
            &mut *(ptr::from_mut(dst) as *mut [E])
        }
    }

    /// [`apply_in_place`](Backend::apply_in_place) on rayon's current pool.
    pub fn par_apply_in_place<O: Operation<E>, E: Element>(self, op: O, x: &mut [E]) {
        let p = x.as_mut_ptr();
        // SAFETY: one exclusive borrow, as source and destination.
        unsafe { self.par_apply_raw(op, p, p, x.len()) }
    }

    /// [`apply_raw`](Backend::apply_raw) on rayon's current pool.
    ///
    /// # Safety
    /// As [`apply_raw`](Backend::apply_raw).
    pub unsafe fn par_apply_raw<O: Operation<E>, E: Element>(
        self,
        op: O,
        src: *const E,
        dst: *mut E,
        len: usize,
    ) {
        let kernel = self.kernel(op, src, dst, len);
        let arrays = if ptr::eq(src, dst) { 1 } else { 2 };
        let bytes = arrays * len.saturating_mul(size_of::<E>());
        let pieces = pieces(bytes, rayon::current_num_threads);
        if pieces == 1 {
            // SAFETY: forwarded, as in `apply_raw`.
            return unsafe { kernel(op, src, dst, len) };
        }
        let (src, dst) = (Shared(src.cast_mut()), Shared(dst));
        (0..pieces).into_par_iter().with_max_len(1).for_each(|i| {
            let Range { start, end } = piece(i, pieces, len);
            // SAFETY: pieces lie within `len` and do not overlap; the rest is forwarded.
            unsafe { kernel(op, src.at(start), dst.at(start), end - start) }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_element_once() {
        for len in [0, 1, 63, 64, 65, 1000, 1 << 20, (1 << 20) + 1] {
            for n in 1..20 {
                let mut next = 0;
                for i in 0..n {
                    let Range { start, end } = piece(i, n, len);
                    assert!(start == next.min(len) && end >= start, "{len} {n} {i}");
                    next = end;
                }
                assert_eq!(next, len);
            }
        }
    }

    #[test]
    fn small_work_and_lone_threads_are_not_split() {
        assert_eq!(pieces(BREAK_EVEN - 1, || 16), 1);
        assert_eq!(pieces(usize::MAX, || 1), 1);
        assert!(pieces(BREAK_EVEN, || 2) >= 2);
        assert_eq!(pieces(1 << 30, || 16), 64);
    }
}
