//! The calls into the kernels: lengths checked, memory policy chosen. The library's only ones.

#![allow(unsafe_code)]

use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;

use halfwave_kernels::{Element, Isa, Kernels, Operation};

use crate::memory;

/// The kernels of one instruction set that this CPU runs: a handle for who resolves once, or wants
/// to compare. [`backends`](crate::backends) and [`backend`](crate::backend) hand them out.
///
/// ```
/// use halfwave::Relu;
///
/// let x = [-1.0f32, 2.0];
/// for backend in halfwave::backends() {
///     let mut y = [0.0; 2];
///     backend.apply(Relu, &x, &mut y);
///     assert_eq!(y, [0.0, 2.0], "{}", backend.name());
/// }
/// ```
///
/// [`Activation`](crate::Activation) calls these methods on the backend of choice.
#[derive(Clone, Copy)]
pub struct Backend {
    kernels: &'static Kernels,
}

impl Backend {
    /// For `dispatch` alone: it vouches that this CPU runs `kernels.isa`, and every call of a kernel
    /// relies on that.
    pub(crate) const fn new(kernels: &'static Kernels) -> Self {
        Self { kernels }
    }

    /// The instruction set.
    pub fn isa(self) -> Isa {
        self.kernels.isa
    }

    /// The instruction set's name: `portable`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        self.isa().name()
    }

    /// `dst[i] = f(src[i])`.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn apply<O: Operation<E>, E: Element>(self, op: O, src: &[E], dst: &mut [E]) {
        check_lengths(src.len(), dst.len());
        // SAFETY: as many elements in both, which a shared and an exclusive borrow keep apart.
        unsafe { self.apply_raw(op, src.as_ptr(), dst.as_mut_ptr(), src.len()) }
    }

    /// `dst[i] = f(src[i])` into memory that need not be initialised. Returns it initialised.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn apply_uninit<'a, O: Operation<E>, E: Element>(
        self,
        op: O,
        src: &[E],
        dst: &'a mut [MaybeUninit<E>],
    ) -> &'a mut [E] {
        check_lengths(src.len(), dst.len());
        // SAFETY: as `apply`; the kernel writes every element and reads none of `dst`.
        unsafe {
            self.apply_raw(op, src.as_ptr(), dst.as_mut_ptr().cast(), src.len());
            &mut *(ptr::from_mut(dst) as *mut [E])
        }
    }

    /// `x[i] = f(x[i])`.
    pub fn apply_in_place<O: Operation<E>, E: Element>(self, op: O, x: &mut [E]) {
        let p = x.as_mut_ptr();
        // SAFETY: one exclusive borrow, as source and destination.
        unsafe { self.apply_raw(op, p, p, x.len()) }
    }

    /// `dst[i] = f(src[i])` for `i < len`, on memory that need not be aligned to its elements, as a
    /// mapped file or a foreign array may not be.
    ///
    /// # Safety
    /// `src` is valid for reads and `dst` for writes of `len` elements at any alignment. They are
    /// the same pointer or do not overlap. `dst` need not be initialised.
    #[inline]
    pub unsafe fn apply_raw<O: Operation<E>, E: Element>(
        self,
        op: O,
        src: *const E,
        dst: *mut E,
        len: usize,
    ) {
        let kernel = self.kernel(op, src, dst, len);
        // SAFETY: forwarded; `dispatch` vouches for the CPU, `kernel` for streaming's alignment.
        unsafe { kernel(op, src, dst, len) }
    }

    /// The function to call for a whole array, or for each piece of one that goes in parallel.
    #[inline]
    pub(crate) fn kernel<O: Operation<E>, E: Element>(
        self,
        _: O,
        src: *const E,
        dst: *mut E,
        len: usize,
    ) -> unsafe fn(O, *const E, *mut E, usize) {
        let kernel = O::kernel(self.kernels);
        // In place, the line to overwrite has just been read: nothing to save.
        let in_place = ptr::eq(src, dst);
        if !in_place && memory::streams(len.saturating_mul(size_of::<E>())) && dst.is_aligned() {
            kernel.stream
        } else {
            kernel.map
        }
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backend").field(&self.isa()).finish()
    }
}

#[inline]
#[track_caller]
pub(crate) fn check_lengths(src: usize, dst: usize) {
    #[cold]
    #[track_caller]
    fn differ(src: usize, dst: usize) -> ! {
        panic!("src has {src} elements, dst has {dst}; they must have as many");
    }
    if src != dst {
        differ(src, dst);
    }
}
