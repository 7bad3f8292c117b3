//! What is not zero, with its indices.

#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::fmt;
use core::mem::MaybeUninit;
use core::ops::Range;

use halfwave_kernels::loops::{Index, SLACK};
use halfwave_kernels::{Float, fence};

use super::mask;
use crate::backend::Backend;
use crate::blocks::{Dst, LINE, Threads, words};
use crate::float_env::DefaultEnv;
use crate::kernels::{Compressor, Masks};
use crate::memory;
use crate::rows::{Rows, RowsMut, Slot};

/// How many elements are compacted at a time.
const ELEMENTS: usize = 1024;

/// Why what is not zero could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum CompactError {
    /// The buffers are too small. They hold the first of the elements, as many as fit into both.
    Room {
        needed: usize,
        indices: usize,
        values: usize,
    },
    /// The array has more elements than its indices can number.
    Index {
        len: usize,
        index: &'static str,
        last: u64,
    },
}

impl fmt::Display for CompactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room {
                needed,
                indices,
                values,
            } => write!(
                f,
                "{needed} elements are not zero, but there is room for {indices} indices and {values} values: \
                 give both room for {needed}"
            ),
            Self::Index { len, index, last } => write!(
                f,
                "{len} elements are too many for {index} indices, which end at {last}: use u64"
            ),
        }
    }
}

impl core::error::Error for CompactError {}

/// What `which` has a bit for, to new vectors of exact size.
#[track_caller]
pub(super) fn collect<P: Copy + Sync, I: Index, E: Float>(
    backend: Backend,
    which: Masks<P, E>,
    x: &[E],
) -> (Vec<I>, Vec<E>) {
    let n = mask::count(backend, which, x);
    let mut indices = memory::vec_with_capacity(n);
    let mut values = memory::vec_with_capacity(n);
    let (i, v) = (indices.spare_capacity_mut(), values.spare_capacity_mut());
    if let Err(error) = fill::<P, I, E, _, _>(backend, which, x, &mut i[..n], &mut v[..n]) {
        panic!("{error}");
    }
    // SAFETY: `fill` has written as many as it counted itself, and there was room for no more.
    unsafe {
        indices.set_len(n);
        values.set_len(n);
    }
    (indices, values)
}

/// What `which` has a bit for, to the front of the buffers; returns how much.
pub(super) fn fill<P, I, E, S, T>(
    backend: Backend,
    which: Masks<P, E>,
    x: &[E],
    indices: &mut [S],
    values: &mut [T],
) -> Result<usize, CompactError>
where
    P: Copy + Sync,
    I: Index,
    E: Float,
    S: Slot<I>,
    T: Slot<E>,
{
    check_indices::<I>(x.len())?;
    let (i, v) = (indices.len(), values.len());
    let call = Compaction {
        which,
        compressor: backend.kernels().compress::<I, E>(),
        stream: memory::streams(size_of_val(x)),
        x: Rows::flat(x),
        indices: RowsMut::flat(indices).slots(),
        values: RowsMut::flat(values).slots(),
        room: i.min(v),
    };
    let needed = call.run(backend.threads());
    if needed > call.room {
        return Err(CompactError::Room {
            needed,
            indices: i,
            values: v,
        });
    }
    Ok(needed)
}

/// One call: all of `x`, into the first `room` elements of both buffers.
struct Compaction<'a, P, I: Index, E> {
    which: Masks<P, E>,
    compressor: Compressor<I, E>,
    stream: bool,
    x: Rows<'a, E>,
    indices: RowsMut<'a, I>,
    values: RowsMut<'a, E>,
    room: usize,
}

impl<P: Copy + Sync, I: Index, E: Float> Compaction<'_, P, I, E> {
    /// Returns how many elements there are to write, whether there is room or not.
    fn run(&self, threads: Threads) -> usize {
        let len = self.x.cols();
        match threads {
            Threads::One => {
                let _env = DefaultEnv::enter();
                self.place(0..len, 0)
            }
            #[cfg(feature = "parallel")]
            Threads::Pool => crate::parallel::scan::<E>(
                len,
                &|range| mask::count_of(self.which, self.x.range(range)),
                // Each goes behind all that those before it have.
                &|range, before| self.place(range, before),
            ),
        }
    }

    /// Writes what `range` has behind the first `before` elements of the buffers; returns how much it
    /// has.
    fn place(&self, range: Range<usize>, before: usize) -> usize {
        let mut scratch = [MaybeUninit::uninit(); ELEMENTS / 8];
        let free = before.min(self.room)..self.room;
        let mut values = Lines::new(self.values.range(free.clone(), self.stream));
        let mut indices = Lines::new(self.indices.range(free, self.stream));
        let (end, mut n) = (range.end, 0);
        for part in words(range, ELEMENTS) {
            let (first, last) = (part.start, part.end == end);
            let bits = Dst::of(&mut scratch[..part.len().div_ceil(8)]);
            let x = self.x.range(part);
            n += self.which.write(x, bits);
            let compressor = &self.compressor;
            let (v, i) = (values.end(), indices.end());
            let more = compressor.compress((x, first), bits.written(), v, i);
            values.push(more, last, compressor);
            indices.push(more, last, compressor);
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
struct Lines<'b, T> {
    // A line has no more elements than bytes.
    held: [MaybeUninit<T>; ELEMENTS + LINE + SLACK],
    len: usize,
    to: Dst<'b, T>,
}

impl<'b, T: Copy> Lines<'b, T> {
    fn new(to: Dst<'b, T>) -> Self {
        Self {
            held: [MaybeUninit::uninit(); _],
            len: 0,
            to,
        }
    }

    /// Where to put the next, up to a part's elements and the slack.
    fn end(&mut self) -> Dst<'_, T> {
        Dst::of(&mut self.held[self.len..])
    }

    /// Takes the `more` elements that were put at the [`end`](Lines::end), and passes on whole lines, or
    /// all if they are the last. What there is no room for is dropped.
    fn push<I: Index, E: Float>(&mut self, more: usize, last: bool, compressor: &Compressor<I, E>) {
        self.len += more;
        let over = self.to.as_ptr().wrapping_add(self.len).addr() % LINE / size_of::<T>();
        let n = if last {
            self.len
        } else {
            self.len.saturating_sub(over)
        };
        let fits = n.min(self.to.len());
        let held = Dst::of(&mut self.held[..fits]).written();
        compressor.copy(held, self.to.part(0, fits));
        self.to = self.to.part(fits, self.to.len() - fits);
        self.held.copy_within(n..self.len, 0);
        self.len -= n;
    }
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
