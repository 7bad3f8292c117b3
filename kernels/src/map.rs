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
use crate::lanes::{Lanes, Simd, Task};
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
    let (src, dst) = (src.cast::<E::Lane>(), dst.cast::<E::Lane>());
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
            while O::UNROLL && i + 3 * n <= last {
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
            while O::UNROLL && i + 3 * n < last {
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
        let Self { op, len, .. } = self;
        let (a, b) = (self.a.cast::<E::Lane>(), self.b.cast::<E::Lane>());
        let dst = self.dst.cast::<E::Lane>();
        let n = <S as Lanes<E::Lane>>::N;
        // SAFETY: as `map`.
        unsafe {
            if len < n {
                let y = op.on(s, s.load_part(a, len), s.load_part(b, len));
                return s.store_part(dst, len, y);
            }
            let head = op.on(s, s.load(a), s.load(b));
            let last = len - n;
            let tail = op.on(s, s.load(a.add(last)), s.load(b.add(last)));
            let behind = dst.addr() / size_of::<E::Lane>() % n;
            if self.stream {
                let mut i = (n - behind) % n;
                if i > 0 {
                    s.store(dst, head);
                }
                while i <= last {
                    s.stream(
                        dst.add(i).cast(),
                        op.on(s, s.load(a.add(i)), s.load(b.add(i))),
                    );
                    i += n;
                }
                if i < len {
                    s.store(dst.add(last), tail);
                }
            } else {
                let mut i = n - behind;
                while i + n < last {
                    let (a0, b0) = (s.load(a.add(i)), s.load(b.add(i)));
                    let (a1, b1) = (s.load(a.add(i + n)), s.load(b.add(i + n)));
                    s.store(dst.add(i), op.on(s, a0, b0));
                    s.store(dst.add(i + n), op.on(s, a1, b1));
                    i += 2 * n;
                }
                if i < last {
                    s.store(dst.add(i), op.on(s, s.load(a.add(i)), s.load(b.add(i))));
                }
                s.store(dst, head);
                s.store(dst.add(last), tail);
            }
        }
    }
}
