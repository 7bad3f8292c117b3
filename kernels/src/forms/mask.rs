//! Masks of one bit per element, least significant bit first: made of an array, applied to one, and
//! used to close up the elements whose bit is set.

use half::{bf16, f16};

use crate::element::{Element, Int, Number};
use crate::lanes::{FloatLanes, FullSimd, Lanes, Task};
use crate::ops::{Relu, Unary, UnaryInt};

/// A [`Mask`] on one instruction set.
///
/// # Safety
/// The CPU runs the table's [`Isa`](crate::Isa), and the rest as [`Mask`] says.
pub type MaskFn<P, E> = unsafe fn(Mask<P, E>) -> usize;

/// An [`Unmask`] on one instruction set.
///
/// # Safety
/// The CPU runs the table's [`Isa`](crate::Isa), and the rest as [`Unmask`] says.
pub type UnmaskFn<E> = unsafe fn(Unmask<E>);

/// A [`Compress`] on one instruction set.
///
/// # Safety
/// The CPU runs the table's [`Isa`](crate::Isa), and the rest as [`Compress`] says.
pub type CompressFn<I, E> = unsafe fn(Compress<I, E>) -> usize;

/// The kernels of masks of one dtype.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct MaskForms<E> {
    pub positive: MaskFn<Positive, E>,
    pub non_zero: MaskFn<NonZero, E>,
    pub unmask: UnmaskFn<E>,
    pub compress_u32: CompressFn<u32, E>,
    pub compress_u64: CompressFn<u64, E>,
}

impl<E: Masked> MaskForms<E> {
    pub(crate) const fn of<S: FullSimd + Lanes<E::Lane>>() -> Self {
        Self {
            positive: S::enter::<Mask<Positive, E>>,
            non_zero: S::enter::<Mask<NonZero, E>>,
            unmask: S::enter::<Unmask<E>>,
            compress_u32: S::enter::<Compress<u32, E>>,
            compress_u64: S::enter::<Compress<u64, E>>,
        }
    }
}

/// A dtype as masks see it.
pub trait Masked: Element {
    /// The lanes where `relu(x)` is a zero.
    fn flat<S: FullSimd + Lanes<Self::Lane, V = R>, R: Copy>(s: S, x: R) -> u32;

    /// The lanes where `x` is a zero.
    fn zero<S: FullSimd + Lanes<Self::Lane, V = R>, R: Copy>(s: S, x: R) -> u32;

    /// The lanes whose bit is set, and `+0` for the others.
    fn keep<S: FullSimd + Lanes<Self::Lane, V = R>, R: Copy>(s: S, bits: u32, x: R) -> R;

    /// Those of the eight elements at `from` whose bit is set, at `to`.
    ///
    /// # Safety
    /// As [`Sparse`](crate::Sparse).
    unsafe fn pack<S: FullSimd>(s: S, bits: u8, from: *const Self, to: *mut Self);
}

macro_rules! masked {
    (half: $($H:ident)*) => {$(
        impl Masked for $H {
            #[inline(always)]
            fn flat<S: FullSimd + Lanes<i16, V = R>, R: Copy>(s: S, x: R) -> u32 {
                Self::zero(s, Relu.half::<$H, S>(s, x))
            }
            #[inline(always)]
            fn zero<S: FullSimd + Lanes<i16, V = R>, R: Copy>(s: S, x: R) -> u32 {
                let magnitude = Lanes::<i16>::and(s, x, s.splat(i16::MAX));
                Lanes::<i16>::bitmask(s, Lanes::<i16>::lt(s, magnitude, s.splat(1i16)))
            }
            #[inline(always)]
            fn keep<S: FullSimd + Lanes<i16, V = R>, R: Copy>(s: S, bits: u32, x: R) -> R {
                s.keep_i16(bits, x)
            }
            #[inline(always)]
            unsafe fn pack<S: FullSimd>(s: S, bits: u8, from: *const Self, to: *mut Self) {
                // SAFETY: forwarded.
                unsafe { s.pack_16(bits, from.cast(), to.cast()) }
            }
        }
    )*};
    ($($E:ident $keep:ident $pack:ident)*) => {$(
        impl Masked for $E {
            #[inline(always)]
            fn flat<S: FullSimd + Lanes<$E, V = R>, R: Copy>(s: S, x: R) -> u32 {
                Lanes::<$E>::bitmask(s, FloatLanes::<$E>::le(s, x, s.splat($E::ZERO)))
            }
            #[inline(always)]
            fn zero<S: FullSimd + Lanes<$E, V = R>, R: Copy>(s: S, x: R) -> u32 {
                Self::flat(s, FloatLanes::<$E>::abs(s, x))
            }
            #[inline(always)]
            fn keep<S: FullSimd + Lanes<$E, V = R>, R: Copy>(s: S, bits: u32, x: R) -> R {
                s.$keep(bits, x)
            }
            #[inline(always)]
            unsafe fn pack<S: FullSimd>(s: S, bits: u8, from: *const Self, to: *mut Self) {
                // SAFETY: forwarded.
                unsafe { s.$pack(bits, from, to) }
            }
        }
    )*};
}
masked! { f32 keep_f32 pack_32 f64 keep_f64 pack_64 }
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
pub struct Mask<P, E> {
    pub predicate: P,
    pub x: *const E,
    pub bits: *mut u8,
    pub len: usize,
}

impl<S, P, E> Task<S> for Mask<P, E>
where
    S: FullSimd + Lanes<E::Lane>,
    P: Predicate<E>,
    E: Masked,
{
    type Out = usize;

    #[inline(always)]
    unsafe fn run(self, s: S) -> usize {
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
pub struct Unmask<E> {
    pub src: *const E,
    pub bits: *const u8,
    pub dst: *mut E,
    pub len: usize,
    pub stream: bool,
}

impl<E: Masked> Unmask<E> {
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

impl<S: FullSimd + Lanes<E::Lane>, E: Masked> Task<S> for Unmask<E> {
    type Out = ();

    #[inline(always)]
    unsafe fn run(self, s: S) {
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

/// The type of an element's number: `u32` or `u64`. Sealed.
pub trait Index: Copy + Default + Send + Sync + sealed::Sealed + 'static {
    /// The largest number.
    const LAST: u64;

    /// Its name.
    const NAME: &'static str;

    /// The number `i`, up to [`LAST`](Index::LAST).
    fn new(i: usize) -> Self;

    /// Those of the eight numbers from `first` on whose bit is set, at `to`.
    ///
    /// # Safety
    /// As [`Sparse`](crate::Sparse).
    #[doc(hidden)]
    unsafe fn pack<S: FullSimd>(s: S, bits: u8, first: usize, to: *mut Self);

    /// The kernel that packs these.
    #[doc(hidden)]
    fn compress<E>(forms: &MaskForms<E>) -> CompressFn<Self, E>;
}

macro_rules! index {
    ($($I:ident $index:ident $compress:ident)*) => {$(
        impl sealed::Sealed for $I {}
        impl Index for $I {
            const LAST: u64 = $I::MAX as u64;
            const NAME: &'static str = stringify!($I);
            #[inline(always)]
            fn new(i: usize) -> Self {
                i as $I
            }
            #[inline(always)]
            unsafe fn pack<S: FullSimd>(s: S, bits: u8, first: usize, to: *mut Self) {
                // SAFETY: forwarded.
                unsafe { s.$index(bits, first as $I, to) }
            }
            fn compress<E>(forms: &MaskForms<E>) -> CompressFn<Self, E> {
                forms.$compress
            }
        }
    )*};
}
index! { u32 index_32 compress_u32 u64 index_64 compress_u64 }

/// Closes up the elements whose bit is set, with their numbers, and tells how many they are.
///
/// `x` is valid for reads of `len` elements, and `bits` of `len / 8` bytes, rounded up; bits beyond
/// `len` are ignored. `values` and `indices` are valid for
/// writes of [`SLACK`] elements more than there are bits set: whole registers are stored. Only what
/// `x` and `bits` hold may overlap. The first element's number is `first`.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Compress<I, E> {
    pub x: *const E,
    pub bits: *const u8,
    pub len: usize,
    pub first: usize,
    pub values: *mut E,
    pub indices: *mut I,
}

/// How many elements behind its result [`Compress`] may write.
pub const SLACK: usize = 8;

impl<I: Index, E: Masked> Compress<I, E> {
    /// Eight elements from the `i`th on, whose results go to the `k`th on.
    ///
    /// # Safety
    /// As the fields, and `x` has them.
    #[inline(always)]
    unsafe fn eight<S: FullSimd>(&self, s: S, bits: u8, i: usize, k: usize) {
        // SAFETY: forwarded.
        unsafe {
            E::pack(s, bits, self.x.add(i), self.values.add(k));
            I::pack(s, bits, self.first + i, self.indices.add(k));
        }
    }
}

impl<S: FullSimd, I: Index, E: Masked> Task<S> for Compress<I, E> {
    type Out = usize;

    #[inline(always)]
    unsafe fn run(self, s: S) -> usize {
        let (mut i, mut k) = (0, 0);
        // SAFETY: eight elements are read where so many are left. At most as many are written as bits
        // are set before, and eight more.
        unsafe {
            while i + 64 <= self.len {
                let word = u64::from_le(self.bits.add(i / 8).cast::<u64>().read_unaligned());
                let sums = running_sums(word);
                let before = sums << 8;
                let mut j = 0;
                while j < 64 {
                    let to = k + (before >> j & 0xFF) as usize;
                    self.eight(s, (word >> j) as u8, i + j, to);
                    j += 8;
                }
                k += (sums >> 56) as usize;
                i += 64;
            }
            while i + 8 <= self.len {
                let bits = self.bits.add(i / 8).read();
                self.eight(s, bits, i, k);
                k += bits.count_ones() as usize;
                i += 8;
            }
            while i < self.len {
                if self.bits.add(i / 8).read() >> (i % 8) & 1 == 1 {
                    let x = self.x.add(i).read_unaligned();
                    self.values.add(k).write_unaligned(x);
                    self.indices.add(k).write_unaligned(I::new(self.first + i));
                    k += 1;
                }
                i += 1;
            }
        }
        k
    }
}

/// How many bits are set in each byte and those below it. All by one product, so that where the results
/// of one byte go does not wait for those before it.
#[inline(always)]
fn running_sums(word: u64) -> u64 {
    let pairs = word - (word >> 1 & 0x5555_5555_5555_5555);
    let nibbles = (pairs & 0x3333_3333_3333_3333) + (pairs >> 2 & 0x3333_3333_3333_3333);
    let bytes = (nibbles + (nibbles >> 4)) & 0x0F0F_0F0F_0F0F_0F0F;
    bytes.wrapping_mul(0x0101_0101_0101_0101)
}

/// Bytes as they are: the way of what was compressed from the first-level cache to where it belongs.
#[derive(Clone, Copy, Debug)]
pub struct Move;

impl UnaryInt for Move {
    #[inline(always)]
    fn int_lanes<E: Int, L: Lanes<E>>(self, _l: L, x: L::V) -> L::V {
        x
    }
}

mod sealed {
    pub trait Sealed {}
}
