//! AVX2 with FMA, F16C and POPCNT: 32-byte registers.

mod odd;
mod tables;

use core::arch::x86_64::*;
use core::mem::transmute_copy;

use super::macros::{entry_points, intrinsics};
use crate::lanes::{FloatLanes, Lanes};
use crate::piece_lanes::{PieceLanes, look_up_each};
use crate::simd::{FullSimd, MapWithSimd, MaskLanes, PLACES, POWERS, Simd, WithSimd};

/// The features that this instruction set needs, for `$then!`; then what else it is to be given.
#[macro_export]
#[doc(hidden)]
macro_rules! avx2_features {
    ($then:ident $($rest:tt)*) => {
        $then! { "avx2" "fma" "f16c" "popcnt" $($rest)* }
    };
}

/// The AVX2 vector unit; only its entry points make one.
#[derive(Clone, Copy)]
pub struct Avx2(());

impl Avx2 {
    /// Another unit's way to what AVX2 does as well.
    ///
    /// # Safety
    /// The CPU has AVX2, FMA, F16C and POPCNT.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

impl Simd for Avx2 {
    crate::avx2_features! { entry_points; Avx2(()) }

    intrinsics! {
        fn widen(x: __m256) -> [__m256d; 2] = [
            _mm256_cvtps_pd(_mm256_castps256_ps128(x)),
            _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(x)),
        ];
        fn narrow(x: [__m256d; 2]) -> __m256 =
            _mm256_set_m128(_mm256_cvtpd_ps(x[1]), _mm256_cvtpd_ps(x[0]));
        fn widen_f16(x: __m256i) -> [__m256; 2] = [
            _mm256_cvtph_ps(_mm256_castsi256_si128(x)),
            _mm256_cvtph_ps(_mm256_extracti128_si256::<1>(x)),
        ];
        fn narrow_f16(x: [__m256; 2]) -> __m256i = _mm256_set_m128i(
            _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x[1]),
            _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x[0]),
        );
        // Each 128-bit half on its own, which packing undoes: cheaper than crossing them.
        fn widen_bf16(x: __m256i) -> [__m256; 2] = [
            _mm256_castsi256_ps(_mm256_unpacklo_epi16(_mm256_setzero_si256(), x)),
            _mm256_castsi256_ps(_mm256_unpackhi_epi16(_mm256_setzero_si256(), x)),
        ];
        fn narrow_bf16(x: [__m256; 2]) -> __m256i =
            _mm256_packus_epi32(bf16_of(x[0]), bf16_of(x[1]));
        fn narrow_bf16_own(x: [__m256; 2]) -> __m256i = {
            let (low, high) = (rounded_to_bf16(x[0]), rounded_to_bf16(x[1]));
            _mm256_packus_epi32(_mm256_srli_epi32::<16>(low), _mm256_srli_epi32::<16>(high))
        };
        fn high_halves(x: [__m256i; 2]) -> __m256i =
            _mm256_packus_epi32(_mm256_srli_epi32::<16>(x[0]), _mm256_srli_epi32::<16>(x[1]));
    }

    // A byte shuffle looks up the lower four bits in 16 entries; the upper four choose one of 16
    // such shuffles, by a tree of blends that go by the uppermost bit of each byte. (Shifted as
    // 16-bit numbers, that bit is still the byte's own.)
    #[inline(always)]
    unsafe fn lookup(self, table: *const u8, x: __m256i) -> __m256i {
        // SAFETY: the caller vouches for the table: eight times 32 bytes.
        unsafe {
            let key = Key {
                low: _mm256_and_si256(x, _mm256_set1_epi8(15)),
                bits: [
                    _mm256_slli_epi16::<3>(x),
                    _mm256_slli_epi16::<2>(x),
                    _mm256_slli_epi16::<1>(x),
                    x,
                ],
            };
            let (low, high) = (key.of_128(table), key.of_128(table.add(128)));
            _mm256_blendv_epi8(low, high, key.bits[3])
        }
    }

    #[inline(always)]
    unsafe fn stream<V: Copy>(self, p: *mut V, v: V) {
        // SAFETY: the caller vouches for `p`, and that `V` is 32 bytes.
        unsafe { _mm256_stream_si256(p.cast(), transmute_copy(&v)) }
    }
}

impl FullSimd for Avx2 {
    intrinsics! {
        // Packing goes by 128-bit halves: four bytes of each register in turn, put right at the end.
        fn narrow_i8(x: [__m256i; 4]) -> __m256i = _mm256_permutevar8x32_epi32(
            _mm256_packs_epi16(_mm256_packs_epi32(x[0], x[1]), _mm256_packs_epi32(x[2], x[3])),
            _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7),
        );
        fn widen_i8(x: __m256i) -> [__m256i; 4] = {
            let (low, high) = (_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x));
            [
                _mm256_cvtepi8_epi32(low),
                _mm256_cvtepi8_epi32(_mm_srli_si128::<8>(low)),
                _mm256_cvtepi8_epi32(high),
                _mm256_cvtepi8_epi32(_mm_srli_si128::<8>(high)),
            ]
        };
        fn reorder_bf16(x: __m256i) -> __m256i = _mm256_permute4x64_epi64::<0b11_01_10_00>(x);
        fn mul_u32(a: __m256i, b: __m256i) -> __m256i = _mm256_mul_epu32(a, b);
        fn xor_u64(a: __m256i, b: __m256i) -> __m256i = _mm256_xor_si256(a, b);
    }

    #[inline(always)]
    fn shl_u64<const BITS: i32>(self, x: __m256i) -> __m256i {
        // SAFETY: register arithmetic; a unit exists only where the CPU has its instructions.
        unsafe { _mm256_slli_epi64::<BITS>(x) }
    }
    #[inline(always)]
    fn shr_u64<const BITS: i32>(self, x: __m256i) -> __m256i {
        // SAFETY: as above.
        unsafe { _mm256_srli_epi64::<BITS>(x) }
    }
}

/// What to look up: the lower four bits of each byte, and for each of the others a register with it
/// on top.
#[derive(Clone, Copy)]
struct Key {
    low: __m256i,
    bits: [__m256i; 4],
}

/// The tree of blends, for callers who have AVX2 and as many bytes at `table` as the name says.
impl Key {
    #[inline(always)]
    unsafe fn of_16(self, table: *const u8) -> __m256i {
        // SAFETY: as above.
        unsafe {
            let entries = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.cast()));
            _mm256_shuffle_epi8(entries, self.low)
        }
    }
    #[inline(always)]
    unsafe fn of_32(self, table: *const u8) -> __m256i {
        // SAFETY: as above.
        unsafe { _mm256_blendv_epi8(self.of_16(table), self.of_16(table.add(16)), self.bits[0]) }
    }
    #[inline(always)]
    unsafe fn of_64(self, table: *const u8) -> __m256i {
        // SAFETY: as above.
        unsafe { _mm256_blendv_epi8(self.of_32(table), self.of_32(table.add(32)), self.bits[1]) }
    }
    #[inline(always)]
    unsafe fn of_128(self, table: *const u8) -> __m256i {
        // SAFETY: as above.
        unsafe { _mm256_blendv_epi8(self.of_64(table), self.of_64(table.add(64)), self.bits[2]) }
    }
}

/// The bits of the nearest `bf16` in the lower half of each lane. To round to nearest even, add half
/// of the last place that is kept, or one less where that place is even already; a NaN, which the
/// addition could carry over into a number, is made quiet instead.
#[inline(always)]
unsafe fn bf16_of(x: __m256) -> __m256i {
    // SAFETY: register arithmetic, for callers who have AVX2.
    unsafe {
        let bits = _mm256_castps_si256(x);
        let rounded = rounded_to_bf16(x);
        let quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x40_0000));
        let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
        _mm256_srli_epi32::<16>(_mm256_blendv_epi8(rounded, quiet, nan))
    }
}

/// The same in the upper half, but of a NaN whose lower half is not zero.
#[inline(always)]
unsafe fn rounded_to_bf16(x: __m256) -> __m256i {
    // SAFETY: as above.
    unsafe {
        let bits = _mm256_castps_si256(x);
        let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
        _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)))
    }
}

// SAFETY: 32 bytes of plain elements.
unsafe impl Lanes<f32> for Avx2 {
    type V = __m256;
    type M = __m256;
    intrinsics! {
        fn splat(x: f32) -> __m256 = _mm256_set1_ps(x);
        fn add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
        fn sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
        fn and(a: __m256, b: __m256) -> __m256 = _mm256_and_ps(a, b);
        fn lt(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_LT_OQ>(a, b);
        fn select(m: __m256, yes: __m256, no: __m256) -> __m256 = _mm256_blendv_ps(no, yes, m);
        fn bitmask(m: __m256) -> u32 = _mm256_movemask_ps(m) as u32;
        fn max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
        fn min(a: __m256, b: __m256) -> __m256 = _mm256_min_ps(a, b);
    }
}

impl FloatLanes<f32> for Avx2 {
    intrinsics! {
        fn mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
        fn div(a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b);
        fn abs(x: __m256) -> __m256 = _mm256_andnot_ps(_mm256_set1_ps(-0.0), x);
        fn le(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_LE_OQ>(a, b);
        fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
        fn neg_mul_add(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fnmadd_ps(a, b, c);
        fn copysign(x: __m256, sign: __m256) -> __m256 = {
            let bit = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_andnot_ps(bit, x), _mm256_and_ps(bit, sign))
        };
        fn pow2(shifted: __m256) -> __m256 = {
            let n = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifted));
            _mm256_castsi256_ps(_mm256_add_epi32(n, _mm256_set1_epi32(127 << 23)))
        };
    }
    const FUSED: bool = true;
}

impl PieceLanes for Avx2 {
    const ENTRIES: usize = 8;

    #[inline(always)]
    fn look_up<const N: usize>(self, table: &'static [f32; N], index: __m256) -> __m256 {
        if const { N != 8 } {
            return look_up_each(self, table, index);
        }
        // SAFETY: eight entries are one register; AVX2 as above.
        unsafe {
            let entries = _mm256_loadu_ps(table.as_ptr());
            _mm256_permutevar8x32_ps(entries, _mm256_castps_si256(index))
        }
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self, x: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe {
            let count = _mm_cvtsi32_si128(BITS.cast_signed());
            _mm256_castsi256_ps(_mm256_sll_epi32(_mm256_castps_si256(x), count))
        }
    }

    #[inline(always)]
    fn shift_right<const BITS: u32>(self, x: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe {
            let count = _mm_cvtsi32_si128(BITS.cast_signed());
            _mm256_castsi256_ps(_mm256_srl_epi32(_mm256_castps_si256(x), count))
        }
    }

    intrinsics! {
        fn add_bits(a: __m256, b: __m256) -> __m256 = _mm256_castsi256_ps(_mm256_add_epi32(
            _mm256_castps_si256(a),
            _mm256_castps_si256(b),
        ));
        fn any_bits(x: __m256, of: u32) -> bool = if of == 1 << 31 {
            _mm256_movemask_ps(x) != 0
        } else {
            _mm256_testz_si256(_mm256_castps_si256(x), _mm256_set1_epi32(of.cast_signed())) == 0
        };
        fn expand(bits: u32, x: __m256, others: __m256) -> __m256 = {
            let ranks = _mm256_cvtepu8_epi32(bytes(&RANKS[bits as usize & 255]));
            let lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let set = _mm256_and_si256(_mm256_set1_epi32(bits.cast_signed()), lane);
            let set = _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lane));
            _mm256_blendv_ps(others, _mm256_permutevar8x32_ps(x, ranks), set)
        };
    }

    #[inline(always)]
    unsafe fn compress(self, bits: u32, x: __m256, to: *mut f32) {
        // SAFETY: the caller vouches for a register at `to`.
        unsafe {
            let places = _mm256_cvtepu8_epi32(bytes(&PLACES[bits as usize & 255]));
            _mm256_storeu_ps(to, _mm256_permutevar8x32_ps(x, places));
        }
    }
}

/// For each byte, how many of its bits are set below each.
const RANKS: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 1;
        while bit < 8 {
            table[byte][bit] = table[byte][bit - 1] + (byte >> (bit - 1) & 1) as u8;
            bit += 1;
        }
        byte += 1;
    }
    table
};

// SAFETY: 32 bytes of plain elements.
unsafe impl Lanes<f64> for Avx2 {
    type V = __m256d;
    type M = __m256d;
    intrinsics! {
        fn splat(x: f64) -> __m256d = _mm256_set1_pd(x);
        fn add(a: __m256d, b: __m256d) -> __m256d = _mm256_add_pd(a, b);
        fn sub(a: __m256d, b: __m256d) -> __m256d = _mm256_sub_pd(a, b);
        fn and(a: __m256d, b: __m256d) -> __m256d = _mm256_and_pd(a, b);
        fn lt(a: __m256d, b: __m256d) -> __m256d = _mm256_cmp_pd::<_CMP_LT_OQ>(a, b);
        fn select(m: __m256d, yes: __m256d, no: __m256d) -> __m256d = _mm256_blendv_pd(no, yes, m);
        fn bitmask(m: __m256d) -> u32 = _mm256_movemask_pd(m) as u32;
        fn max(a: __m256d, b: __m256d) -> __m256d = _mm256_max_pd(a, b);
        fn min(a: __m256d, b: __m256d) -> __m256d = _mm256_min_pd(a, b);
    }
}

impl FloatLanes<f64> for Avx2 {
    intrinsics! {
        fn mul(a: __m256d, b: __m256d) -> __m256d = _mm256_mul_pd(a, b);
        fn div(a: __m256d, b: __m256d) -> __m256d = _mm256_div_pd(a, b);
        fn abs(x: __m256d) -> __m256d = _mm256_andnot_pd(_mm256_set1_pd(-0.0), x);
        fn le(a: __m256d, b: __m256d) -> __m256d = _mm256_cmp_pd::<_CMP_LE_OQ>(a, b);
        fn mul_add(a: __m256d, b: __m256d, c: __m256d) -> __m256d = _mm256_fmadd_pd(a, b, c);
        fn neg_mul_add(a: __m256d, b: __m256d, c: __m256d) -> __m256d = _mm256_fnmadd_pd(a, b, c);
        fn copysign(x: __m256d, sign: __m256d) -> __m256d = {
            let bit = _mm256_set1_pd(-0.0);
            _mm256_or_pd(_mm256_andnot_pd(bit, x), _mm256_and_pd(bit, sign))
        };
        fn pow2(shifted: __m256d) -> __m256d = {
            let n = _mm256_slli_epi64::<52>(_mm256_castpd_si256(shifted));
            _mm256_castsi256_pd(_mm256_add_epi64(n, _mm256_set1_epi64x(1023 << 52)))
        };
    }
    const FUSED: bool = true;
}

macro_rules! int_lanes {
    ($($E:ident: $splat:ident $add:ident $sub:ident $greater:ident $bitmask:expr, $($max:ident $min:ident)?;)*) => {$(
        // SAFETY: 32 bytes of plain elements.
        unsafe impl Lanes<$E> for Avx2 {
            type V = __m256i;
            type M = __m256i;
            intrinsics! {
                fn splat(x: $E) -> __m256i = $splat(x);
                fn add(a: __m256i, b: __m256i) -> __m256i = $add(a, b);
                fn sub(a: __m256i, b: __m256i) -> __m256i = $sub(a, b);
                fn and(a: __m256i, b: __m256i) -> __m256i = _mm256_and_si256(a, b);
                fn lt(a: __m256i, b: __m256i) -> __m256i = $greater(b, a);
                fn select(m: __m256i, yes: __m256i, no: __m256i) -> __m256i =
                    _mm256_blendv_epi8(no, yes, m);
                fn bitmask(m: __m256i) -> u32 = $bitmask(m) as u32;
                $(fn max(a: __m256i, b: __m256i) -> __m256i = $max(a, b);
                fn min(a: __m256i, b: __m256i) -> __m256i = $min(a, b);)?
            }
        }
    )*};
}
int_lanes! {
    i8: _mm256_set1_epi8 _mm256_add_epi8 _mm256_sub_epi8 _mm256_cmpgt_epi8 _mm256_movemask_epi8,
        _mm256_max_epi8 _mm256_min_epi8;
    i16: _mm256_set1_epi16 _mm256_add_epi16 _mm256_sub_epi16 _mm256_cmpgt_epi16 bitmask_i16,
        _mm256_max_epi16 _mm256_min_epi16;
    i32: _mm256_set1_epi32 _mm256_add_epi32 _mm256_sub_epi32 _mm256_cmpgt_epi32 bitmask_i32,
        _mm256_max_epi32 _mm256_min_epi32;
    i64: _mm256_set1_epi64x _mm256_add_epi64 _mm256_sub_epi64 _mm256_cmpgt_epi64 bitmask_i64,;
}

#[inline(always)]
unsafe fn bitmask_i16(m: __m256i) -> i32 {
    // SAFETY: register arithmetic, for callers who have AVX2.
    unsafe {
        let (low, high) = (_mm256_castsi256_si128(m), _mm256_extracti128_si256::<1>(m));
        _mm_movemask_epi8(_mm_packs_epi16(low, high))
    }
}

#[inline(always)]
unsafe fn bitmask_i32(m: __m256i) -> i32 {
    // SAFETY: as above.
    unsafe { _mm256_movemask_ps(_mm256_castsi256_ps(m)) }
}

#[inline(always)]
unsafe fn bitmask_i64(m: __m256i) -> i32 {
    // SAFETY: as above.
    unsafe { _mm256_movemask_pd(_mm256_castsi256_pd(m)) }
}

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
pub(super) fn ones_below_4(bits: u8) -> usize {
    // A digit for each of the sixteen: less to fetch than a table.
    (0x4332_3221_3221_2110u64 >> (4 * (bits & 15)) & 15) as usize
}

#[inline(always)]
unsafe fn bytes(table: &[u8; 8]) -> __m128i {
    // SAFETY: eight bytes.
    unsafe { _mm_loadl_epi64(table.as_ptr().cast()) }
}

/// # Safety
/// As [`MaskLanes`], on a CPU that has AVX2.
#[inline(always)]
pub(super) unsafe fn compress_16(bits: u8, from: *const i16, to: *mut i16) {
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

// SAFETY: the words store eight elements, or four, and four more from at most the fourth.
unsafe impl MaskLanes for Avx2 {
    intrinsics! {
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
            let lane = core::mem::transmute::<[i16; 16], __m256i>(POWERS);
            let set = _mm256_and_si256(_mm256_set1_epi16(bits as i16), lane);
            _mm256_and_si256(x, _mm256_cmpeq_epi16(set, lane))
        };
    }
    #[inline(always)]
    unsafe fn compress_16(self, bits: u8, from: *const i16, to: *mut i16) {
        // SAFETY: forwarded.
        unsafe { compress_16(bits, from, to) }
    }
    #[inline(always)]
    unsafe fn compress_32(self, bits: u8, from: *const f32, to: *mut f32) {
        // SAFETY: eight elements are one register.
        unsafe {
            let places = _mm256_cvtepu8_epi32(bytes(&PLACES[bits as usize]));
            let x = _mm256_permutevar8x32_ps(_mm256_loadu_ps(from), places);
            _mm256_storeu_ps(to, x);
        }
    }
    #[inline(always)]
    unsafe fn compress_64(self, bits: u8, from: *const f64, to: *mut f64) {
        // SAFETY: four elements are one register.
        unsafe {
            let half = |nibble: u8, from: *const f64, to: *mut f64| {
                let places = _mm256_cvtepu8_epi32(bytes(&HALVES[nibble as usize & 15]));
                let x = _mm256_loadu_ps(from.cast());
                _mm256_storeu_ps(to.cast(), _mm256_permutevar8x32_ps(x, places));
            };
            half(bits, from, to);
            half(bits >> 4, from.add(4), to.add(ones_below_4(bits)));
        }
    }
    #[inline(always)]
    unsafe fn compress_indices_32(self, bits: u8, first: u32, to: *mut u32) {
        // SAFETY: as `compress_32`.
        unsafe {
            let places = _mm256_cvtepu8_epi32(bytes(&PLACES[bits as usize]));
            let first = _mm256_set1_epi32(first.cast_signed());
            _mm256_storeu_si256(to.cast(), _mm256_add_epi32(first, places));
        }
    }
    #[inline(always)]
    unsafe fn compress_indices_64(self, bits: u8, first: u64, to: *mut u64) {
        // SAFETY: as `compress_64`.
        unsafe {
            let half = |nibble: u8, first: u64, to: *mut u64| {
                let places = _mm256_cvtepu8_epi64(bytes(&PLACES[nibble as usize & 15]));
                let first = _mm256_set1_epi64x(first.cast_signed());
                _mm256_storeu_si256(to.cast(), _mm256_add_epi64(first, places));
            };
            half(bits, first, to);
            half(bits >> 4, first + 4, to.add(ones_below_4(bits)));
        }
    }
}
