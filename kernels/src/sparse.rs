//! What bit masks ask of a vector unit: to drop the lanes whose bit is clear, and to close up those
//! whose bit is set.

use crate::isa::portable::Portable;
use crate::lanes::{Lanes, V};

/// The words of masks. Bit `i` speaks of lane `i`.
///
/// The `pack` words write whole registers: eight elements at `to`, of which as many as there are set
/// bits are the result, and the rest is anything. `index` is `pack` of `first`, `first + 1`, …
///
/// # Safety
/// As [`Lanes`]; and `pack` writes nothing beyond those eight.
#[allow(missing_docs)]
#[allow(clippy::missing_safety_doc)] // `pack`: `from` and `to` are eight elements at any alignment
pub unsafe trait Sparse: Lanes<f32> + Lanes<f64> + Lanes<i16> {
    /// The lanes whose bit is set, and `+0` for the others.
    fn keep_f32(self, bits: u32, x: V<Self, f32>) -> V<Self, f32>;
    fn keep_f64(self, bits: u32, x: V<Self, f64>) -> V<Self, f64>;
    fn keep_i16(self, bits: u32, x: V<Self, i16>) -> V<Self, i16>;

    // Without a shuffle by variable places, one element after the other: eight loads and stores at
    // any density, which a loop over set bits beats only where hardly any is set.
    #[inline(always)]
    unsafe fn pack_16(self, bits: u8, from: *const i16, to: *mut i16) {
        // SAFETY: forwarded.
        unsafe { one_by_one(bits, from, to) }
    }
    #[inline(always)]
    unsafe fn pack_32(self, bits: u8, from: *const f32, to: *mut f32) {
        // SAFETY: forwarded.
        unsafe { one_by_one(bits, from, to) }
    }
    #[inline(always)]
    unsafe fn pack_64(self, bits: u8, from: *const f64, to: *mut f64) {
        // SAFETY: forwarded.
        unsafe { one_by_one(bits, from, to) }
    }
    #[inline(always)]
    unsafe fn index_32(self, bits: u8, first: u32, to: *mut u32) {
        // SAFETY: forwarded.
        unsafe {
            let mut j = 0;
            while j < 8 {
                to.add(j).write_unaligned(first + u32::from(place(bits, j)));
                j += 1;
            }
        }
    }
    #[inline(always)]
    unsafe fn index_64(self, bits: u8, first: u64, to: *mut u64) {
        // SAFETY: forwarded.
        unsafe {
            let mut j = 0;
            while j < 8 {
                to.add(j).write_unaligned(first + u64::from(place(bits, j)));
                j += 1;
            }
        }
    }
}

/// For each byte the numbers of its set bits, in order, then zeros.
const PLACES: [[u8; 8]; 256] = {
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

#[inline(always)]
fn place(bits: u8, j: usize) -> u8 {
    PLACES[bits as usize][j]
}

/// # Safety
/// `from` is valid for reads and `to` for writes of eight elements at any alignment.
#[inline(always)]
unsafe fn one_by_one<T: Copy>(bits: u8, from: *const T, to: *mut T) {
    let mut j = 0;
    while j < 8 {
        // SAFETY: both places are below 8.
        unsafe {
            let x = from.add(place(bits, j) as usize).read_unaligned();
            to.add(j).write_unaligned(x);
        }
        j += 1;
    }
}

// SAFETY: the defaults write eight elements.
unsafe impl Sparse for Portable {
    #[inline(always)]
    fn keep_f32(self, bits: u32, x: wide::f32x8) -> wide::f32x8 {
        let lane = wide::i32x8::new([1, 2, 4, 8, 16, 32, 64, 128]);
        let set = (wide::i32x8::splat(bits.cast_signed()) & lane).simd_eq(lane);
        // SAFETY: plain registers of one size.
        x & unsafe { core::mem::transmute::<wide::i32x8, wide::f32x8>(set) }
    }
    #[inline(always)]
    fn keep_f64(self, bits: u32, x: wide::f64x4) -> wide::f64x4 {
        let lane = wide::i64x4::new([1, 2, 4, 8]);
        let set = (wide::i64x4::splat(i64::from(bits)) & lane).simd_eq(lane);
        // SAFETY: plain registers of one size.
        x & unsafe { core::mem::transmute::<wide::i64x4, wide::f64x4>(set) }
    }
    #[inline(always)]
    fn keep_i16(self, bits: u32, x: wide::i16x16) -> wide::i16x16 {
        let lane = wide::i16x16::new(POWERS);
        x & (wide::i16x16::splat(bits as i16) & lane).simd_eq(lane)
    }
}

/// `2^i`, as bits.
const POWERS: [i16; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        table[i] = (1u16 << i).cast_signed();
        i += 1;
    }
    table
};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::*;
    use core::mem::transmute;

    use super::{PLACES, POWERS, Sparse};
    use crate::isa::avx2::Avx2;
    use crate::isa::avx512::Avx512;
    use crate::isa::words;

    /// [`PLACES`] of the 32-bit halves of four 64-bit lanes.
    const HALVES: [[u8; 8]; 16] = {
        let mut table = [[0; 8]; 16];
        let mut nibble = 0;
        while nibble < 16 {
            let mut j = 0;
            while j < 8 {
                table[nibble][j] = 2 * PLACES[nibble][j / 2] + (j % 2) as u8;
                j += 1;
            }
            nibble += 1;
        }
        table
    };

    /// How many of the lower four bits are set.
    #[inline(always)]
    fn low(bits: u8) -> usize {
        // A digit for each of the sixteen: less to fetch than a table.
        (0x4332_3221_3221_2110u64 >> (4 * (bits & 15)) & 15) as usize
    }

    #[inline(always)]
    unsafe fn bytes(table: &[u8; 8]) -> __m128i {
        // SAFETY: eight bytes.
        unsafe { _mm_loadl_epi64(table.as_ptr().cast()) }
    }

    /// # Safety
    /// As [`Sparse`], on a CPU that has AVX2.
    #[inline(always)]
    unsafe fn pack_16(bits: u8, from: *const i16, to: *mut i16) {
        // SAFETY: eight elements of two bytes are one register.
        unsafe {
            // Of place p the bytes 2p and 2p + 1.
            let places = _mm_cvtepu8_epi16(bytes(&PLACES[bits as usize]));
            let twice = _mm_mullo_epi16(places, _mm_set1_epi16(0x0202));
            let pairs = _mm_add_epi16(twice, _mm_set1_epi16(0x0100));
            _mm_storeu_si128(
                to.cast(),
                _mm_shuffle_epi8(_mm_loadu_si128(from.cast()), pairs),
            );
        }
    }

    // SAFETY: `pack` and `index` store eight elements, or four, and four more from at most the fourth.
    unsafe impl Sparse for Avx2 {
        words! {
            fn keep_f32(bits: u32, x: __m256) -> __m256 = {
                let lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
                let set = _mm256_and_si256(_mm256_set1_epi32(bits.cast_signed()), lane);
                _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lane)))
            };
            fn keep_f64(bits: u32, x: __m256d) -> __m256d = {
                let lane = _mm256_setr_epi64x(1, 2, 4, 8);
                let set = _mm256_and_si256(_mm256_set1_epi64x(i64::from(bits)), lane);
                _mm256_and_pd(x, _mm256_castsi256_pd(_mm256_cmpeq_epi64(set, lane)))
            };
            fn keep_i16(bits: u32, x: __m256i) -> __m256i = {
                let lane = transmute::<[i16; 16], __m256i>(POWERS);
                let set = _mm256_and_si256(_mm256_set1_epi16(bits as i16), lane);
                _mm256_and_si256(x, _mm256_cmpeq_epi16(set, lane))
            };
        }
        #[inline(always)]
        unsafe fn pack_16(self, bits: u8, from: *const i16, to: *mut i16) {
            // SAFETY: forwarded.
            unsafe { pack_16(bits, from, to) }
        }
        #[inline(always)]
        unsafe fn pack_32(self, bits: u8, from: *const f32, to: *mut f32) {
            // SAFETY: eight elements are one register.
            unsafe {
                let places = _mm256_cvtepu8_epi32(bytes(&PLACES[bits as usize]));
                let x = _mm256_permutevar8x32_ps(_mm256_loadu_ps(from), places);
                _mm256_storeu_ps(to, x);
            }
        }
        #[inline(always)]
        unsafe fn pack_64(self, bits: u8, from: *const f64, to: *mut f64) {
            // SAFETY: four elements are one register.
            unsafe {
                let half = |nibble: u8, from: *const f64, to: *mut f64| {
                    let places = _mm256_cvtepu8_epi32(bytes(&HALVES[nibble as usize & 15]));
                    let x = _mm256_loadu_ps(from.cast());
                    _mm256_storeu_ps(to.cast(), _mm256_permutevar8x32_ps(x, places));
                };
                half(bits, from, to);
                half(bits >> 4, from.add(4), to.add(low(bits)));
            }
        }
        #[inline(always)]
        unsafe fn index_32(self, bits: u8, first: u32, to: *mut u32) {
            // SAFETY: as `pack_32`.
            unsafe {
                let places = _mm256_cvtepu8_epi32(bytes(&PLACES[bits as usize]));
                let first = _mm256_set1_epi32(first.cast_signed());
                _mm256_storeu_si256(to.cast(), _mm256_add_epi32(first, places));
            }
        }
        #[inline(always)]
        unsafe fn index_64(self, bits: u8, first: u64, to: *mut u64) {
            // SAFETY: as `pack_64`.
            unsafe {
                let half = |nibble: u8, first: u64, to: *mut u64| {
                    let places = _mm256_cvtepu8_epi64(bytes(&PLACES[nibble as usize & 15]));
                    let first = _mm256_set1_epi64x(first.cast_signed());
                    _mm256_storeu_si256(to.cast(), _mm256_add_epi64(first, places));
                };
                half(bits, first, to);
                half(bits >> 4, first + 4, to.add(low(bits)));
            }
        }
    }

    // Compressed into a register and stored whole: Zen 4 runs the form that stores what is compressed
    // by microcode. SAFETY: as AVX2.
    unsafe impl Sparse for Avx512 {
        words! {
            fn keep_f32(bits: u32, x: __m256) -> __m256 = _mm256_maskz_mov_ps(bits as u8, x);
            fn keep_f64(bits: u32, x: __m256d) -> __m256d = _mm256_maskz_mov_pd(bits as u8, x);
            fn keep_i16(bits: u32, x: __m256i) -> __m256i = _mm256_maskz_mov_epi16(bits as u16, x);
        }
        #[inline(always)]
        unsafe fn pack_16(self, bits: u8, from: *const i16, to: *mut i16) {
            // SAFETY: forwarded; 16-bit lanes are compressed by VBMI2 only.
            unsafe { pack_16(bits, from, to) }
        }
        #[inline(always)]
        unsafe fn pack_32(self, bits: u8, from: *const f32, to: *mut f32) {
            // SAFETY: eight elements are one register.
            unsafe { _mm256_storeu_ps(to, _mm256_maskz_compress_ps(bits, _mm256_loadu_ps(from))) }
        }
        #[inline(always)]
        unsafe fn pack_64(self, bits: u8, from: *const f64, to: *mut f64) {
            // SAFETY: four elements are one register.
            unsafe {
                let (a, b) = (_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4)));
                _mm256_storeu_pd(to, _mm256_maskz_compress_pd(bits, a));
                _mm256_storeu_pd(to.add(low(bits)), _mm256_maskz_compress_pd(bits >> 4, b));
            }
        }
        #[inline(always)]
        unsafe fn index_32(self, bits: u8, first: u32, to: *mut u32) {
            // SAFETY: as `pack_32`.
            unsafe {
                let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
                let i = _mm256_add_epi32(_mm256_set1_epi32(first.cast_signed()), lane);
                _mm256_storeu_si256(to.cast(), _mm256_maskz_compress_epi32(bits, i));
            }
        }
        #[inline(always)]
        unsafe fn index_64(self, bits: u8, first: u64, to: *mut u64) {
            // SAFETY: as `pack_64`.
            unsafe {
                let lane = _mm256_setr_epi64x(0, 1, 2, 3);
                let a = _mm256_add_epi64(_mm256_set1_epi64x(first.cast_signed()), lane);
                let b = _mm256_add_epi64(a, _mm256_set1_epi64x(4));
                _mm256_storeu_si256(to.cast(), _mm256_maskz_compress_epi64(bits, a));
                let to = to.add(low(bits));
                _mm256_storeu_si256(to.cast(), _mm256_maskz_compress_epi64(bits >> 4, b));
            }
        }
    }
}
