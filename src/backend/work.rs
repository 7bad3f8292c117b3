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

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::{AtomicUsize, Ordering};

    /// How many calls there were, of how many elements, and how many were to stream.
    #[derive(Default)]
    struct Seen([AtomicUsize; 3]);

    impl Seen {
        fn add(&self, len: usize, stream: bool) {
            for (count, more) in self.0.iter().zip([1, len, usize::from(stream)]) {
                count.fetch_add(more, Ordering::Relaxed);
            }
        }

        #[track_caller]
        fn assert(self, len: usize, stream: bool) {
            let [calls, elements, streamed] = self.0.map(AtomicUsize::into_inner);
            assert_eq!(elements, len);
            assert_eq!(streamed, if stream { calls } else { 0 });
        }
    }

    /// Touches no memory.
    unsafe fn seen_map(seen: &Seen, _: *const f32, _: *mut f32, len: usize, stream: bool) {
        seen.add(len, stream);
    }

    unsafe fn seen_zip(zip: Zip<&Seen, f32>) {
        zip.op.add(zip.len, zip.stream);
    }

    fn all_threads() -> impl Iterator<Item = Threads> {
        [
            Threads::One,
            #[cfg(feature = "parallel")]
            Threads::Pool,
        ]
        .into_iter()
    }

    /// What the tests of streaming stand on: from the threshold on, every kernel is told to.
    #[test]
    fn kernels_stream_from_the_threshold_on() {
        let least = memory::streaming_threshold().div_ceil(2 * size_of::<f32>());
        // Kernels that touch no memory need none.
        let at = |address| ptr::without_provenance_mut::<f32>(address);
        let (a, b, dst) = (at(1 << 12), at(2 << 12), at(3 << 12));
        let unaligned = at((3 << 12) + 2);
        for (len, from, to, stream) in [
            (least, a, dst, true),
            (10 * least, a, dst, true),
            (least - 1, a, dst, false),
            (least, dst, dst, false),
            (least, a, unaligned, false),
        ] {
            for threads in all_threads() {
                let (one, two) = (Seen::default(), Seen::default());
                // SAFETY: the kernels ask for nothing.
                unsafe {
                    map(seen_map, &one, from, to, len, threads);
                    zip(seen_zip, &two, [from, b], to, len, threads);
                }
                one.assert(len, stream);
                two.assert(len, stream);
            }
        }
    }
}
