//! The unit with 32-byte registers, in a file of its own also for the compiler, which makes one piece of work of a file.

use core::arch::x86_64::*;

use super::{first, lanes};
use crate::isa::avx2::{Avx2, ones_below_4};
use crate::isa::macros::{entry_points, intrinsics};
use crate::lanes::{FloatLanes, Lanes};
use crate::odd_lanes::OddLanes;
use crate::piece_lanes::PieceLanes;
use crate::simd::{FullSimd, MapWithSimd, MaskLanes, Simd, WithSimd};
use crate::table_lanes::TableLanes;

/// The unit with 32-byte registers; only its entry points make one.
#[derive(Clone, Copy)]
pub struct Avx512Vl256(());

impl Avx512Vl256 {
    /// The AVX2 unit that every AVX-512 unit is as well.
    #[inline(always)]
    fn avx2(self) -> Avx2 {
        // SAFETY: whoever runs this unit's kernels vouched for a CPU that has AVX2, FMA, F16C and POPCNT.
        unsafe { Avx2::new() }
    }
}

/// Words that AVX2 has as well.
macro_rules! of_avx2 {
    ($(fn $word:ident($($arg:ident: $T:ty),*) -> $R:ty;)*) => {$(
        #[inline(always)]
        fn $word(self, $($arg: $T),*) -> $R {
            self.avx2().$word($($arg),*)
        }
    )*};
}

impl Simd for Avx512Vl256 {
    crate::avx512_features! { entry_points; Avx512Vl256(()) }

    of_avx2! {
        fn widen(x: __m256) -> [__m256d; 2];
        fn narrow(x: [__m256d; 2]) -> __m256;
        fn widen_f16(x: __m256i) -> [__m256; 2];
        fn narrow_f16(x: [__m256; 2]) -> __m256i;
        fn widen_bf16(x: __m256i) -> [__m256; 2];
        fn narrow_bf16(x: [__m256; 2]) -> __m256i;
        fn narrow_bf16_own(x: [__m256; 2]) -> __m256i;
        fn high_halves(x: [__m256i; 2]) -> __m256i;
    }

    #[inline(always)]
    unsafe fn lookup(self, table: *const u8, x: __m256i) -> __m256i {
        // SAFETY: forwarded.
        unsafe { self.avx2().lookup(table, x) }
    }

    #[inline(always)]
    unsafe fn stream<V: Copy>(self, p: *mut V, v: V) {
        // SAFETY: forwarded.
        unsafe { self.avx2().stream(p, v) }
    }
}

impl PieceLanes for Avx512Vl256 {}
impl TableLanes for Avx512Vl256 {}

impl OddLanes for Avx512Vl256 {
    #[inline(always)]
    fn mul_to_odd<const TINY: bool>(self, a: __m256, b: __m256) -> __m256 {
        self.avx2().mul_to_odd::<TINY>(a, b)
    }
    #[inline(always)]
    fn add_to_odd(self, a: __m256, b: __m256) -> __m256 {
        self.avx2().add_to_odd(a, b)
    }
}

impl FullSimd for Avx512Vl256 {
    of_avx2! {
        fn narrow_i8(x: [__m256i; 4]) -> __m256i;
        fn widen_i8(x: __m256i) -> [__m256i; 4];
        fn reorder_bf16(x: __m256i) -> __m256i;
        fn mul_u32(a: __m256i, b: __m256i) -> __m256i;
        fn xor_u64(a: __m256i, b: __m256i) -> __m256i;
    }

    #[inline(always)]
    fn shl_u64<const BITS: i32>(self, x: __m256i) -> __m256i {
        self.avx2().shl_u64::<BITS>(x)
    }
    #[inline(always)]
    fn shr_u64<const BITS: i32>(self, x: __m256i) -> __m256i {
        self.avx2().shr_u64::<BITS>(x)
    }
}

lanes! {
    Avx512Vl256 of f32 in __m256, __mmask8: _mm256_set1_ps _mm256_add_ps _mm256_sub_ps _mm256_and_ps
        _mm256_mask_blend_ps _mm256_max_ps _mm256_min_ps
        _mm256_maskz_loadu_ps _mm256_mask_storeu_ps, lt _mm256_cmp_ps_mask::<_CMP_LT_OQ>;
    Avx512Vl256 of f64 in __m256d, __mmask8: _mm256_set1_pd _mm256_add_pd _mm256_sub_pd _mm256_and_pd
        _mm256_mask_blend_pd _mm256_max_pd _mm256_min_pd
        _mm256_maskz_loadu_pd _mm256_mask_storeu_pd, lt _mm256_cmp_pd_mask::<_CMP_LT_OQ>;
    Avx512Vl256 of i8 in __m256i, __mmask32: _mm256_set1_epi8 _mm256_add_epi8 _mm256_sub_epi8 _mm256_and_si256
        _mm256_mask_blend_epi8 _mm256_max_epi8 _mm256_min_epi8
        _mm256_maskz_loadu_epi8 _mm256_mask_storeu_epi8, lt _mm256_cmplt_epi8_mask;
    Avx512Vl256 of i16 in __m256i, __mmask16: _mm256_set1_epi16 _mm256_add_epi16 _mm256_sub_epi16 _mm256_and_si256
        _mm256_mask_blend_epi16 _mm256_max_epi16 _mm256_min_epi16
        _mm256_maskz_loadu_epi16 _mm256_mask_storeu_epi16, lt _mm256_cmplt_epi16_mask;
    Avx512Vl256 of i32 in __m256i, __mmask8: _mm256_set1_epi32 _mm256_add_epi32 _mm256_sub_epi32 _mm256_and_si256
        _mm256_mask_blend_epi32 _mm256_max_epi32 _mm256_min_epi32
        _mm256_maskz_loadu_epi32 _mm256_mask_storeu_epi32, lt _mm256_cmplt_epi32_mask;
    Avx512Vl256 of i64 in __m256i, __mmask8: _mm256_set1_epi64x _mm256_add_epi64 _mm256_sub_epi64 _mm256_and_si256
        _mm256_mask_blend_epi64 _mm256_max_epi64 _mm256_min_epi64
        _mm256_maskz_loadu_epi64 _mm256_mask_storeu_epi64, lt _mm256_cmplt_epi64_mask;
}

macro_rules! float_lanes {
    ($($E:ident in $V:ident, $M:ident: $mul:ident $div:ident $le:expr;)*) => {$(
        impl FloatLanes<$E> for Avx512Vl256 {
            intrinsics! {
                fn mul(a: $V, b: $V) -> $V = $mul(a, b);
                fn div(a: $V, b: $V) -> $V = $div(a, b);
                fn le(a: $V, b: $V) -> $M = $le(a, b);
            }
            #[inline(always)]
            fn abs(self, x: $V) -> $V {
                FloatLanes::<$E>::abs(self.avx2(), x)
            }
            const FUSED: bool = true;
            #[inline(always)]
            fn mul_add(self, a: $V, b: $V, c: $V) -> $V {
                FloatLanes::<$E>::mul_add(self.avx2(), a, b, c)
            }
            #[inline(always)]
            fn neg_mul_add(self, a: $V, b: $V, c: $V) -> $V {
                FloatLanes::<$E>::neg_mul_add(self.avx2(), a, b, c)
            }
            #[inline(always)]
            fn copysign(self, x: $V, sign: $V) -> $V {
                FloatLanes::<$E>::copysign(self.avx2(), x, sign)
            }
            #[inline(always)]
            fn pow2(self, shifted: $V) -> $V {
                FloatLanes::<$E>::pow2(self.avx2(), shifted)
            }
        }
    )*};
}
float_lanes! {
    f32 in __m256, __mmask8: _mm256_mul_ps _mm256_div_ps _mm256_cmp_ps_mask::<_CMP_LE_OQ>;
    f64 in __m256d, __mmask8: _mm256_mul_pd _mm256_div_pd _mm256_cmp_pd_mask::<_CMP_LE_OQ>;
}

// Compressed into a register and stored whole: Zen 4 runs the form that stores what is compressed
// by microcode. SAFETY: as AVX2.
unsafe impl MaskLanes for Avx512Vl256 {
    intrinsics! {
        fn keep_f32(bits: u32, x: __m256) -> __m256 = _mm256_maskz_mov_ps(bits as u8, x);
        fn keep_f64(bits: u32, x: __m256d) -> __m256d = _mm256_maskz_mov_pd(bits as u8, x);
        fn keep_i16(bits: u32, x: __m256i) -> __m256i = _mm256_maskz_mov_epi16(bits as u16, x);
    }
    #[inline(always)]
    unsafe fn compress_16(self, bits: u8, from: *const i16, to: *mut i16) {
        // SAFETY: forwarded; 16-bit lanes are compressed by VBMI2 only.
        unsafe { self.avx2().compress_16(bits, from, to) }
    }
    #[inline(always)]
    unsafe fn compress_32(self, bits: u8, from: *const f32, to: *mut f32) {
        // SAFETY: eight elements are one register.
        unsafe { _mm256_storeu_ps(to, _mm256_maskz_compress_ps(bits, _mm256_loadu_ps(from))) }
    }
    #[inline(always)]
    unsafe fn compress_64(self, bits: u8, from: *const f64, to: *mut f64) {
        // SAFETY: four elements are one register.
        unsafe {
            let (a, b) = (_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4)));
            _mm256_storeu_pd(to, _mm256_maskz_compress_pd(bits, a));
            _mm256_storeu_pd(
                to.add(ones_below_4(bits)),
                _mm256_maskz_compress_pd(bits >> 4, b),
            );
        }
    }
    #[inline(always)]
    unsafe fn compress_indices_32(self, bits: u8, first: u32, to: *mut u32) {
        // SAFETY: as `compress_32`.
        unsafe {
            let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let i = _mm256_add_epi32(_mm256_set1_epi32(first.cast_signed()), lane);
            _mm256_storeu_si256(to.cast(), _mm256_maskz_compress_epi32(bits, i));
        }
    }
    #[inline(always)]
    unsafe fn compress_indices_64(self, bits: u8, first: u64, to: *mut u64) {
        // SAFETY: as `compress_64`.
        unsafe {
            let lane = _mm256_setr_epi64x(0, 1, 2, 3);
            let a = _mm256_add_epi64(_mm256_set1_epi64x(first.cast_signed()), lane);
            let b = _mm256_add_epi64(a, _mm256_set1_epi64x(4));
            _mm256_storeu_si256(to.cast(), _mm256_maskz_compress_epi64(bits, a));
            let to = to.add(ones_below_4(bits));
            _mm256_storeu_si256(to.cast(), _mm256_maskz_compress_epi64(bits >> 4, b));
        }
    }
}
