//! Masks of one bit per element, least significant bit first: made of an array, and applied to one.

use crate::dtype::{Float, bf16, f16};
use crate::half::{Half, rectify_bits};
use crate::lanes::Lanes;
use crate::register::{IntLane, IntRegister, Lane, Register};
use crate::simd::{FullSimd, WithSimd};

/// A [`MakeMask`] on one instruction set.
///
/// # Safety
/// The CPU runs the kernel's [`Isa`](crate::Isa), and the rest as [`MakeMask`] says.
pub type MakeMaskFn<P, E> = unsafe fn(MakeMask<P, E>) -> usize;

/// An [`ApplyMask`] on one instruction set.
///
/// # Safety
/// The CPU runs the kernel's [`Isa`](crate::Isa), and the rest as [`ApplyMask`] says.
pub type ApplyMaskFn<E> = unsafe fn(ApplyMask<E>);

/// The kernels of masks of one dtype.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct MaskFns<E> {
    pub positive: MakeMaskFn<Positive, E>,
    pub non_zero: MakeMaskFn<NonZero, E>,
    pub apply: ApplyMaskFn<E>,
}

impl<E: Masked> MaskFns<E> {
    pub(crate) const fn of<S: FullSimd + Lanes<E::Lane>, W>() -> Self {
        Self {
            positive: S::with_simd::<MakeMask<Positive, E>>,
            non_zero: S::with_simd::<MakeMask<NonZero, E>>,
            apply: S::with_simd::<ApplyMask<E>>,
        }
    }
}

/// A dtype as masks see it.
pub trait Masked: Float {
    /// The lanes where `relu(x)` is a zero.
    fn flat<S: FullSimd + Lanes<Self::Lane, V = R>, R: Copy>(s: S, x: R) -> u32;

    /// The lanes where `x` is a zero.
    fn zero<S: FullSimd + Lanes<Self::Lane, V = R>, R: Copy>(s: S, x: R) -> u32;

    /// The lanes whose bit is set, and `+0` for the others.
    fn keep<S: FullSimd + Lanes<Self::Lane, V = R>, R: Copy>(s: S, bits: u32, x: R) -> R;
}

macro_rules! masked {
    (half: $($H:ident)*) => {$(
        impl Masked for $H {
            #[inline(always)]
            fn flat<S: FullSimd + Lanes<i16, V = R>, R: Copy>(s: S, x: R) -> u32 {
                let x = IntRegister::<i16, S>::new(s, x);
                Self::zero(s, rectify_bits(x, $H::NEG_INFINITY_BITS).v())
            }
            #[inline(always)]
            fn zero<S: FullSimd + Lanes<i16, V = R>, R: Copy>(s: S, x: R) -> u32 {
                let x = IntRegister::<i16, S>::new(s, x);
                (x & x.splat(i16::MAX)).lt(x.splat(1)).bits()
            }
            #[inline(always)]
            fn keep<S: FullSimd + Lanes<i16, V = R>, R: Copy>(s: S, bits: u32, x: R) -> R {
                s.keep_i16(bits, x)
            }
        }
    )*};
    ($($E:ident $keep:ident)*) => {$(
        impl Masked for $E {
            #[inline(always)]
            fn flat<S: FullSimd + Lanes<$E, V = R>, R: Copy>(s: S, x: R) -> u32 {
                let x = Register::<$E, S>::new(s, x);
                x.le(x.splat(0.0)).bits()
            }
            #[inline(always)]
            fn zero<S: FullSimd + Lanes<$E, V = R>, R: Copy>(s: S, x: R) -> u32 {
                let x = Register::<$E, S>::new(s, x);
                x.abs().le(x.splat(0.0)).bits()
            }
            #[inline(always)]
            fn keep<S: FullSimd + Lanes<$E, V = R>, R: Copy>(s: S, bits: u32, x: R) -> R {
                s.$keep(bits, x)
            }
        }
    )*};
}
masked! { f32 keep_f32 f64 keep_f64 }
masked! { half: f16 bf16 }

/// Of which elements a mask has the bit set.
pub trait Predicate<E: Masked>: Copy {
    /// The lanes whose bit is clear.
    fn clear<S: FullSimd + Lanes<E::Lane, V = R>, R: Copy>(s: S, x: R) -> u32;
}

/// Above zero, or NaN: where relu's output is not zero, and its derivative is one.
#[derive(Clone, Copy, Debug)]
pub struct Positive;

impl<E: Masked> Predicate<E> for Positive {
    #[inline(always)]
    fn clear<S: FullSimd + Lanes<E::Lane, V = R>, R: Copy>(s: S, x: R) -> u32 {
        E::flat(s, x)
    }
}

/// Not a zero of either sign.
#[derive(Clone, Copy, Debug)]
pub struct NonZero;

impl<E: Masked> Predicate<E> for NonZero {
    #[inline(always)]
    fn clear<S: FullSimd + Lanes<E::Lane, V = R>, R: Copy>(s: S, x: R) -> u32 {
        E::zero(s, x)
    }
}

/// Writes the mask of an array, and tells how many of its bits are set. The bits that the last byte
/// has beyond the array are clear.
///
/// `x` is valid for reads of `len` elements, at any alignment, and `bits` for writes of `len / 8`
/// bytes, rounded up; they do not overlap.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct MakeMask<P, E> {
    pub predicate: P,
    pub x: *const E,
    pub bits: *mut u8,
    pub len: usize,
}

impl<S, P, E> WithSimd<S> for MakeMask<P, E>
where
    S: FullSimd + Lanes<E::Lane>,
    P: Predicate<E>,
    E: Masked,
{
    type Output = usize;

    #[inline(always)]
    unsafe fn with_simd(self, s: S) -> usize {
        let (x, n) = (self.x.cast::<E::Lane>(), <S as Lanes<E::Lane>>::N);
        let (mut i, mut set) = (0, 0);
        // SAFETY: registers are loaded where `n` elements are left, and else their part; 64 elements
        // are 8 bytes of mask, and the rest is as many as have a bit in it.
        unsafe {
            while i + 64 <= self.len {
                let (mut clear, mut j) = (0, 0);
                while j < 64 {
                    clear |= u64::from(P::clear(s, s.load(x.add(i + j)))) << j;
                    j += n;
                }
                let word = !clear;
                self.bits
                    .add(i / 8)
                    .cast::<u64>()
                    .write_unaligned(word.to_le());
                set += word.count_ones() as usize;
                i += 64;
            }
            let rest = self.len - i;
            let (mut clear, mut j) = (0, 0);
            while j < rest {
                let v = if j + n <= rest {
                    s.load(x.add(i + j))
                } else {
                    s.load_part(x.add(i + j), rest - j)
                };
                clear |= u64::from(P::clear(s, v)) << j;
                j += n;
            }
            let word = !clear & first(rest);
            let mut j = 0;
            while j < rest {
                self.bits.add((i + j) / 8).write((word >> j) as u8);
                j += 8;
            }
            set + word.count_ones() as usize
        }
    }
}

/// The lower `n < 64` bits.
#[inline(always)]
fn first(n: usize) -> u64 {
    (1 << n) - 1
}

/// Applies a mask: `dst[i] = bit i ? src[i] : +0`, the same bits where it is set.
///
/// `src` is valid for reads and `dst` for writes of `len` elements, and `bits` for reads of `len / 8`
/// bytes, rounded up. `dst` is aligned to its element, and is `src` or overlaps neither. With
/// `stream`, [`fence`](crate::fence) before `dst` is published.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct ApplyMask<E> {
    pub src: *const E,
    pub bits: *const u8,
    pub dst: *mut E,
    pub len: usize,
    pub stream: bool,
}

impl<E: Masked> ApplyMask<E> {
    /// The elements of `i..end`, a register at a time.
    ///
    /// # Safety
    /// As the fields, and `i <= end <= len`.
    #[inline(always)]
    unsafe fn plainly<S: FullSimd + Lanes<E::Lane>>(&self, s: S, mut i: usize, end: usize) {
        let (src, dst) = (self.src.cast::<E::Lane>(), self.dst.cast::<E::Lane>());
        let n = <S as Lanes<E::Lane>>::N;
        // SAFETY: only bytes with bits of `i..end`, and only registers or parts in it, are touched.
        unsafe {
            while i < end {
                let m = if end - i < n { end - i } else { n };
                let (mut bits, mut byte) = (0, i / 8);
                while byte * 8 < i + m {
                    bits |= u32::from(self.bits.add(byte).read()) << (8 * (byte - i / 8));
                    byte += 1;
                }
                bits >>= i % 8;
                if m == n {
                    s.store(dst.add(i), E::keep(s, bits, s.load(src.add(i))));
                } else {
                    s.store_part(dst.add(i), m, E::keep(s, bits, s.load_part(src.add(i), m)));
                }
                i += m;
            }
        }
    }
}

impl<S: FullSimd + Lanes<E::Lane>, E: Masked> WithSimd<S> for ApplyMask<E> {
    type Output = ();

    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        let (src, dst) = (self.src.cast::<E::Lane>(), self.dst.cast::<E::Lane>());
        let n = <S as Lanes<E::Lane>>::N;
        // The first line of `dst`, so that no line is both stored to and streamed to.
        let line = 64 / size_of::<E>();
        let before = (line - dst.addr() / size_of::<E>() % line) % line;
        let mut i = if before < self.len { before } else { self.len };
        // SAFETY: `i + 64 <= len` in the loop, and the nine bytes read hold bits of `i..i + 64`;
        // `dst` is aligned to a line there.
        unsafe {
            self.plainly(s, 0, i);
            let shift = i % 8;
            while i + 64 <= self.len {
                let at = self.bits.add(i / 8);
                let low = u64::from_le(at.cast::<u64>().read_unaligned());
                // The last of the bytes: the ninth, or the eighth again, which the shift drops.
                let high = u64::from(at.add((shift + 63) / 8).read());
                let word = low >> shift | (high << 1) << (63 - shift);
                let mut j = 0;
                while j < 64 {
                    let y = E::keep(s, (word >> j) as u32, s.load(src.add(i + j)));
                    if self.stream {
                        s.stream(dst.add(i + j).cast(), y);
                    } else {
                        s.store(dst.add(i + j), y);
                    }
                    j += n;
                }
                i += 64;
            }
            self.plainly(s, i, self.len);
        }
    }
}
