//! The loops. There are no others.
//!
//! ```text
//! dst:   |  head  |                                    |  tail  |
//!            |  body  |  body  |  body  | ... |  body  |
//!            ^ aligned to a register
//! ```
//! The body stores to aligned addresses (a store that straddles cache lines costs double, a load
//! hardly anything); head and tail are whole, unaligned registers that overlap it. Both are
//! *loaded* before the first store and *stored* after the last, so they see the original input
//! even when `src == dst`, and write the same bits the body wrote. Hence no scalar remainder, and
//! an element's result depends on nothing but the element.

use crate::element::Element;
use crate::lanes::{Lanes, Simd};
use crate::ops::Elementwise;

/// `dst[i] = op(src[i])` for `i < len`.
///
/// With `STREAM` the body bypasses the caches, which saves reading each line of `dst` before
/// overwriting it.
///
/// # Safety
/// `src` is valid for reads and `dst` for writes of `len` elements at any alignment, and they are
/// the same pointer or do not overlap. With `STREAM`, `dst` is aligned to its element.
#[inline(always)]
pub(crate) unsafe fn map<const STREAM: bool, S, E, O>(
    s: S,
    op: O,
    src: *const E,
    dst: *mut E,
    len: usize,
) where
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
        let first = n - dst.addr() / size_of::<E::Lane>() % n;
        let mut i = first;
        while i + 3 * n < last {
            let a = s.load(src.add(i));
            let b = s.load(src.add(i + n));
            let c = s.load(src.add(i + 2 * n));
            let d = s.load(src.add(i + 3 * n));
            write::<STREAM, _, _>(s, dst.add(i).cast(), op.on(s, a));
            write::<STREAM, _, _>(s, dst.add(i + n).cast(), op.on(s, b));
            write::<STREAM, _, _>(s, dst.add(i + 2 * n).cast(), op.on(s, c));
            write::<STREAM, _, _>(s, dst.add(i + 3 * n).cast(), op.on(s, d));
            i += 4 * n;
        }
        while i < last {
            write::<STREAM, _, _>(s, dst.add(i).cast(), op.on(s, s.load(src.add(i))));
            i += n;
        }
        s.store(dst, head);
        s.store(dst.add(last), tail);
        if STREAM {
            s.fence();
        }
    }
}

/// # Safety
/// As [`Simd::stream`] if `STREAM`, else as [`Lanes::store`].
#[inline(always)]
unsafe fn write<const STREAM: bool, S: Simd, V: Copy>(s: S, p: *mut V, v: V) {
    // SAFETY: forwarded.
    unsafe {
        if STREAM {
            s.stream(p, v)
        } else {
            p.write_unaligned(v)
        }
    }
}
