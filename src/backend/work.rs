//! A kernel over whole arrays: memory policy chosen, work split over threads.

#![allow(unsafe_code)]

use core::ops::Range;
use core::ptr;

use halfwave_kernels::{Element, MapFn, Zip, ZipFn, fence};

use crate::memory;

/// Who does the work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The caller.
    One,
    /// Rayon's current pool, and the caller.
    #[cfg(feature = "parallel")]
    Pool,
}

impl Threads {
    /// Runs `work` on pieces that cover `0..len`; together they touch `bytes`. With `stream`, what it
    /// streams is visible to who comes after.
    #[inline]
    pub(crate) fn split(
        self,
        bytes: usize,
        len: usize,
        stream: bool,
        work: impl Fn(Range<usize>) + Sync,
    ) {
        let work = |range| {
            work(range);
            if stream {
                fence();
            }
        };
        match self {
            Threads::One => work(0..len),
            #[cfg(feature = "parallel")]
            Threads::Pool => crate::parallel::split(bytes, len, &work),
        }
        #[cfg(not(feature = "parallel"))]
        let _ = bytes;
    }
}

/// A pointer that may cross threads: for pieces of a slice that each go to one of them.
pub(crate) struct Shared<T>(*mut T);
// SAFETY: it points to plain elements, and each thread touches only the pieces it was given.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(p: *const T) -> Self {
        Self(p.cast_mut())
    }

    // A method, so that a closure captures the whole and not the bare pointer inside.
    #[inline]
    pub(crate) fn at(&self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

/// Whether to store past the caches in a call that writes `len` elements of `dst`. In place, the
/// line to overwrite has just been read: nothing to save.
#[inline]
pub(crate) fn streams<E>(dst: *mut E, len: usize, in_place: bool) -> bool {
    !in_place && memory::streams(len.saturating_mul(size_of::<E>())) && dst.is_aligned()
}

/// The bytes that `arrays` of `len` elements have.
#[inline]
pub(crate) fn bytes<E>(arrays: usize, len: usize) -> usize {
    len.saturating_mul(arrays * size_of::<E>())
}

/// # Safety
/// As [`MapFn`], but for `stream`.
#[inline]
pub(crate) unsafe fn map<O: Copy + Sync, E: Element>(
    kernel: MapFn<O, E>,
    op: O,
    src: *const E,
    dst: *mut E,
    len: usize,
    threads: Threads,
) {
    let in_place = ptr::eq(src, dst);
    let stream = streams(dst, len, in_place);
    let bytes = bytes::<E>(if in_place { 1 } else { 2 }, len);
    let (src, dst) = (Shared::new(src), Shared::new(dst));
    threads.split(bytes, len, stream, |Range { start, end }| {
        // SAFETY: pieces lie within `len` and do not overlap, and each is taken once; the rest is
        // forwarded.
        unsafe { kernel(op, src.at(start), dst.at(start), end - start, stream) }
    });
}

/// # Safety
/// As [`Zip`], and the CPU runs the kernel.
#[inline]
pub(crate) unsafe fn zip<O: Copy + Sync, E: Element>(
    kernel: ZipFn<O, E>,
    op: O,
    [a, b]: [*const E; 2],
    dst: *mut E,
    len: usize,
    threads: Threads,
) {
    let in_place = ptr::eq(a, dst) || ptr::eq(b, dst);
    let stream = streams(dst, len, in_place);
    let bytes = bytes::<E>(if in_place { 2 } else { 3 }, len);
    let (a, b, dst) = (Shared::new(a), Shared::new(b), Shared::new(dst));
    threads.split(bytes, len, stream, |Range { start, end }| {
        let (a, b, dst) = (a.at(start), b.at(start), dst.at(start));
        // SAFETY: as `map`.
        unsafe {
            kernel(Zip {
                op,
                a,
                b,
                dst,
                len: end - start,
                stream,
            })
        }
    });
}
