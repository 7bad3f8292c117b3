//! When and how work is split over rayon's pool.

#![allow(unsafe_code)]

use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use halfwave_kernels::{Element, Operation};

use crate::backend::{Backend, check_lengths};

/// Below this many bytes of memory touched, `par_` runs on the calling thread.
///
/// Measured with a rectifier on two Zen 4 cores of a shared machine, called from outside the pool:
/// at 1 MiB two threads ran at 0.6 to 1.4 of the speed of one, depending on how fast the second
/// woke; at 2 MiB at 1.6 out of place and 1.3 to 1.4 in place; at 4 MiB at 1.7 and 1.6.
pub const BREAK_EVEN: usize = 2 << 20;

/// The smallest piece handed to a thread, in bytes of memory touched.
pub const GRAIN: usize = 256 << 10;

/// How many pieces to cut a call that touches `bytes` into: a few for each thread, so that one that
/// is late leaves its last to the others.
fn pieces(bytes: usize, threads: usize) -> usize {
    if threads < 2 {
        1
    } else {
        (bytes / GRAIN).clamp(1, 4 * threads)
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
        let threads = if bytes < BREAK_EVEN {
            1 // without asking rayon, which costs as much as a small call
        } else {
            rayon::current_num_threads()
        };
        let pieces = pieces(bytes, threads);
        if pieces == 1 {
            // SAFETY: forwarded, as in `apply_raw`.
            return unsafe { kernel(op, src, dst, len) };
        }
        let (src, dst) = (Shared(src.cast_mut()), Shared(dst));
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= pieces {
                    return;
                }
                let Range { start, end } = piece(i, pieces, len);
                // SAFETY: pieces lie within `len` and do not overlap, and each is taken once; the
                // rest is forwarded.
                unsafe { kernel(op, src.at(start), dst.at(start), end - start) }
            }
        };
        // The caller works too, from the first moment: what the pool's threads cannot take because
        // they are still waking up, it has done by then. `par_iter` from outside the pool would
        // put it to sleep and wait for two to wake: that lost up to 20 % at 4 MiB.
        rayon::in_place_scope(|scope| {
            for _ in 1..threads.min(pieces) {
                scope.spawn(|_| work());
            }
            work();
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
    fn a_lone_thread_gets_all_and_many_get_a_few_each() {
        assert_eq!(pieces(usize::MAX, 1), 1);
        assert_eq!(pieces(0, 2), 1);
        assert_eq!(pieces(BREAK_EVEN, 2), 8);
        assert_eq!(pieces(BREAK_EVEN, 64), BREAK_EVEN / GRAIN);
        assert_eq!(pieces(1 << 30, 16), 64);
    }
}
