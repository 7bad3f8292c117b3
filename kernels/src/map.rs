//! The loops over one array and over two. Their shape is the same:
//!
//! ```text
//! dst:   |  head  |                                    |  tail  |
//!            |  body  |  body  |  body  | ... |  body  |
//!            ^ aligned to a register
//! ```
//! The body stores to aligned addresses (a store that straddles cache lines costs double, a load
//! hardly anything); head and tail are whole, unaligned registers that overlap it. Both are
//! *loaded* before the first store and *stored* after the last, so they see the original input
//! even when a source is the destination, and write the same bits the body wrote. Hence no scalar
//! remainder, and an element's result depends on nothing but the element.
//!
//! With `stream` the body bypasses the caches, which saves reading each line of `dst` before
//! overwriting it, and head and tail are stored only where the body does not reach: a plain store
//! into a line that is also streamed to costs more than streaming saves (an array in pieces of 4 KiB
//! ran at 0.45 of the speed). The head is then stored first, so a source must not be the
//! destination. Whoever asks for it must call [`fence`] before it publishes `dst`.

use crate::element::Element;
use crate::lanes::{Lanes, Simd, Task, V};
use crate::ops::{Elementwise, Pairwise};

/// Makes what was streamed visible before any later store of this thread.
pub fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE, which every x86-64 CPU has.
    unsafe {
        core::arch::x86_64::_mm_sfence();
    }
}

/// `dst[i] = op(src[i])` for `i < len`.
///
/// # Safety
/// `src` is valid for reads and `dst` for writes of `len` elements at any alignment, and they are
/// the same pointer or do not overlap. With `stream`, they do not overlap, and `dst` is aligned to
/// its element.
#[inline(always)]
pub(crate) unsafe fn map<S, E, O>(s: S, op: O, src: *const E, dst: *mut E, len: usize, stream: bool)
where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Elementwise<E>,
{
    let op = op.ready();
    // SAFETY: forwarded.
    unsafe {
        if O::UNROLL {
            unrolled(s, op, src.cast(), dst.cast(), len, stream);
        } else {
            compact::<S, E::Lane, _>(s, One { op, src }, dst.cast(), len, stream);
        }
    }
}

/// The loop over two arrays: `dst[i] = op(a[i], b[i])` for `i < len`.
///
/// `a` and `b` are valid for reads and `dst` for writes of `len` elements at any alignment. `dst` is
/// the same pointer as `a`, as `b`, or as both, or overlaps neither. With `stream`, it overlaps
/// neither, and is aligned to its element.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Zip<O, E> {
    pub op: O,
    pub a: *const E,
    pub b: *const E,
    pub dst: *mut E,
    pub len: usize,
    pub stream: bool,
}

impl<S, E, O> Task<S> for Zip<O, E>
where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Pairwise<E>,
{
    type Out = ();

    #[inline(always)]
    unsafe fn run(self, s: S) {
        let (dst, len, stream) = (self.dst.cast(), self.len, self.stream);
        let op = self.op.ready();
        // SAFETY: forwarded.
        unsafe { compact::<S, E::Lane, _>(s, Self { op, ..self }, dst, len, stream) }
    }
}

/// Four registers at a time, for operations that are a few instructions.
///
/// # Safety
/// As [`map`].
#[inline(always)]
unsafe fn unrolled<S, E, O>(
    s: S,
    op: O,
    src: *const E::Lane,
    dst: *mut E::Lane,
    len: usize,
    stream: bool,
) where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Elementwise<E>,
{
    let n = <S as Lanes<E::Lane>>::N;
    // SAFETY: a register at index `i` covers `i..i + n`, and every `i` below is at most
    // `len - n`; `load_part` and `store_part` get `len < n`. Streaming stores go only to
    // `i = first + k * n`, aligned to a register by the choice of `first`.
    unsafe {
        if len < n {
            return s.store_part(dst, len, op.on(s, s.load_part(src, len)));
        }
        let head = op.on(s, s.load(src));
        if len == n {
            return s.store(dst, head);
        }
        let last = len - n;
        let tail = op.on(s, s.load(src.add(last)));
        let behind = dst.addr() / size_of::<E::Lane>() % n;
        if stream {
            let mut i = (n - behind) % n;
            if i > 0 {
                s.store(dst, head);
            }
            while i + 3 * n <= last {
                let a = s.load(src.add(i));
                let b = s.load(src.add(i + n));
                let c = s.load(src.add(i + 2 * n));
                let d = s.load(src.add(i + 3 * n));
                s.stream(dst.add(i).cast(), op.on(s, a));
                s.stream(dst.add(i + n).cast(), op.on(s, b));
                s.stream(dst.add(i + 2 * n).cast(), op.on(s, c));
                s.stream(dst.add(i + 3 * n).cast(), op.on(s, d));
                i += 4 * n;
            }
            while i <= last {
                s.stream(dst.add(i).cast(), op.on(s, s.load(src.add(i))));
                i += n;
            }
            if i < len {
                s.store(dst.add(last), tail);
            }
        } else {
            let mut i = n - behind;
            while i + 3 * n < last {
                let a = s.load(src.add(i));
                let b = s.load(src.add(i + n));
                let c = s.load(src.add(i + 2 * n));
                let d = s.load(src.add(i + 3 * n));
                s.store(dst.add(i), op.on(s, a));
                s.store(dst.add(i + n), op.on(s, b));
                s.store(dst.add(i + 2 * n), op.on(s, c));
                s.store(dst.add(i + 3 * n), op.on(s, d));
                i += 4 * n;
            }
            while i < last {
                s.store(dst.add(i), op.on(s, s.load(src.add(i))));
                i += n;
            }
            s.store(dst, head);
            s.store(dst.add(last), tail);
        }
    }
}

/// What a loop loads, and makes of it.
trait Step<S: Lanes<T>, T: Copy>: Copy {
    /// A register of each array.
    type X: Copy;

    /// # Safety
    /// The arrays have `S::N` elements from `i` on.
    unsafe fn load(self, s: S, i: usize) -> Self::X;

    /// # Safety
    /// The arrays have `n < S::N` elements.
    unsafe fn load_part(self, s: S, n: usize) -> Self::X;

    fn on(self, s: S, x: Self::X) -> S::V;
}

/// One register at a time, and the step in the code but once: for operations that are many
/// instructions, where all that [`unrolled`] has of them made the library three times as large and as
/// slow to compile. The tail is loaded first and stored last; each other register is loaded before the
/// one that may overlap it is stored.
///
/// # Safety
/// As [`map`] and [`Zip`].
#[inline(always)]
unsafe fn compact<S, T, P>(s: S, step: P, dst: *mut T, len: usize, stream: bool)
where
    S: Simd + Lanes<T>,
    T: Copy,
    P: Step<S, T>,
{
    let n = <S as Lanes<T>>::N;
    let part = len < n;
    // SAFETY: as in `unrolled`; streaming stores go only where a register is aligned.
    unsafe {
        let last = len.wrapping_sub(n);
        let tail = if part {
            step.load_part(s, len)
        } else {
            step.load(s, last)
        };
        let mut i = 0;
        let mut next = n - dst.addr() / size_of::<T>() % n;
        let mut x = if part { tail } else { step.load(s, 0) };
        loop {
            let y = step.on(s, x);
            if part {
                return s.store_part(dst, len, y);
            }
            x = if next < last {
                step.load(s, next)
            } else {
                tail
            };
            let to = dst.add(i).cast::<V<S, T>>();
            if stream && to.addr() % size_of::<V<S, T>>() == 0 {
                s.stream(to, y);
            } else {
                s.store(to.cast::<T>(), y);
            }
            if i == last {
                return;
            }
            i = if next < last { next } else { last };
            next += n;
        }
    }
}

/// [`map`]'s.
#[derive(Clone, Copy)]
struct One<O, E> {
    op: O,
    src: *const E,
}

impl<S, E, O> Step<S, E::Lane> for One<O, E>
where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Elementwise<E>,
{
    type X = V<S, E::Lane>;

    #[inline(always)]
    unsafe fn load(self, s: S, i: usize) -> V<S, E::Lane> {
        // SAFETY: forwarded.
        unsafe { s.load(self.src.cast::<E::Lane>().add(i)) }
    }

    #[inline(always)]
    unsafe fn load_part(self, s: S, n: usize) -> V<S, E::Lane> {
        // SAFETY: forwarded.
        unsafe { s.load_part(self.src.cast::<E::Lane>(), n) }
    }

    #[inline(always)]
    fn on(self, s: S, x: V<S, E::Lane>) -> V<S, E::Lane> {
        self.op.on(s, x)
    }
}

impl<S, E, O> Step<S, E::Lane> for Zip<O, E>
where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Pairwise<E>,
{
    type X = (V<S, E::Lane>, V<S, E::Lane>);

    #[inline(always)]
    unsafe fn load(self, s: S, i: usize) -> (V<S, E::Lane>, V<S, E::Lane>) {
        let (a, b) = (self.a.cast::<E::Lane>(), self.b.cast::<E::Lane>());
        // SAFETY: forwarded.
        unsafe { (s.load(a.add(i)), s.load(b.add(i))) }
    }

    #[inline(always)]
    unsafe fn load_part(self, s: S, n: usize) -> (V<S, E::Lane>, V<S, E::Lane>) {
        // SAFETY: forwarded.
        unsafe {
            (
                s.load_part(self.a.cast::<E::Lane>(), n),
                s.load_part(self.b.cast::<E::Lane>(), n),
            )
        }
    }

    #[inline(always)]
    fn on(self, s: S, (a, b): (V<S, E::Lane>, V<S, E::Lane>)) -> V<S, E::Lane> {
        self.op.on(s, a, b)
    }
}
