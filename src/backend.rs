//! A backend, and its methods of one operation: lengths checked.

#![allow(unsafe_code)]

use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;

use halfwave_kernels::{
    Backward, BuiltinOp, Element, Float, Isa, MapFn, OpKernels, Operation, ZipFn,
};

mod call;
mod work;

pub use call::Call;
pub(crate) use call::output_suffices;
pub(crate) use work::{Shared, Threads, bytes, map, streams, zip};

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
/// [`Activation`](crate::Activation) calls these methods on the backend of choice. They run on the
/// calling thread; those of [`par`](Backend::par), on rayon's current pool.
#[derive(Clone, Copy)]
pub struct Backend {
    isa: Isa,
    threads: Threads,
}

impl Backend {
    /// For `dispatch` alone: it vouches that this CPU runs `isa`, and every call of a kernel
    /// relies on that.
    pub(crate) const fn new(isa: Isa) -> Self {
        Self {
            isa,
            threads: Threads::One,
        }
    }

    /// The same backend, on rayon's current pool: every method splits its work over the threads of
    /// the pool that it is called in, where that helps ([`parallel`](crate::parallel) says where).
    /// The bits are the same.
    #[cfg(feature = "parallel")]
    #[must_use]
    #[inline]
    pub fn par(self) -> Self {
        Self {
            threads: Threads::Pool,
            ..self
        }
    }

    /// The instruction set.
    #[inline]
    pub fn isa(self) -> Isa {
        self.isa
    }

    /// The instruction set's name: `portable`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        self.isa().name()
    }

    /// Who does the work.
    #[inline]
    pub(crate) fn threads(self) -> Threads {
        self.threads
    }

    /// An operation's kernels for a float dtype; this CPU runs them.
    #[inline]
    pub(crate) fn kernels<O: BuiltinOp, E: Float>(self) -> &'static OpKernels<O, E> {
        O::kernels(self.isa).expect("every operation takes every float dtype")
    }

    /// Its derivative's.
    #[inline]
    pub(crate) fn backward_kernel<O: BuiltinOp, E: Float>(self) -> ZipFn<Backward<O>, E> {
        let backward = self.kernels::<O, E>().backward;
        backward.expect("every operation has a derivative on floats")
    }

    #[inline]
    fn map_fn<O: Operation<E>, E: Element>(self) -> MapFn<O, E> {
        O::kernels_for(self.isa).map
    }

    /// `dst[i] = f(src[i])`.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    #[inline]
    pub fn apply<O: Operation<E>, E: Element>(self, op: O, src: &[E], dst: &mut [E]) {
        check_lengths([("src", src.len()), ("dst", dst.len())]);
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
        check_lengths([("src", src.len()), ("dst", dst.len())]);
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
        // SAFETY: forwarded; `dispatch` vouches for the CPU.
        unsafe { map(self.map_fn(), op, src, dst, len, self.threads) }
    }

    /// `dx[i] = dy[i] · f′(x[i])`, and 0 where `f′(x[i])` is, whatever `dy[i]` is.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn backward<O: Operation<E>, E: Float>(self, op: O, x: &[E], dy: &[E], dx: &mut [E]) {
        check_lengths([("x", x.len()), ("dy", dy.len()), ("dx", dx.len())]);
        // SAFETY: as many elements in all; the exclusive borrow keeps `dx` apart.
        unsafe { self.backward_raw(op, x.as_ptr(), dy.as_ptr(), dx.as_mut_ptr(), x.len()) }
    }

    /// [`backward`](Backend::backward) into memory that need not be initialised. Returns it
    /// initialised.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn backward_uninit<'a, O: Operation<E>, E: Float>(
        self,
        op: O,
        x: &[E],
        dy: &[E],
        dx: &'a mut [MaybeUninit<E>],
    ) -> &'a mut [E] {
        check_lengths([("x", x.len()), ("dy", dy.len()), ("dx", dx.len())]);
        // SAFETY: as `backward`; the kernel writes every element and reads none of `dx`.
        unsafe {
            self.backward_raw(op, x.as_ptr(), dy.as_ptr(), dx.as_mut_ptr().cast(), x.len());
            &mut *(ptr::from_mut(dx) as *mut [E])
        }
    }

    /// `dy[i] = dy[i] · f′(x[i])`: `dy` becomes `dx`.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn backward_in_place<O: Operation<E>, E: Float>(self, op: O, x: &[E], dy: &mut [E]) {
        check_lengths([("x", x.len()), ("dy", dy.len())]);
        let p = dy.as_mut_ptr();
        // SAFETY: as many elements in both; the destination is one of its own sources.
        unsafe { self.backward_raw(op, x.as_ptr(), p, p, x.len()) }
    }

    /// [`backward`](Backend::backward) for `i < len` on raw memory.
    ///
    /// # Safety
    /// `x` and `dy` are valid for reads and `dx` for writes of `len` elements at any alignment. `dx`
    /// is `x`, or `dy`, or overlaps neither. It need not be initialised.
    #[inline]
    pub unsafe fn backward_raw<O: Operation<E>, E: Float>(
        self,
        op: O,
        x: *const E,
        dy: *const E,
        dx: *mut E,
        len: usize,
    ) {
        let kernel = self.backward_kernel::<O, E>();
        // SAFETY: forwarded; `dispatch` vouches for the CPU.
        unsafe { zip(kernel, Backward(op), [x, dy], dx, len, self.threads) }
    }

    /// [`backward`](Backend::backward) of the output `y = f(x)` in place of `x`.
    ///
    /// # Panics
    /// If the lengths differ, or the output does not tell the derivative, which
    /// [`has_backward_from_output`](crate::Activation::has_backward_from_output) knows beforehand.
    #[track_caller]
    pub fn backward_from_output<O: Operation<E>, E: Float>(
        self,
        op: O,
        y: &[E],
        dy: &[E],
        dx: &mut [E],
    ) {
        check_lengths([("y", y.len()), ("dy", dy.len()), ("dx", dx.len())]);
        let arrays = [y.as_ptr(), dy.as_ptr()];
        // SAFETY: as `backward`.
        unsafe { self.backward_from_output_raw(op, arrays, dx.as_mut_ptr(), y.len()) }
    }

    /// [`backward_from_output`](Backend::backward_from_output) into memory that need not be
    /// initialised. Returns it initialised.
    ///
    /// # Panics
    /// As [`backward_from_output`](Backend::backward_from_output).
    #[track_caller]
    pub fn backward_from_output_uninit<'a, O: Operation<E>, E: Float>(
        self,
        op: O,
        y: &[E],
        dy: &[E],
        dx: &'a mut [MaybeUninit<E>],
    ) -> &'a mut [E] {
        check_lengths([("y", y.len()), ("dy", dy.len()), ("dx", dx.len())]);
        let (arrays, to) = ([y.as_ptr(), dy.as_ptr()], dx.as_mut_ptr().cast());
        // SAFETY: as `backward_uninit`.
        unsafe {
            self.backward_from_output_raw(op, arrays, to, y.len());
            &mut *(ptr::from_mut(dx) as *mut [E])
        }
    }

    /// [`backward_in_place`](Backend::backward_in_place) of the output.
    ///
    /// # Panics
    /// As [`backward_from_output`](Backend::backward_from_output).
    #[track_caller]
    pub fn backward_from_output_in_place<O: Operation<E>, E: Float>(
        self,
        op: O,
        y: &[E],
        dy: &mut [E],
    ) {
        check_lengths([("y", y.len()), ("dy", dy.len())]);
        let p = dy.as_mut_ptr();
        // SAFETY: as `backward_in_place`.
        unsafe { self.backward_from_output_raw(op, [y.as_ptr(), p], p, y.len()) }
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("Backend");
        tuple.field(&self.isa());
        #[cfg(feature = "parallel")]
        if self.threads == Threads::Pool {
            tuple.field(&"par");
        }
        tuple.finish()
    }
}

/// Panics, saying all lengths, unless they are the same.
#[inline]
#[track_caller]
pub(crate) fn check_lengths<const N: usize>(lengths: [(&'static str, usize); N]) {
    #[cold]
    #[track_caller]
    fn differ(lengths: &[(&str, usize)]) -> ! {
        let all: Vec<_> = lengths
            .iter()
            .map(|(name, len)| format!("{name} has {len}"))
            .collect();
        panic!(
            "lengths differ, which must be the same: {} elements",
            all.join(", ")
        );
    }
    if lengths.iter().any(|(_, len)| *len != lengths[0].1) {
        differ(&lengths);
    }
}
