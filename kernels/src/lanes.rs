//! Every word an operation may say.

use core::mem::MaybeUninit;

/// A vector unit that works on registers of `E`.
///
/// The implementing value is the proof that the CPU has the instructions: only code that runs
/// behind the matching `#[target_feature]` (or on the baseline) can hold one. That is why the
/// arithmetic is safe to call and only memory access is not.
///
/// Every method is `#[inline(always)]` and carries no `#[target_feature]` itself: the two cannot be
/// combined on stable Rust, so the features come from the one function at the top of the call
/// tree. A helper left un-inlined would compile for the baseline and turn each intrinsic into a
/// call; `.ci/symbols` looks for that in the release artefact.
///
/// # Safety
/// `V` is plain data: any pattern of bits is one, elements lie in it packed, and it has at most 32
/// bytes.
pub unsafe trait Lanes<E: Copy>: Copy {
    /// One register of [`N`](Lanes::N) elements.
    type V: Copy;
    /// The outcome of a comparison, one truth value per lane.
    type M: Copy;
    /// Elements in a register.
    const N: usize = size_of::<Self::V>() / size_of::<E>();

    /// `x` in every lane.
    fn splat(self, x: E) -> Self::V;

    /// Reads `N` elements.
    ///
    /// # Safety
    /// `p` is valid for reads of `N` elements; it need not be aligned.
    #[inline(always)]
    unsafe fn load(self, p: *const E) -> Self::V {
        // SAFETY: the caller vouches for the `N` elements that make up a register.
        unsafe { p.cast::<Self::V>().read_unaligned() }
    }

    /// Writes `N` elements.
    ///
    /// # Safety
    /// `p` is valid for writes of `N` elements; it need not be aligned.
    #[inline(always)]
    unsafe fn store(self, p: *mut E, v: Self::V) {
        // SAFETY: the caller vouches for the `N` elements that make up a register.
        unsafe { p.cast::<Self::V>().write_unaligned(v) }
    }

    /// Reads the first `n` lanes and leaves the rest zero.
    ///
    /// # Safety
    /// `n <= N`, and `p` is valid for reads of `n` elements; it need not be aligned.
    #[inline(always)]
    unsafe fn load_part(self, p: *const E, n: usize) -> Self::V {
        let mut v = MaybeUninit::<Self::V>::zeroed();
        // SAFETY: the caller vouches for `n` elements, a register has room for them, and every
        // pattern of bits is a register.
        unsafe {
            copy_bytes(p.cast(), v.as_mut_ptr().cast(), n * size_of::<E>());
            v.assume_init()
        }
    }

    /// Writes the first `n` lanes.
    ///
    /// # Safety
    /// `n <= N`, and `p` is valid for writes of `n` elements; it need not be aligned.
    #[inline(always)]
    unsafe fn store_part(self, p: *mut E, n: usize, v: Self::V) {
        // SAFETY: the caller vouches for `n` elements, and a register holds as many.
        unsafe { copy_bytes((&raw const v).cast(), p.cast(), n * size_of::<E>()) }
    }

    /// `a - b`; integers wrap.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a < b`; false where either is NaN.
    fn lt(self, a: Self::V, b: Self::V) -> Self::M;

    /// `yes` where `m` holds, else `no`.
    fn select(self, m: Self::M, yes: Self::V, no: Self::V) -> Self::V;

    /// `a > b ? a : b`, hence `b` where either is NaN and where both are zeros. This is x86's
    /// `maxps a, b` to the letter; NEON's and wasm's maxima differ, so they take the default.
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        self.select(self.lt(b, a), a, b)
    }
}

/// A whole vector unit: lanes of every element type of one instruction set, and its entry points.
pub trait Simd: Lanes<f32> + Lanes<f64> + Lanes<i8> + Lanes<i16> + Lanes<i32> + Lanes<i64> {
    /// Writes a whole register past the caches (a non-temporal store) where the ISA can, else
    /// plainly.
    ///
    /// # Safety
    /// `p` is valid for writes, aligned to the register's size, and `V` is a register of this unit.
    unsafe fn stream<V: Copy>(self, p: *mut V, v: V);

    /// Makes every earlier [`stream`](Simd::stream) visible before any later store.
    fn fence(self);
}

/// Copies `n <= 32` bytes, what a partial register holds, with two overlapping moves of the largest power of two that fits: a
/// `memcpy` call costs more than the whole kernel at these lengths.
///
/// # Safety
/// `n <= 32`, `src` is valid for reads and `dst` for writes of `n` bytes, and they do not overlap.
#[inline(always)]
unsafe fn copy_bytes(src: *const u8, dst: *mut u8, n: usize) {
    /// # Safety
    /// As above, and `size_of::<T>() <= n <= 2 * size_of::<T>()`.
    #[inline(always)]
    unsafe fn twice<T>(src: *const u8, dst: *mut u8, n: usize) {
        let last = n - size_of::<T>();
        // SAFETY: `0..size_of::<T>()` and `last..n` both lie within the `n` bytes.
        unsafe {
            let a = src.cast::<T>().read_unaligned();
            let b = src.add(last).cast::<T>().read_unaligned();
            dst.cast::<T>().write_unaligned(a);
            dst.add(last).cast::<T>().write_unaligned(b);
        }
    }
    // SAFETY: each arm has `size_of::<T>() <= n <= 2 * size_of::<T>()`.
    unsafe {
        match n {
            0 => {}
            1 => dst.write(src.read()),
            2..4 => twice::<u16>(src, dst, n),
            4..8 => twice::<u32>(src, dst, n),
            8..16 => twice::<u64>(src, dst, n),
            _ => twice::<u128>(src, dst, n),
        }
    }
}
