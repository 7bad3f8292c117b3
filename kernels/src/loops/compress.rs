//! The elements whose bit in a mask is set, closed up.

use crate::dtype::{Float, bf16, f16};
use crate::register::IntLane;
use crate::simd::{FullSimd, WithSimd};
use crate::unary::UnaryInt;

/// A [`Compress`] on one instruction set.
///
/// # Safety
/// The CPU runs the kernel's [`Isa`](crate::Isa), and the rest as [`Compress`] says.
pub type CompressFn<I, E> = unsafe fn(Compress<I, E>) -> usize;

/// The kernels that compress one dtype.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct CompressFns<E> {
    pub with_u32: CompressFn<u32, E>,
    pub with_u64: CompressFn<u64, E>,
}

impl<E: Compressed> CompressFns<E> {
    pub(crate) const fn of<S: FullSimd, W>() -> Self {
        Self {
            with_u32: S::with_simd::<Compress<u32, E>>,
            with_u64: S::with_simd::<Compress<u64, E>>,
        }
    }
}

/// A dtype that is compressed.
pub trait Compressed: Float {
    /// Those of the eight elements at `from` whose bit is set, at `to`.
    ///
    /// # Safety
    /// As [`MaskLanes`](crate::simd::MaskLanes).
    unsafe fn compress<S: FullSimd>(s: S, bits: u8, from: *const Self, to: *mut Self);
}

macro_rules! compressed {
    ($($E:ident $compress:ident)*) => {$(
        impl Compressed for $E {
            #[inline(always)]
            unsafe fn compress<S: FullSimd>(s: S, bits: u8, from: *const Self, to: *mut Self) {
                // SAFETY: forwarded.
                unsafe { s.$compress(bits, from.cast(), to.cast()) }
            }
        }
    )*};
}
compressed! { f32 compress_32 f64 compress_64 f16 compress_16 bf16 compress_16 }

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
    /// As [`MaskLanes`](crate::simd::MaskLanes).
    #[doc(hidden)]
    unsafe fn compress<S: FullSimd>(s: S, bits: u8, first: usize, to: *mut Self);

    /// The kernel that gives these.
    #[doc(hidden)]
    fn kernel<E>(kernels: &CompressFns<E>) -> CompressFn<Self, E>;
}

macro_rules! index {
    ($($I:ident $indices:ident $field:ident)*) => {$(
        impl sealed::Sealed for $I {}
        impl Index for $I {
            const LAST: u64 = $I::MAX as u64;
            const NAME: &'static str = stringify!($I);
            #[inline(always)]
            fn new(i: usize) -> Self {
                i as $I
            }
            #[inline(always)]
            unsafe fn compress<S: FullSimd>(s: S, bits: u8, first: usize, to: *mut Self) {
                // SAFETY: forwarded.
                unsafe { s.$indices(bits, first as $I, to) }
            }
            fn kernel<E>(kernels: &CompressFns<E>) -> CompressFn<Self, E> {
                kernels.$field
            }
        }
    )*};
}
index! { u32 compress_indices_32 with_u32 u64 compress_indices_64 with_u64 }

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

impl<I: Index, E: Compressed> Compress<I, E> {
    /// Eight elements from the `i`th on, whose results go to the `k`th on.
    ///
    /// # Safety
    /// As the fields, and `x` has them.
    #[inline(always)]
    unsafe fn eight<S: FullSimd>(&self, s: S, bits: u8, i: usize, k: usize) {
        // SAFETY: forwarded.
        unsafe {
            E::compress(s, bits, self.x.add(i), self.values.add(k));
            I::compress(s, bits, self.first + i, self.indices.add(k));
        }
    }
}

impl<S: FullSimd, I: Index, E: Compressed> WithSimd<S> for Compress<I, E> {
    type Output = usize;

    #[inline(always)]
    unsafe fn with_simd(self, s: S) -> usize {
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
    fn forward_int<X: IntLane>(self, x: X) -> X {
        x
    }
}

mod sealed {
    pub trait Sealed {}
}
