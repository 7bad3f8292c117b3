//! The words that an instruction set implements: the methods of its units, one for each width of
//! registers that it computes with.

use core::mem::MaybeUninit;

/// A vector unit that works on registers of `E`.
///
/// Loops and operations say these words through a [`Register`](crate::register::Register) or
/// [`IntRegister`](crate::register::IntRegister), which have operators.
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
/// `V` is plain data: any pattern of bits is one, elements lie in it packed, and it has at most 64
/// bytes; where it has more than 32, the unit has its own `load_part` and `store_part`.
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

    /// `a + b`; integers wrap.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a - b`; integers wrap.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;

    /// The bits that are set in both.
    fn and(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a < b`; false where either is NaN.
    fn lt(self, a: Self::V, b: Self::V) -> Self::M;

    /// `yes` where `m` holds, else `no`.
    fn select(self, m: Self::M, yes: Self::V, no: Self::V) -> Self::V;

    /// Bit `i` is the truth value of lane `i`; the bits from `N` on are zero.
    fn bitmask(self, m: Self::M) -> u32;

    /// `a > b ? a : b`, hence `b` where either is NaN and where both are zeros. This is x86's
    /// `maxps a, b` to the letter; NEON's and wasm's maxima differ, so they take the default.
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        self.select(self.lt(b, a), a, b)
    }

    /// `a < b ? a : b`, hence `b` where either is NaN and where both are zeros.
    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        self.select(self.lt(a, b), a, b)
    }

    /// `[x0 y0 x1 y1 …]` over two registers: the `x`, and the `y`.
    #[inline(always)]
    fn deinterleave(self, pairs: [Self::V; 2]) -> [Self::V; 2] {
        let mut apart = pairs;
        let (from, to) = ((&raw const pairs).cast::<E>(), (&raw mut apart).cast::<E>());
        let mut i = 0;
        // SAFETY: two registers are `2 N` packed elements, and `i < N`.
        unsafe {
            while i < Self::N {
                to.add(i).write(from.add(2 * i).read());
                to.add(Self::N + i).write(from.add(2 * i + 1).read());
                i += 1;
            }
        }
        apart
    }

    /// The way back.
    #[inline(always)]
    fn interleave(self, apart: [Self::V; 2]) -> [Self::V; 2] {
        let mut pairs = apart;
        let (from, to) = ((&raw const apart).cast::<E>(), (&raw mut pairs).cast::<E>());
        let mut i = 0;
        // SAFETY: as above.
        unsafe {
            while i < Self::N {
                to.add(2 * i).write(from.add(i).read());
                to.add(2 * i + 1).write(from.add(Self::N + i).read());
                i += 1;
            }
        }
        pairs
    }
}

/// What only floats can do. Every result is rounded to nearest, ties to even; where an operand is
/// NaN, the result is that NaN, and where both are, one of them: the compiler may swap operands.
pub trait FloatLanes<E: Copy>: Lanes<E> {
    /// `a · b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a / b`.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;

    /// `x` without its sign; also of a NaN.
    fn abs(self, x: Self::V) -> Self::V;

    /// `a <= b`; false where either is NaN.
    fn le(self, a: Self::V, b: Self::V) -> Self::M;

    /// Whether [`mul_add`](FloatLanes::mul_add) rounds once.
    const FUSED: bool;

    /// `a · b + c`.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;

    /// `c - a · b`, rounded as [`mul_add`](FloatLanes::mul_add) does.
    fn neg_mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;

    /// `x` with the sign of `sign`.
    fn copysign(self, x: Self::V, sign: Self::V) -> Self::V;

    /// 2<sup>n</sup>, where that is a normal number, of lanes that hold the integer n added to
    /// 1.5 · 2<sup>p</sup> for p bits of fraction: n then stands in their lowest bits.
    fn pow2(self, shifted: Self::V) -> Self::V;
}

/// A register of `E`.
pub type V<S, E> = <S as Lanes<E>>::V;

/// Copies `n <= 32` bytes, what part of a register of as many holds, with two overlapping moves of the largest
/// power of two that fits: a `memcpy` call costs more than the whole kernel at these lengths.
///
/// # Safety
/// `n <= 32`, `src` is valid for reads and `dst` for writes of `n` bytes, and they do not overlap.
#[inline(always)]
unsafe fn copy_bytes(src: *const u8, dst: *mut u8, n: usize) {
    /// # Safety
    /// As above, and `SIZE <= n <= 2 * SIZE`.
    #[inline(always)]
    unsafe fn twice<const SIZE: usize>(src: *const u8, dst: *mut u8, n: usize) {
        let last = n - SIZE;
        // SAFETY: `0..SIZE` and `last..n` both lie within the `n` bytes.
        unsafe {
            let a = *src.cast::<[u8; SIZE]>();
            let b = *src.add(last).cast::<[u8; SIZE]>();
            *dst.cast::<[u8; SIZE]>() = a;
            *dst.add(last).cast::<[u8; SIZE]>() = b;
        }
    }
    // SAFETY: each arm has `SIZE <= n <= 2 * SIZE`.
    unsafe {
        match n {
            0 => {}
            1 => dst.write(src.read()),
            2..4 => twice::<2>(src, dst, n),
            4..8 => twice::<4>(src, dst, n),
            8..16 => twice::<8>(src, dst, n),
            _ => twice::<16>(src, dst, n),
        }
    }
}
