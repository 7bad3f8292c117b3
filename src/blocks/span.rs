//! Memory as a kernel sees it: one element after another.

#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// The bytes of a block.
///
/// Measured with the residual of relu on f32 (Zen 4, two cores shared by ten busy programs, in thread
/// time, best of 300 in L2 and of 40 beyond the cache), against a loop that reads and writes as much:
/// 0.80 and 0.66 of it with 1 KiB, 0.75 and 0.68 with 2 KiB, 0.93 and 0.75 with 4 KiB, 0.91 and 0.75
/// with 8 KiB, 0.57 and 0.70 with 16 KiB. Beyond the cache other runs of 4 KiB saw 0.66 and 0.74: what
/// tells the sizes apart is L2. Fetching the next block's inputs by software while this one is stored
/// made it worse with 4 KiB, 0.49 beyond the cache, but with no other size.
pub(crate) const BLOCK: usize = 4096;

/// A cache line, in bytes: what a store past the caches should cover as a whole.
pub(crate) const LINE: usize = 64;

/// Elements that a kernel reads.
pub(crate) struct Src<'b, E> {
    data: *const E,
    len: usize,
    borrow: PhantomData<&'b E>,
}

/// Elements that a kernel writes; they need not be initialised before.
pub(crate) struct Dst<'b, E> {
    data: *mut E,
    len: usize,
    stream: bool,
    borrow: PhantomData<&'b mut E>,
}

impl<E> Clone for Src<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Src<'_, E> {}

// A kernel's destination may be one of its own sources, so that a `Dst` is no exclusive borrow.
impl<E> Clone for Dst<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Dst<'_, E> {}

impl<'b, E> Src<'b, E> {
    /// All of a slice.
    #[inline]
    pub(crate) fn of(data: &'b [E]) -> Self {
        Self::new(data.as_ptr(), data.len())
    }

    /// Only for this engine, which vouches for the elements.
    #[inline]
    pub(super) fn new(data: *const E, len: usize) -> Self {
        let borrow = PhantomData;
        Self { data, len, borrow }
    }

    #[inline]
    pub(crate) fn as_ptr(self) -> *const E {
        self.data
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// The `len` elements from `start` on.
    #[inline]
    pub(crate) fn part(self, start: usize, len: usize) -> Self {
        assert!(start <= self.len && len <= self.len - start);
        Self::new(self.data.wrapping_add(start), len)
    }
}

impl<'b, E> Dst<'b, E> {
    /// All of a slice.
    #[inline]
    pub(crate) fn of(data: &'b mut [MaybeUninit<E>]) -> Self {
        Self::new(data.as_mut_ptr().cast(), data.len(), false)
    }

    /// Only for this engine, which vouches for the elements.
    #[inline]
    pub(super) fn new(data: *mut E, len: usize, stream: bool) -> Self {
        Self {
            data,
            len,
            stream,
            borrow: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn as_ptr(self) -> *mut E {
        self.data
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// Whether to store past the caches.
    #[inline]
    pub(crate) fn streams(self) -> bool {
        self.stream
    }

    /// To be stored through the caches.
    #[inline]
    pub(crate) fn cached(self) -> Self {
        Self {
            stream: false,
            ..self
        }
    }

    /// The `len` elements from `start` on.
    #[inline]
    pub(crate) fn part(self, start: usize, len: usize) -> Self {
        assert!(start <= self.len && len <= self.len - start);
        Self::new(self.data.wrapping_add(start), len, self.stream)
    }

    /// What has been written, to be read by the next kernel.
    #[inline]
    pub(crate) fn written(self) -> Src<'b, E> {
        Src::new(self.data, self.len)
    }
}

impl<E: Copy> Dst<'_, E> {
    /// Writes a copy of as many elements.
    #[inline]
    pub(crate) fn copy_from(self, src: Src<'_, E>) {
        assert!(src.len == self.len);
        // SAFETY: both are valid for this many, and scratch does not overlap what is copied there.
        unsafe { self.data.copy_from_nonoverlapping(src.data, src.len) }
    }

    /// Writes the same element everywhere.
    #[inline]
    pub(crate) fn fill(self, value: E) {
        for i in 0..self.len {
            // SAFETY: `i` is below the length.
            unsafe { self.data.add(i).write(value) }
        }
    }
}

/// Scratch memory for `N` blocks, on the stack, not initialised.
#[repr(C, align(64))]
pub(crate) struct Scratch<const N: usize>([MaybeUninit<[u8; BLOCK]>; N]);

/// A part of [`Scratch`], for elements of one dtype.
pub(crate) struct Room<'s, E> {
    data: *mut E,
    bytes: usize,
    borrow: PhantomData<&'s mut E>,
}

impl<E> Clone for Room<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Room<'_, E> {}

impl<const N: usize> Scratch<N> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; N])
    }

    /// All of it.
    #[inline]
    pub(crate) fn whole<E: Copy>(&mut self) -> Room<'_, E> {
        Room::new(self.0.as_mut_ptr().cast(), N * BLOCK)
    }

    /// A room for each block.
    #[inline]
    pub(crate) fn rooms<E: Copy>(&mut self) -> [Room<'_, E>; N] {
        self.0
            .each_mut()
            .map(|room| Room::new(room.as_mut_ptr().cast(), BLOCK))
    }
}

impl<'s, E: Copy> Room<'s, E> {
    #[inline]
    fn new(data: *mut E, bytes: usize) -> Self {
        let borrow = PhantomData;
        Self {
            data,
            bytes,
            borrow,
        }
    }

    /// This memory for elements of another dtype.
    #[inline]
    pub(crate) fn cast<F: Copy>(self) -> Room<'s, F> {
        Room::new(self.data.cast(), self.bytes)
    }

    /// How many elements it has room for.
    #[inline]
    pub(crate) fn capacity(self) -> usize {
        self.bytes / size_of::<E>()
    }

    /// Its first elements.
    #[inline]
    pub(crate) fn dst(self, len: usize) -> Dst<'s, E> {
        assert!(len <= self.capacity());
        Dst::new(self.data, len, false)
    }
}
