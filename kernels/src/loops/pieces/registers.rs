//! Registers of several arrays, and the sizes of what is worked on together.

use crate::lanes::V;
use crate::register::Register;
use crate::simd::Simd;

/// Elements after which it is time to look whether what is put aside has room for as many again.
pub(super) const BLOCK: usize = 512;

/// No unit has more lanes.
pub(super) const LANES: usize = 16;

/// Room for the far numbers of two blocks and both ends.
pub(super) const ROOM: usize = 2 * BLOCK + 4 * LANES;

/// A register of each of `A` arrays.
pub(super) type Registers<S, const A: usize> = [Register<f32, S>; A];

/// A register of each array.
///
/// # Safety
/// The arrays have N elements from `i` on.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, const A: usize>(
    s: S,
    src: [*const f32; A],
    i: usize,
) -> Registers<S, A> {
    let mut x = [Register::new(s, s.splat(0.0f32)); A];
    let mut k = 0;
    while k < A {
        // SAFETY: the caller vouches for the elements.
        x[k] = Register::new(s, unsafe { s.load(src[k].add(i)) });
        k += 1;
    }
    x
}

/// The part of a register that each array has.
///
/// # Safety
/// The arrays have `len < N` elements.
#[inline(always)]
pub(super) unsafe fn load_part<S: Simd, const A: usize>(
    s: S,
    src: [*const f32; A],
    len: usize,
) -> Registers<S, A> {
    let mut x = [Register::new(s, s.splat(0.0f32)); A];
    let mut k = 0;
    while k < A {
        // SAFETY: as above.
        x[k] = Register::new(s, unsafe { s.load_part(src[k], len) });
        k += 1;
    }
    x
}

/// The arrays from `i` on.
///
/// # Safety
/// They have so many elements.
#[inline(always)]
pub(super) unsafe fn at<const A: usize>(src: [*const f32; A], i: usize) -> [*const f32; A] {
    let mut src = src;
    let mut k = 0;
    while k < A {
        // SAFETY: forwarded.
        src[k] = unsafe { src[k].add(i) };
        k += 1;
    }
    src
}

/// Stores an aligned register, past the caches where `stream`.
///
/// # Safety
/// `to` is valid for writes of N elements, and with `stream` aligned to the register.
#[inline(always)]
pub(super) unsafe fn store<S: Simd>(s: S, to: *mut f32, y: V<S, f32>, stream: bool) {
    // SAFETY: forwarded.
    unsafe {
        if stream {
            s.stream(to.cast(), y);
        } else {
            s.store(to, y);
        }
    }
}
