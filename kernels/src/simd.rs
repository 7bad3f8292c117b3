//! A vector unit as kernels see it: the words of its lanes together, the ways between dtypes, masks, and
//! its entry points.

use crate::lanes::{Lanes, V};
use crate::odd_lanes::OddLanes;
use crate::piece_lanes::PieceLanes;
use crate::table_lanes::TableLanes;

/// A vector unit as operations on floats see it: lanes of the float dtypes and of their bits, the
/// ways between them, and its entry points.
pub trait Simd: PieceLanes + TableLanes + OddLanes + Lanes<i16> + Lanes<i32> {
    /// Every lane, exactly: the lower half, then the upper.
    fn widen(self, x: V<Self, f32>) -> [V<Self, f64>; 2];

    /// Every lane rounded to nearest, ties to even: the first register becomes the lower half.
    fn narrow(self, x: [V<Self, f64>; 2]) -> V<Self, f32>;

    /// The values of `f16` bits, exactly. The unit decides which lane of which register holds which;
    /// [`narrow_f16`](Simd::narrow_f16) puts them back.
    fn widen_f16(self, x: V<Self, i16>) -> [V<Self, f32>; 2];

    /// The bits of the nearest `f16`, ties to even; a NaN keeps its sign and the payload that fits.
    fn narrow_f16(self, x: [V<Self, f32>; 2]) -> V<Self, i16>;

    /// The values of `bf16` bits, exactly. The unit decides which lane of which register holds which;
    /// [`narrow_bf16`](Simd::narrow_bf16) puts them back.
    fn widen_bf16(self, x: V<Self, i16>) -> [V<Self, f32>; 2];

    /// The bits of the nearest `bf16`, ties to even; a NaN keeps its sign and the payload that fits.
    fn narrow_bf16(self, x: [V<Self, f32>; 2]) -> V<Self, i16>;

    /// The same, where a NaN is one that `bf16` can hold, and stays as it is.
    fn narrow_bf16_own(self, x: [V<Self, f32>; 2]) -> V<Self, i16>;

    /// The high halves of the lanes, from where [`widen_bf16`](Simd::widen_bf16) puts them.
    fn high_halves(self, x: [V<Self, i32>; 2]) -> V<Self, i16>;

    /// The bits of floats.
    #[inline(always)]
    fn to_bits(self, x: V<Self, f32>) -> V<Self, i32> {
        const { assert!(size_of::<V<Self, f32>>() == size_of::<V<Self, i32>>()) };
        // SAFETY: as large, and any pattern of bits is a register.
        unsafe { core::mem::transmute_copy(&x) }
    }

    /// Floats of these bits.
    #[inline(always)]
    fn float_of_bits(self, x: V<Self, i32>) -> V<Self, f32> {
        const { assert!(size_of::<V<Self, f32>>() == size_of::<V<Self, i32>>()) };
        // SAFETY: as large, and any pattern of bits is a register.
        unsafe { core::mem::transmute_copy(&x) }
    }

    /// `table[x]` of each lane, whose bits count as unsigned; here one by one. (It is not a word of
    /// [`FullSimd`], because a map asks for it.)
    ///
    /// # Safety
    /// `table` is valid for reads of 256 bytes.
    #[inline(always)]
    unsafe fn lookup(self, table: *const u8, x: V<Self, i8>) -> V<Self, i8>
    where
        Self: Lanes<i8>,
    {
        let mut y = x;
        let y_bytes = (&raw mut y).cast::<u8>();
        let mut i = 0;
        while i < <Self as Lanes<i8>>::N {
            // SAFETY: a register is `N` packed bytes, and the caller vouches for 256 in the table.
            unsafe {
                let entry = table.add(usize::from(y_bytes.add(i).read()));
                y_bytes.add(i).write(entry.read());
            }
            i += 1;
        }
        y
    }

    /// `table[x]` of each lane, whose bits count as unsigned, and the last but one of `table` where that is nearer;
    /// here one by one. The table has two entries or more, and the last is the same again.
    /// (AVX-512's gather would do it, but Bochs, in which `.ci/avx512` runs the kernels, knows it as an illegal
    /// instruction in some registers.)
    #[inline(always)]
    fn look_up_16(self, table: &'static [i16], index: V<Self, i16>) -> V<Self, i16> {
        let mut y = index;
        let y_lanes = (&raw mut y).cast::<u16>();
        let mut i = 0;
        while i < <Self as Lanes<i16>>::N {
            // SAFETY: a register is `N` packed lanes.
            unsafe {
                let at = usize::from(y_lanes.add(i).read());
                let last = table.len() - 2;
                y_lanes
                    .add(i)
                    .cast::<i16>()
                    .write(table[if at < last { at } else { last }]);
            }
            i += 1;
        }
        y
    }

    /// Writes a whole register past the caches (a non-temporal store) where the ISA can, else
    /// plainly.
    ///
    /// # Safety
    /// `p` is valid for writes, aligned to the register's size, and `V` is a register of this unit.
    unsafe fn stream<V: Copy>(self, p: *mut V, v: V);

    /// Enters the unit's instructions, to run a loop from one array to another: the function behind
    /// `#[target_feature]` at the top of a call tree. It takes plain arguments, because a rectifier
    /// of eight elements feels a struct passed by reference.
    ///
    /// # Safety
    /// The CPU runs this unit's instructions; the rest as [`MapWithSimd::map_with_simd`].
    #[doc(hidden)]
    unsafe fn map<E, O: MapWithSimd<Self, E>>(
        op: O,
        src: *const E,
        dst: *mut E,
        len: usize,
        stream: bool,
    );

    /// Enters the unit's instructions, to run any other loop.
    ///
    /// # Safety
    /// The CPU runs this unit's instructions; the rest as [`WithSimd::with_simd`].
    #[doc(hidden)]
    unsafe fn with_simd<T: WithSimd<Self>>(task: T) -> T::Output;
}

/// What loops other than a map or a zip of floats ask for besides: lanes of all integers, bytes,
/// masks, and the arithmetic of a random generator.
pub trait FullSimd: Simd + MaskLanes + Lanes<i8> + Lanes<i64> {
    /// Four registers as one of bytes, in order; every lane is from −128 to 127.
    fn narrow_i8(self, x: [V<Self, i32>; 4]) -> V<Self, i8>;

    /// Every byte with its sign, in order.
    fn widen_i8(self, x: V<Self, i8>) -> [V<Self, i32>; 4];

    /// Swaps the two middle quarters where [`widen_bf16`](Simd::widen_bf16) crosses them. Said before
    /// it, or after [`narrow_bf16`](Simd::narrow_bf16), it puts lanes into the order of the elements.
    #[inline(always)]
    fn reorder_bf16(self, x: V<Self, i16>) -> V<Self, i16> {
        x
    }

    /// The whole product of the lower halves of lanes, without sign.
    fn mul_u32(self, a: V<Self, i64>, b: V<Self, i64>) -> V<Self, i64>;

    /// The bits that differ.
    fn xor_u64(self, a: V<Self, i64>, b: V<Self, i64>) -> V<Self, i64>;

    /// Bits moved up; zeros come in.
    fn shl_u64<const BITS: i32>(self, x: V<Self, i64>) -> V<Self, i64>;

    /// Bits moved down; zeros come in.
    fn shr_u64<const BITS: i32>(self, x: V<Self, i64>) -> V<Self, i64>;
}

/// The words of bit masks: to drop the lanes whose bit is clear, and to close up those whose bit is
/// set. Bit `i` speaks of lane `i`.
///
/// The `compress` words write whole registers: eight elements at `to`, of which as many as there are
/// set bits are the result, and the rest is anything. `compress_indices` compresses the numbers
/// `first`, `first + 1`, … instead of elements.
///
/// # Safety
/// As [`Lanes`]; and `compress` writes nothing beyond those eight.
#[allow(missing_docs)]
#[allow(clippy::missing_safety_doc)] // `compress`: `from` and `to` are eight elements, at any alignment
pub unsafe trait MaskLanes: Lanes<f32> + Lanes<f64> + Lanes<i16> {
    /// The lanes whose bit is set, and `+0` for the others.
    fn keep_f32(self, bits: u32, x: V<Self, f32>) -> V<Self, f32>;
    fn keep_f64(self, bits: u32, x: V<Self, f64>) -> V<Self, f64>;
    fn keep_i16(self, bits: u32, x: V<Self, i16>) -> V<Self, i16>;

    // Without a shuffle by variable places, one element after the other: eight loads and stores at
    // any density, which a loop over set bits beats only where hardly any is set.
    #[inline(always)]
    unsafe fn compress_16(self, bits: u8, from: *const i16, to: *mut i16) {
        // SAFETY: forwarded.
        unsafe { one_by_one(bits, from, to) }
    }
    #[inline(always)]
    unsafe fn compress_32(self, bits: u8, from: *const f32, to: *mut f32) {
        // SAFETY: forwarded.
        unsafe { one_by_one(bits, from, to) }
    }
    #[inline(always)]
    unsafe fn compress_64(self, bits: u8, from: *const f64, to: *mut f64) {
        // SAFETY: forwarded.
        unsafe { one_by_one(bits, from, to) }
    }
    #[inline(always)]
    unsafe fn compress_indices_32(self, bits: u8, first: u32, to: *mut u32) {
        let places = PLACES[bits as usize];
        let mut j = 0;
        while j < 8 {
            // SAFETY: eight elements, for which the caller vouches.
            unsafe { to.add(j).write_unaligned(first + u32::from(places[j])) };
            j += 1;
        }
    }
    #[inline(always)]
    unsafe fn compress_indices_64(self, bits: u8, first: u64, to: *mut u64) {
        let places = PLACES[bits as usize];
        let mut j = 0;
        while j < 8 {
            // SAFETY: as above.
            unsafe { to.add(j).write_unaligned(first + u64::from(places[j])) };
            j += 1;
        }
    }
}

/// # Safety
/// `from` is valid for reads and `to` for writes of eight elements at any alignment.
#[inline(always)]
unsafe fn one_by_one<T: Copy>(bits: u8, from: *const T, to: *mut T) {
    let mut j = 0;
    while j < 8 {
        // SAFETY: both places are below 8.
        unsafe {
            let x = from.add(PLACES[bits as usize][j] as usize).read_unaligned();
            to.add(j).write_unaligned(x);
        }
        j += 1;
    }
}

/// For each byte the numbers of its set bits, in order, then zeros.
pub(crate) const PLACES: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut n) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                table[byte][n] = bit as u8;
                n += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    table
};

/// `2^i`, as bits.
pub(crate) const POWERS: [i16; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        table[i] = (1u16 << i).cast_signed();
        i += 1;
    }
    table
};

/// A loop with its arguments, to be run with a unit's instructions.
pub trait WithSimd<S> {
    /// What it returns.
    type Output;

    /// Runs it; `#[inline(always)]`, like all below it.
    ///
    /// # Safety
    /// As the fields of the implementing type say.
    unsafe fn with_simd(self, s: S) -> Self::Output;
}

/// A loop from one array to another, to be run with a unit's instructions.
pub trait MapWithSimd<S, E> {
    /// `dst[i] = op(src[i])` for `i < len`; `#[inline(always)]`, like all below it.
    ///
    /// # Safety
    /// `src` is valid for reads and `dst` for writes of `len` elements at any alignment, and they are
    /// the same pointer or do not overlap. With `stream`, they do not overlap, and `dst` is aligned
    /// to its element.
    unsafe fn map_with_simd(self, s: S, src: *const E, dst: *mut E, len: usize, stream: bool);
}
