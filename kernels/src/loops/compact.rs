//! The loop over registers that other loops share, for operations that are many instructions.
//!
//! The shape of every loop over one or two arrays:
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

use crate::lanes::{Lanes, V};
use crate::simd::Simd;

/// Makes what was streamed visible before any later store of this thread.
pub fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE, which every x86-64 CPU has.
    unsafe {
        core::arch::x86_64::_mm_sfence();
    }
}

/// What a loop loads, and makes of it.
pub(crate) trait Step<S: Lanes<T>, T: Copy>: Copy {
    /// A register of each array.
    type X: Copy;

    /// # Safety
    /// The arrays have `S::N` elements from `i` on.
    unsafe fn load(self, s: S, i: usize) -> Self::X;

    /// # Safety
    /// The arrays have `n < S::N` elements.
    unsafe fn load_part(self, s: S, n: usize) -> Self::X;

    /// The result of what was loaded.
    fn on(self, s: S, x: Self::X) -> S::V;
}

/// One register at a time, and the step in the code but once: for operations that are many
/// instructions, where all that the unrolled loop of `map` has of them made the library three times as large and as
/// slow to compile. The tail is loaded first and stored last; each other register is loaded before the
/// one that may overlap it is stored.
///
/// # Safety
/// `step` takes arrays of `len` elements, and `dst` is valid for writes of as many, at any alignment.
/// Where `dst` is one of the arrays, `stream` is false; else it overlaps none. With `stream`, it is
/// aligned to its element.
#[inline(always)]
pub(crate) unsafe fn compact<S, T, P>(s: S, step: P, dst: *mut T, len: usize, stream: bool)
where
    S: Simd + Lanes<T>,
    T: Copy,
    P: Step<S, T>,
{
    let n = <S as Lanes<T>>::N;
    let part = len < n;
    // SAFETY: a register at index `i` covers `i..i + n`, and every `i` below is at most `len - n`;
    // `load_part` and `store_part` get `len < n`. Streaming stores go only where a register is aligned.
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
