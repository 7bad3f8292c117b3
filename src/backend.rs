//! A backend, and what it does with one operation: lengths checked, memory policy chosen.

#![allow(unsafe_code)]

use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;

use halfwave_kernels::{
    Backward, BackwardFromOutput, Element, Float, FromOutput, Isa, Kernel, Kernels, MapFn,
    Operation, Row, Tabled, Zip, ZipFn, fence,
};

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
/// [`Activation`](crate::Activation) calls these methods on the backend of choice. They run on the
/// calling thread; those of [`par`](Backend::par), on rayon's current pool.
#[derive(Clone, Copy)]
pub struct Backend {
    kernels: &'static Kernels,
    threads: Threads,
}

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

/// A method of [`Backend`] and its slices, for [`Op::run`](crate::Op::run).
#[derive(Debug)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum Call<'a, E> {
    Apply(&'a [E], &'a mut [E]),
    ApplyInPlace(&'a mut [E]),
    Backward(&'a [E], &'a [E], &'a mut [E]),
    BackwardInPlace(&'a [E], &'a mut [E]),
    BackwardFromOutput(&'a [E], &'a [E], &'a mut [E]),
}

/// What there is to do, whatever the operation: so that little is compiled for each.
pub(crate) struct Job<E> {
    what: What,
    from: [*const E; 2],
    to: *mut E,
    len: usize,
}

#[derive(Clone, Copy)]
enum What {
    Map,
    Backward,
    FromOutput,
}

impl<E: Element> Call<'_, E> {
    #[track_caller]
    pub(crate) fn job(self) -> Job<E> {
        let two = |what, a: &[E], b: &[E], to: *mut E| Job {
            what,
            from: [a.as_ptr(), b.as_ptr()],
            to,
            len: a.len(),
        };
        match self {
            Call::Apply(src, dst) => {
                check_lengths([("src", src.len()), ("dst", dst.len())]);
                two(What::Map, src, src, dst.as_mut_ptr())
            }
            Call::ApplyInPlace(x) => {
                let (to, len) = (x.as_mut_ptr(), x.len());
                let what = What::Map;
                Job {
                    what,
                    from: [to; 2],
                    to,
                    len,
                }
            }
            Call::Backward(x, dy, dx) => {
                check_lengths([("x", x.len()), ("dy", dy.len()), ("dx", dx.len())]);
                two(What::Backward, x, dy, dx.as_mut_ptr())
            }
            Call::BackwardInPlace(x, dy) => {
                check_lengths([("x", x.len()), ("dy", dy.len())]);
                let (to, len) = (dy.as_mut_ptr(), x.len());
                let (what, from) = (What::Backward, [x.as_ptr(), to]);
                Job {
                    what,
                    from,
                    to,
                    len,
                }
            }
            Call::BackwardFromOutput(y, dy, dx) => {
                check_lengths([("y", y.len()), ("dy", dy.len()), ("dx", dx.len())]);
                two(What::FromOutput, y, dy, dx.as_mut_ptr())
            }
        }
    }
}

impl Backend {
    /// Does `job` with an operation that may not take `E`: `None` if it does not.
    ///
    /// # Safety
    /// The slices that `job` was made of are still borrowed.
    pub(crate) unsafe fn call<O: Tabled, E: Element>(self, op: O, job: &Job<E>) -> Option<()> {
        let row = O::row(self.kernels);
        let (threads, kernel) = (self.threads, E::kernel_of(row.floats()));
        let &Job {
            what,
            from,
            to,
            len,
        } = job;
        // SAFETY: as many elements in all slices, borrowed as the methods' are.
        unsafe {
            match (what, O::FROM_OUTPUT) {
                (What::Map, _) => map(row.map::<E>()?, op, from[0], to, len, threads),
                (What::FromOutput, _) if !E::output_suffices(op) => return None,
                (What::FromOutput, FromOutput::Never) => return None,
                (What::FromOutput, FromOutput::ByItself) => {
                    let op = BackwardFromOutput(op);
                    zip(kernel?.from_output?, op, from, to, len, threads);
                }
                (What::Backward, _) | (What::FromOutput, FromOutput::AsFromInput) => {
                    zip(kernel?.backward, Backward(op), from, to, len, threads);
                }
            }
        }
        Some(())
    }

    /// For `dispatch` alone: it vouches that this CPU runs `kernels.isa`, and every call of a kernel
    /// relies on that.
    pub(crate) const fn new(kernels: &'static Kernels) -> Self {
        Self {
            kernels,
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
    pub fn isa(self) -> Isa {
        self.kernels.isa
    }

    /// The instruction set's name: `portable`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        self.isa().name()
    }

    /// The kernels; this CPU runs them.
    #[inline]
    pub(crate) fn kernels(self) -> &'static Kernels {
        self.kernels
    }

    /// Who does the work.
    #[inline]
    pub(crate) fn threads(self) -> Threads {
        self.threads
    }

    /// An operation's kernels for a float dtype.
    #[inline]
    pub(crate) fn kernel<O: Tabled, E: Float>(self) -> Kernel<O, E> {
        E::float_kernel_of(O::row(self.kernels).floats())
    }

    #[inline]
    fn map_fn<O: Operation<E>, E: Element>(self) -> MapFn<O, E> {
        let map = O::row(self.kernels).map();
        map.expect("a row that `Takes<E>` has a map for it")
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
        let kernel = self.kernel::<O, E>().backward;
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
        let kernel = self.output_kernel(op);
        check_lengths([("y", y.len()), ("dy", dy.len()), ("dx", dx.len())]);
        let arrays = [y.as_ptr(), dy.as_ptr()];
        // SAFETY: as `backward`.
        unsafe { kernel.zip(op, arrays, dx.as_mut_ptr(), y.len(), self.threads) }
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
        let kernel = self.output_kernel(op);
        check_lengths([("y", y.len()), ("dy", dy.len()), ("dx", dx.len())]);
        let (arrays, to) = ([y.as_ptr(), dy.as_ptr()], dx.as_mut_ptr().cast());
        // SAFETY: as `backward_uninit`.
        unsafe {
            kernel.zip(op, arrays, to, y.len(), self.threads);
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
        let kernel = self.output_kernel(op);
        check_lengths([("y", y.len()), ("dy", dy.len())]);
        let p = dy.as_mut_ptr();
        // SAFETY: as `backward_in_place`.
        unsafe { kernel.zip(op, [y.as_ptr(), p], p, y.len(), self.threads) }
    }

    #[track_caller]
    fn output_kernel<O: Operation<E>, E: Float>(self, op: O) -> FromOutputFn<O, E> {
        FromOutputFn::of(op, self.kernel()).unwrap_or_else(|| {
            let dtype = E::DTYPE;
            panic!(
                "on {dtype} the output does not tell this operation's derivative: use `backward`"
            )
        })
    }
}

/// The kernel of [`Backend::backward_from_output`].
enum FromOutputFn<O, E> {
    AsFromInput(ZipFn<Backward<O>, E>),
    ByItself(ZipFn<BackwardFromOutput<O>, E>),
}

impl<O: Tabled, E: Element> FromOutputFn<O, E> {
    fn of(op: O, kernel: Kernel<O, E>) -> Option<Self> {
        match O::FROM_OUTPUT {
            _ if !E::output_suffices(op) => None,
            FromOutput::Never => None,
            FromOutput::AsFromInput => Some(Self::AsFromInput(kernel.backward)),
            FromOutput::ByItself => kernel.from_output.map(Self::ByItself),
        }
    }

    /// # Safety
    /// As [`zip`].
    unsafe fn zip(self, op: O, yd: [*const E; 2], dx: *mut E, len: usize, threads: Threads) {
        // SAFETY: forwarded.
        unsafe {
            match self {
                Self::AsFromInput(kernel) => zip(kernel, Backward(op), yd, dx, len, threads),
                Self::ByItself(kernel) => zip(kernel, BackwardFromOutput(op), yd, dx, len, threads),
            }
        }
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
