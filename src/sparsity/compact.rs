//! What is not zero, with its indices.

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::ops::Range;

use halfwave_kernels::loops::{Compress, CompressFn, Index, Move, SLACK};
use halfwave_kernels::{Float, MapFn, fence, table};

use super::mask::Which;
use crate::backend::{Backend, Shared, Threads};
use crate::memory;
use crate::pieces::{LINE, PIECE};

/// Why what is not zero could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum CompactError {
    /// The buffers are too small. They hold the first of the elements, as many as fit into both.
    #[error(
        "{needed} elements are not zero, but there is room for {indices} indices and {values} values: \
         give both room for {needed}"
    )]
    Room {
        needed: usize,
        indices: usize,
        values: usize,
    },
    /// The array has more elements than its indices can number.
    #[error("{len} elements are too many for {index} indices, which end at {last}: use u64")]
    Index {
        len: usize,
        index: &'static str,
        last: u64,
    },
}

impl Backend {
    /// Writes the non-zero elements of `x` and their indices to the front of `values` and `indices`, in
    /// order, and returns how many they are. NaN is kept, `-0.0` is not. The rest of the buffers stays
    /// as it is.
    ///
    /// ```
    /// let (mut indices, mut values) = ([0u64; 3], [0.0f32; 3]);
    /// let n = halfwave::sparsity::compact(&[0.0, -1.5, 0.0, 2.5], &mut indices, &mut values)?;
    /// assert_eq!((&indices[..n], &values[..n]), (&[1, 3][..], &[-1.5, 2.5][..]));
    /// # Ok::<(), halfwave::sparsity::CompactError>(())
    /// ```
    ///
    /// # Errors
    /// [`CompactError::Room`] if a buffer is too small: it says how much is needed, and the buffers hold
    /// the first of the elements, as many as fit into both. [`CompactError::Index`] if `x` has more
    /// elements than `I` can number; then nothing is written.
    pub fn compact<I: Index, E: Float>(
        self,
        x: &[E],
        indices: &mut [I],
        values: &mut [E],
    ) -> Result<usize, CompactError> {
        let (indices, values) = (uninit(indices), uninit(values));
        self.fill(self.non_zero(), x, indices, values)
    }

    /// [`compact`](Backend::compact) of `relu(x)`, in the same pass: what is above zero, or NaN.
    ///
    /// ```
    /// let (mut indices, mut values) = ([0u32; 1], [0.0f32; 1]);
    /// let error = halfwave::sparsity::relu_compact(&[3.0, -1.5, 2.5], &mut indices, &mut values);
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "2 elements are not zero, but there is room for 1 indices and 1 values: \
    ///      give both room for 2",
    /// );
    /// assert_eq!((indices, values), ([0], [3.0]));
    /// ```
    ///
    /// # Errors
    /// As [`compact`](Backend::compact).
    pub fn relu_compact<I: Index, E: Float>(
        self,
        x: &[E],
        indices: &mut [I],
        values: &mut [E],
    ) -> Result<usize, CompactError> {
        let (indices, values) = (uninit(indices), uninit(values));
        self.fill(self.positive(), x, indices, values)
    }

    /// The indices of the non-zero elements of `x`, in order, and the elements. NaN is kept, `-0.0` is
    /// not. The vectors are of exact size, on huge pages if they are large: `x` is counted first.
    ///
    /// ```
    /// let (indices, values) = halfwave::sparsity::compact_to_vecs::<u32, f32>(&[0.0, -1.5, 2.5]);
    /// assert_eq!((indices, values), (vec![1, 2], vec![-1.5, 2.5]));
    /// ```
    ///
    /// # Panics
    /// If `x` has more elements than `I` can number.
    #[track_caller]
    pub fn compact_to_vecs<I: Index, E: Float>(self, x: &[E]) -> (Vec<I>, Vec<E>) {
        self.collect(self.non_zero(), x)
    }

    /// [`compact_to_vecs`](Backend::compact_to_vecs) of `relu(x)`: what is above zero, or NaN.
    ///
    /// # Panics
    /// As [`compact_to_vecs`](Backend::compact_to_vecs).
    #[track_caller]
    pub fn relu_compact_to_vecs<I: Index, E: Float>(self, x: &[E]) -> (Vec<I>, Vec<E>) {
        self.collect(self.positive(), x)
    }

    #[track_caller]
    fn collect<P: Copy + Sync, I: Index, E: Float>(
        self,
        which: Which<P, E>,
        x: &[E],
    ) -> (Vec<I>, Vec<E>) {
        let n = self.count_where(which, x);
        let mut indices = memory::vec_with_capacity(n);
        let mut values = memory::vec_with_capacity(n);
        let (i, v) = (indices.spare_capacity_mut(), values.spare_capacity_mut());
        if let Err(error) = self.fill(which, x, &mut i[..n], &mut v[..n]) {
            panic!("{error}");
        }
        // SAFETY: `fill` has written as many as it counted itself, and there was room for no more.
        unsafe {
            indices.set_len(n);
            values.set_len(n);
        }
        (indices, values)
    }

    fn fill<P: Copy + Sync, I: Index, E: Float>(
        self,
        which: Which<P, E>,
        x: &[E],
        indices: &mut [MaybeUninit<I>],
        values: &mut [MaybeUninit<E>],
    ) -> Result<usize, CompactError> {
        check_indices::<I>(x.len())?;
        let room = indices.len().min(values.len());
        let job = Job {
            which,
            compress: I::kernel(table::compress::<E>(self.isa())),
            copy: table::copy_bytes(self.isa()),
            stream: memory::streams(size_of_val(x)),
            x: Shared::new(x.as_ptr()),
            indices: Shared::new(indices.as_ptr().cast()),
            values: Shared::new(values.as_ptr().cast()),
            room,
        };
        // SAFETY: `x` has the elements, and both buffers have the room; exclusive borrows keep them
        // apart.
        let needed = unsafe { job.run(self.threads(), x.len()) };
        if needed > room {
            return Err(CompactError::Room {
                needed,
                indices: indices.len(),
                values: values.len(),
            });
        }
        Ok(needed)
    }
}

/// One call: all of `x`, into the first `room` elements of both buffers.
struct Job<P, I: Index, E> {
    which: Which<P, E>,
    compress: CompressFn<I, E>,
    copy: MapFn<Move, i8>,
    stream: bool,
    x: Shared<E>,
    indices: Shared<I>,
    values: Shared<E>,
    room: usize,
}

impl<P: Copy + Sync, I: Index, E: Float> Job<P, I, E> {
    /// Returns how many elements there are to write, whether there is room or not.
    ///
    /// # Safety
    /// `x` is valid for reads of `len` elements, and the buffers for writes of `room`; none overlap.
    unsafe fn run(&self, threads: Threads, len: usize) -> usize {
        match threads {
            // SAFETY: forwarded.
            Threads::One => unsafe { self.place(0..len, 0) },
            #[cfg(feature = "parallel")]
            Threads::Pool => crate::parallel::scan::<E>(
                len,
                // SAFETY: pieces lie within `len`.
                &|range| unsafe { self.which.count(self.x.at(range.start), range.len()) },
                // SAFETY: as above, and each goes behind all that those before it have.
                &|range, before| unsafe { self.place(range, before) },
            ),
        }
    }

    /// Writes what `range` has behind the first `before` elements of the buffers; returns how much it
    /// has.
    ///
    /// # Safety
    /// As [`run`](Job::run), and nobody else writes there.
    unsafe fn place(&self, range: Range<usize>, before: usize) -> usize {
        let mut bits = [0; PIECE / 8];
        let skip = before.min(self.room);
        let mut values = Lines::new(self.values.at(skip), self.room - skip);
        let mut indices = Lines::new(self.indices.at(skip), self.room - skip);
        let mut n = 0;
        for from in range.clone().step_by(PIECE) {
            let (x, len) = (self.x.at(from), PIECE.min(range.end - from));
            // SAFETY: a piece's mask and what it has fit in the scratch; `dispatch` vouches for the CPU.
            unsafe {
                n += self.which.mask(x, bits.as_mut_ptr(), len);
                let more = (self.compress)(Compress {
                    x,
                    bits: bits.as_ptr(),
                    len,
                    first: from,
                    values: values.end(),
                    indices: indices.end(),
                });
                let last = from + len == range.end;
                values.push(more, last, self.copy, self.stream);
                indices.push(more, last, self.copy, self.stream);
            }
        }
        if self.stream {
            fence();
        }
        n
    }
}

/// The way to the buffer of what was compressed: whole registers cannot be stored there, which would
/// pass its end, nor past the caches, where nothing is aligned. So they go to the first-level cache,
/// and from there whole lines to where they belong.
///
/// Compaction is bound by the packing, not by memory: on Zen 4 a 32-byte store at any place costs 2.4
/// cycles on average, and there are two for each eight elements of `f32` and `u32` (5.8 elements/ns
/// with both, 10.9 with the values alone). Tried in its place: indices of 16 bits, 6.2; an open register
/// that is carried on, so that all stores are aligned, 4.7.
struct Lines<T> {
    // A line has no more elements than bytes.
    held: [MaybeUninit<T>; PIECE + LINE + SLACK],
    len: usize,
    to: *mut T,
    room: usize,
}

impl<T: Copy> Lines<T> {
    fn new(to: *mut T, room: usize) -> Self {
        Self {
            held: [MaybeUninit::uninit(); _],
            len: 0,
            to,
            room,
        }
    }

    /// Where to put the next, up to a piece of them and the slack.
    fn end(&mut self) -> *mut T {
        self.held[self.len..].as_mut_ptr().cast()
    }

    /// Takes the `more` elements that were put at the [`end`](Lines::end), and passes on whole lines, or
    /// all if they are the last. What there is no room for is dropped.
    ///
    /// # Safety
    /// They are there, and `to` is valid for writes of `room` elements. The CPU runs `copy`.
    unsafe fn push(&mut self, more: usize, last: bool, copy: MapFn<Move, i8>, stream: bool) {
        self.len += more;
        let over = self.to.wrapping_add(self.len).addr() % LINE / size_of::<T>();
        let n = if last {
            self.len
        } else {
            self.len.saturating_sub(over)
        };
        let fits = n.min(self.room);
        // SAFETY: `fits` elements are held, and there is room for them; what is left is held.
        unsafe {
            let held = self.held.as_mut_ptr().cast::<T>();
            copy(
                Move,
                held.cast(),
                self.to.cast(),
                fits * size_of::<T>(),
                stream,
            );
            held.copy_from(held.add(n), self.len - n);
        }
        self.to = self.to.wrapping_add(fits);
        self.room -= fits;
        self.len -= n;
    }
}

/// The same memory, for writing only initialised elements to.
fn uninit<T>(buffer: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: the same layout; all that is written through it is initialised.
    unsafe { &mut *(core::ptr::from_mut(buffer) as *mut [MaybeUninit<T>]) }
}

/// Whether `I` can number `len` elements.
fn check_indices<I: Index>(len: usize) -> Result<(), CompactError> {
    if len as u64 > I::LAST.saturating_add(1) {
        return Err(CompactError::Index {
            len,
            index: I::NAME,
            last: I::LAST,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn indices_number_as_many_as_they_can() {
        assert_eq!(check_indices::<u32>(1 << 32), Ok(()));
        assert_eq!(check_indices::<u64>(usize::MAX), Ok(()));
        let error = check_indices::<u32>((1 << 32) + 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "4294967297 elements are too many for u32 indices, which end at 4294967295: use u64"
        );
    }
}
