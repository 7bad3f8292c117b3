//! Masks and counts.

#![allow(unsafe_code)]

use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use halfwave_kernels::loops::{ApplyMask, MakeMask, MakeMaskFn, MaskFns, NonZero, Positive};
use halfwave_kernels::table;
use halfwave_kernels::{Float, Relu};

use crate::backend::{Backend, Shared, bytes, check_lengths, streams};
use crate::pieces::{LINE, PIECE};

impl Backend {
    /// `y = relu(x)`, and the mask of its non-zero elements: bit `i` is set where `x[i] > 0` or is NaN,
    /// hence not for zeros of either sign. It is all that
    /// [`relu_mask_backward`](Backend::relu_mask_backward) needs: 1/32 of the bytes of an `f32` output.
    ///
    /// ```
    /// let (mut y, mut mask) = ([0.0f32; 9], [0; 2]);
    /// let x = [1.0, -1.0, f32::INFINITY, -0.0, 0.0, 2.0, -2.0, -3.0, 3.0];
    /// halfwave::sparsity::relu_with_mask(&x, &mut y, &mut mask);
    /// assert_eq!(y, [1.0, 0.0, f32::INFINITY, 0.0, 0.0, 2.0, 0.0, 0.0, 3.0]);
    /// assert_eq!(mask, [0b00100101, 0b1]);
    /// ```
    ///
    /// # Panics
    /// If `x` and `y` differ in length, or `mask` has not one byte for each eight elements, rounded up.
    #[track_caller]
    pub fn relu_with_mask<E: Float>(self, x: &[E], y: &mut [E], mask: &mut [u8]) {
        check_lengths([("x", x.len()), ("y", y.len())]);
        check_mask(mask, x.len());
        // SAFETY: lengths are checked, and the exclusive borrows keep `y` and `mask` apart.
        unsafe { self.rectify(x.as_ptr(), y.as_mut_ptr(), Some(mask), x.len()) };
    }

    /// [`relu_with_mask`](Backend::relu_with_mask) into memory that need not be initialised. Returns
    /// `y` initialised.
    ///
    /// # Panics
    /// As [`relu_with_mask`](Backend::relu_with_mask).
    #[track_caller]
    pub fn relu_with_mask_uninit<'a, E: Float>(
        self,
        x: &[E],
        y: &'a mut [MaybeUninit<E>],
        mask: &mut [u8],
    ) -> &'a mut [E] {
        check_lengths([("x", x.len()), ("y", y.len())]);
        check_mask(mask, x.len());
        // SAFETY: as above; every element of `y` is written and none is read.
        unsafe {
            self.rectify(x.as_ptr(), y.as_mut_ptr().cast(), Some(mask), x.len());
            &mut *(ptr::from_mut(y) as *mut [E])
        }
    }

    /// [`relu_with_mask`](Backend::relu_with_mask) with `x` becoming `y`.
    ///
    /// # Panics
    /// If `mask` has not one byte for each eight elements, rounded up.
    #[track_caller]
    pub fn relu_with_mask_in_place<E: Float>(self, x: &mut [E], mask: &mut [u8]) {
        check_mask(mask, x.len());
        let p = x.as_mut_ptr();
        // SAFETY: one exclusive borrow, as source and destination.
        unsafe { self.rectify(p, p, Some(mask), x.len()) };
    }

    /// `dx[i] = dy[i]` where bit `i` of the mask is set, else `+0`: relu's backward.
    ///
    /// These are the bits of [`backward`](Backend::backward) with the input that the mask was made
    /// from, but for a signalling NaN in `dy`, which stays signalling.
    ///
    /// ```
    /// let mut dx = [0.0f64; 3];
    /// halfwave::sparsity::relu_mask_backward(&[0b101], &[7.0, f64::INFINITY, -8.0], &mut dx);
    /// assert_eq!(dx, [7.0, 0.0, -8.0]);
    /// ```
    ///
    /// # Panics
    /// If `dy` and `dx` differ in length, or `mask` has not one byte for each eight elements, rounded up.
    #[track_caller]
    pub fn relu_mask_backward<E: Float>(self, mask: &[u8], dy: &[E], dx: &mut [E]) {
        check_lengths([("dy", dy.len()), ("dx", dx.len())]);
        check_mask(mask, dy.len());
        // SAFETY: lengths are checked, and the exclusive borrow keeps `dx` apart.
        unsafe { self.unmask(mask, dy.as_ptr(), dx.as_mut_ptr(), dy.len()) }
    }

    /// [`relu_mask_backward`](Backend::relu_mask_backward) with `dy` becoming `dx`.
    ///
    /// # Panics
    /// If `mask` has not one byte for each eight elements, rounded up.
    #[track_caller]
    pub fn relu_mask_backward_in_place<E: Float>(self, mask: &[u8], dy: &mut [E]) {
        check_mask(mask, dy.len());
        let p = dy.as_mut_ptr();
        // SAFETY: one exclusive borrow, as source and destination.
        unsafe { self.unmask(mask, p, p, dy.len()) }
    }

    /// `y = relu(x)`, and how many of its elements are non-zero.
    ///
    /// ```
    /// let mut y = [0.0f32; 4];
    /// let n = halfwave::sparsity::relu_with_count(&[-1.0, f32::NAN, 0.0, 2.0], &mut y);
    /// assert_eq!(n, 2);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn relu_with_count<E: Float>(self, x: &[E], y: &mut [E]) -> usize {
        check_lengths([("x", x.len()), ("y", y.len())]);
        // SAFETY: lengths are checked, and the exclusive borrow keeps `y` apart.
        unsafe { self.rectify(x.as_ptr(), y.as_mut_ptr(), None, x.len()) }
    }

    /// [`relu_with_count`](Backend::relu_with_count) into memory that need not be initialised.
    /// Returns it initialised.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn relu_with_count_uninit<'a, E: Float>(
        self,
        x: &[E],
        y: &'a mut [MaybeUninit<E>],
    ) -> (&'a mut [E], usize) {
        check_lengths([("x", x.len()), ("y", y.len())]);
        // SAFETY: as above; every element of `y` is written and none is read.
        unsafe {
            let n = self.rectify(x.as_ptr(), y.as_mut_ptr().cast(), None, x.len());
            (&mut *(ptr::from_mut(y) as *mut [E]), n)
        }
    }

    /// [`relu_with_count`](Backend::relu_with_count) with `x` becoming `y`.
    pub fn relu_with_count_in_place<E: Float>(self, x: &mut [E]) -> usize {
        let p = x.as_mut_ptr();
        // SAFETY: one exclusive borrow, as source and destination.
        unsafe { self.rectify(p, p, None, x.len()) }
    }

    /// How many elements are non-zero: not `+0`, not `-0.0`. NaN is counted.
    ///
    /// ```
    /// assert_eq!(halfwave::sparsity::count_nonzero(&[0.0f32, -0.0, -1.0, f32::NAN]), 2);
    /// ```
    pub fn count_nonzero<E: Float>(self, x: &[E]) -> usize {
        self.count_where(self.non_zero(), x)
    }

    pub(super) fn count_where<P: Copy + Sync, E: Float>(
        self,
        which: Which<P, E>,
        x: &[E],
    ) -> usize {
        let (p, sum) = (Shared::new(x.as_ptr()), AtomicUsize::new(0));
        let threads = self.threads();
        threads.split(size_of_val(x), x.len(), false, |range| {
            // SAFETY: pieces lie within `x`.
            let n = unsafe { which.count(p.at(range.start), range.len()) };
            sum.fetch_add(n, Ordering::Relaxed);
        });
        sum.into_inner()
    }

    /// What is not zero.
    pub(super) fn non_zero<E: Float>(self) -> Which<NonZero, E> {
        Which {
            predicate: NonZero,
            kernel: self.masks().non_zero,
        }
    }

    /// What is not zero once it is rectified.
    pub(super) fn positive<E: Float>(self) -> Which<Positive, E> {
        Which {
            predicate: Positive,
            kernel: self.masks().positive,
        }
    }

    /// The kernels of masks.
    pub(super) fn masks<E: Float>(self) -> &'static MaskFns<E> {
        table::masks(self.isa())
    }

    /// relu with its mask, or with a mask that is only counted; returns how many bits are set.
    ///
    /// # Safety
    /// `x` is valid for reads and `y` for writes of `len` elements; they are the same or do not
    /// overlap. `mask` has the bytes for as many.
    unsafe fn rectify<E: Float>(
        self,
        x: *const E,
        y: *mut E,
        mask: Option<&mut [u8]>,
        len: usize,
    ) -> usize {
        let (relu, positive) = (self.kernels::<Relu, E>().map, self.positive());
        let in_place = ptr::eq(x, y);
        let stream = streams(y, len, in_place);
        let bytes = bytes::<E>(if in_place { 1 } else { 2 }, len);
        let (x, y) = (Shared::new(x), Shared::new(y));
        let mask = mask.map(|mask| Shared::new(mask.as_ptr()));
        let sum = AtomicUsize::new(0);
        let threads = self.threads();
        threads.split(bytes, len, stream, |Range { start, end }| {
            let mut scratch = [0; PIECE / 8];
            let (mut n, mut done) = (0, start);
            // Both `start` and `from` are multiples of 64: no two pieces share a byte of mask.
            for from in (start..end).step_by(PIECE) {
                let to = end.min(from + PIECE);
                let bits = match &mask {
                    Some(mask) => mask.at(from / 8),
                    None => scratch.as_mut_ptr(),
                };
                // What is rectified ends with a line of `y`, so that no line is stored to twice; so it
                // lags a little behind the mask.
                let whole = match to == end {
                    true => end,
                    false => done.max(to - y.at(to).addr() % LINE / size_of::<E>()),
                };
                // SAFETY: pieces lie within `len`, and each is taken once; `dispatch` vouches for the
                // CPU.
                unsafe {
                    n += positive.mask(x.at(from), bits, to - from);
                    relu(Relu, x.at(done), y.at(done), whole - done, stream);
                }
                done = whole;
            }
            sum.fetch_add(n, Ordering::Relaxed);
        });
        sum.into_inner()
    }

    /// # Safety
    /// `dy` is valid for reads and `dx` for writes of `len` elements; they are the same or do not
    /// overlap. `mask` has the bits of as many.
    unsafe fn unmask<E: Float>(self, mask: &[u8], dy: *const E, dx: *mut E, len: usize) {
        let kernel = self.masks::<E>().apply;
        let in_place = ptr::eq(dy, dx);
        let stream = streams(dx, len, in_place);
        let bytes = bytes::<E>(if in_place { 1 } else { 2 }, len);
        let (dy, dx, mask) = (Shared::new(dy), Shared::new(dx), Shared::new(mask.as_ptr()));
        let threads = self.threads();
        threads.split(bytes, len, stream, |Range { start, end }| {
            // SAFETY: pieces lie within `len` and begin with a byte of mask, and each is taken once.
            unsafe {
                kernel(ApplyMask {
                    src: dy.at(start),
                    bits: mask.at(start / 8),
                    dst: dx.at(start),
                    len: end - start,
                    stream,
                });
            }
        });
    }
}

/// Of which elements to set the bit, and the kernel that does.
#[derive(Clone, Copy)]
pub(super) struct Which<P, E> {
    predicate: P,
    kernel: MakeMaskFn<P, E>,
}

impl<P: Copy, E: Float> Which<P, E> {
    /// Writes the mask; returns how many bits are set.
    ///
    /// # Safety
    /// As [`Mask`].
    #[inline]
    pub(super) unsafe fn mask(self, x: *const E, bits: *mut u8, len: usize) -> usize {
        // SAFETY: forwarded; `dispatch` vouches for the CPU.
        unsafe {
            (self.kernel)(MakeMask {
                predicate: self.predicate,
                x,
                bits,
                len,
            })
        }
    }

    /// Only counts.
    ///
    /// # Safety
    /// `x` is valid for reads of `len` elements.
    pub(super) unsafe fn count(self, x: *const E, len: usize) -> usize {
        let (mut scratch, mut n) = ([0; PIECE / 8], 0);
        for from in (0..len).step_by(PIECE) {
            // SAFETY: the mask of a piece fits in the scratch.
            n += unsafe { self.mask(x.add(from), scratch.as_mut_ptr(), PIECE.min(len - from)) };
        }
        n
    }
}

/// Panics, saying both lengths, unless `mask` has the bytes for `len` elements.
#[inline]
#[track_caller]
fn check_mask(mask: &[u8], len: usize) {
    let need = len.div_ceil(8);
    assert!(
        mask.len() == need,
        "the mask of {len} elements has {need} bytes, one for each eight; this one has {}",
        mask.len()
    );
}
