//! AVX-512 F, BW, DQ and VL on 64-byte registers: for operations that are bound by computation, where
//! each instruction in flight then works on twice the elements. What is bound by loads and stores stays
//! with `avx512.rs`, which says why. There is no table of this unit: that of AVX-512 has its kernels.
//!
//! On the same buffers in turn (Zen 4, best of 60 or more at 4,096 and 2^18 elements, on a busy machine),
//! hard_swish ran at 1.3 to 1.4 times the speed of 32-byte registers on f32, f64 and f16 and at 1.03 to
//! 1.07 on bf16, its derivative at 1.45 to 1.54; hard_sigmoid at 0.91 to 1.11, its derivative at 1.01 to
//! 1.6. Softsign has 32 bytes: it divides, which is no faster on 64 (on f32 and f64 0.94 to 1.05, and its
//! derivative 0.84 to 1.14; only on f16 and bf16 up to 1.35).

use core::arch::x86_64::*;
use core::mem::transmute_copy;

use crate::element::Element;
use crate::isa::avx512::first;
use crate::isa::{entry, words};
use crate::lanes::{FloatLanes, Lanes, Simd, Task};
use crate::ops::Elementwise;

/// The unit; only the functions that `entry!` stamps make one.
#[derive(Clone, Copy)]
pub struct Zmm(());

impl Simd for Zmm {
    entry!(Zmm, Zmm(()), #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]);

    words! {
        fn widen(x: __m512) -> [__m512d; 2] = [
            _mm512_cvtps_pd(_mm512_castps512_ps256(x)),
            _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(x)),
        ];
        fn narrow(x: [__m512d; 2]) -> __m512 = _mm512_insertf32x8::<1>(
            _mm512_castps256_ps512(_mm512_cvtpd_ps(x[0])),
            _mm512_cvtpd_ps(x[1]),
        );
        fn widen_f16(x: __m512i) -> [__m512; 2] = [
            _mm512_cvtph_ps(_mm512_castsi512_si256(x)),
            _mm512_cvtph_ps(_mm512_extracti64x4_epi64::<1>(x)),
        ];
        fn narrow_f16(x: [__m512; 2]) -> __m512i = _mm512_inserti64x4::<1>(
            _mm512_castsi256_si512(_mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x[0])),
            _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x[1]),
        );
        // Each 128-bit quarter on its own, which packing undoes: cheaper than crossing them. (No one
        // permutation would put lanes in order both before the one and after the other, as
        // `FullSimd::cross_bf16` does; nothing that runs here asks for it.)
        fn widen_bf16(x: __m512i) -> [__m512; 2] = [
            _mm512_castsi512_ps(_mm512_unpacklo_epi16(_mm512_setzero_si512(), x)),
            _mm512_castsi512_ps(_mm512_unpackhi_epi16(_mm512_setzero_si512(), x)),
        ];
        fn narrow_bf16(x: [__m512; 2]) -> __m512i =
            _mm512_packus_epi32(bf16_of(x[0]), bf16_of(x[1]));
        fn upper(x: [__m512i; 2]) -> __m512i =
            _mm512_packus_epi32(_mm512_srli_epi32::<16>(x[0]), _mm512_srli_epi32::<16>(x[1]));
    }

    #[inline(always)]
    unsafe fn stream<V: Copy>(self, p: *mut V, v: V) {
        // SAFETY: the caller vouches for `p`, and that `V` is 64 bytes.
        unsafe { _mm512_stream_si512(p.cast(), transmute_copy(&v)) }
    }
}

/// The bits of the nearest `bf16` in the lower half of each lane; as in `avx2.rs`.
#[inline(always)]
unsafe fn bf16_of(x: __m512) -> __m512i {
    // SAFETY: register arithmetic, for callers who have AVX-512.
    unsafe {
        let bits = _mm512_castps_si512(x);
        let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        let half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF));
        let rounded = _mm512_add_epi32(bits, half);
        let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
        let quiet = _mm512_set1_epi32(0x40_0000);
        let y = _mm512_mask_or_epi32(rounded, nan, bits, quiet);
        _mm512_srli_epi32::<16>(y)
    }
}

macro_rules! lanes {
    ($($E:ident in $V:ident, $M:ident: $splat:ident $add:ident $sub:ident $and:ident $select:ident
        $max:ident $min:ident $load:ident $store:ident, lt $lt:expr;)*) => {$(
        // SAFETY: 64 bytes of plain elements, and parts of them by masks.
        unsafe impl Lanes<$E> for Zmm {
            type V = $V;
            type M = $M;
            words! {
                fn splat(x: $E) -> $V = $splat(x);
                fn add(a: $V, b: $V) -> $V = $add(a, b);
                fn sub(a: $V, b: $V) -> $V = $sub(a, b);
                fn and(a: $V, b: $V) -> $V = $and(a, b);
                fn lt(a: $V, b: $V) -> $M = $lt(a, b);
                fn select(m: $M, yes: $V, no: $V) -> $V = $select(m, no, yes);
                fn max(a: $V, b: $V) -> $V = $max(a, b);
                fn min(a: $V, b: $V) -> $V = $min(a, b);
            }
            #[inline(always)]
            fn bitmask(self, m: $M) -> u32 {
                m.into()
            }
            #[inline(always)]
            unsafe fn load_part(self, p: *const $E, n: usize) -> $V {
                // SAFETY: only the first `n` lanes are read, and the caller vouches for those.
                unsafe { $load(first(n) as $M, p) }
            }
            #[inline(always)]
            unsafe fn store_part(self, p: *mut $E, n: usize, v: $V) {
                // SAFETY: only the first `n` lanes are written, and the caller vouches for those.
                unsafe { $store(p, first(n) as $M, v) }
            }
        }
    )*};
}
lanes! {
    f32 in __m512, __mmask16: _mm512_set1_ps _mm512_add_ps _mm512_sub_ps _mm512_and_ps
        _mm512_mask_blend_ps _mm512_max_ps _mm512_min_ps
        _mm512_maskz_loadu_ps _mm512_mask_storeu_ps, lt _mm512_cmp_ps_mask::<_CMP_LT_OQ>;
    f64 in __m512d, __mmask8: _mm512_set1_pd _mm512_add_pd _mm512_sub_pd _mm512_and_pd
        _mm512_mask_blend_pd _mm512_max_pd _mm512_min_pd
        _mm512_maskz_loadu_pd _mm512_mask_storeu_pd, lt _mm512_cmp_pd_mask::<_CMP_LT_OQ>;
    i16 in __m512i, __mmask32: _mm512_set1_epi16 _mm512_add_epi16 _mm512_sub_epi16 _mm512_and_si512
        _mm512_mask_blend_epi16 _mm512_max_epi16 _mm512_min_epi16
        _mm512_maskz_loadu_epi16 _mm512_mask_storeu_epi16, lt _mm512_cmplt_epi16_mask;
    i32 in __m512i, __mmask16: _mm512_set1_epi32 _mm512_add_epi32 _mm512_sub_epi32 _mm512_and_si512
        _mm512_mask_blend_epi32 _mm512_max_epi32 _mm512_min_epi32
        _mm512_maskz_loadu_epi32 _mm512_mask_storeu_epi32, lt _mm512_cmplt_epi32_mask;
}

impl FloatLanes<f32> for Zmm {
    words! {
        fn mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        fn div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
        fn abs(x: __m512) -> __m512 = _mm512_andnot_ps(_mm512_set1_ps(-0.0), x);
        fn le(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b);
        fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        fn neg_mul_add(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fnmadd_ps(a, b, c);
        fn copysign(x: __m512, sign: __m512) -> __m512 = {
            let bit = _mm512_castps_si512(_mm512_set1_ps(-0.0));
            let (x, sign) = (_mm512_castps_si512(x), _mm512_castps_si512(sign));
            _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<CHOOSE>(bit, sign, x))
        };
        fn pow2(shifted: __m512) -> __m512 = {
            let n = _mm512_slli_epi32::<23>(_mm512_castps_si512(shifted));
            _mm512_castsi512_ps(_mm512_add_epi32(n, _mm512_set1_epi32(127 << 23)))
        };
    }
    const FUSED: bool = true;
}

impl FloatLanes<f64> for Zmm {
    words! {
        fn mul(a: __m512d, b: __m512d) -> __m512d = _mm512_mul_pd(a, b);
        fn div(a: __m512d, b: __m512d) -> __m512d = _mm512_div_pd(a, b);
        fn abs(x: __m512d) -> __m512d = _mm512_andnot_pd(_mm512_set1_pd(-0.0), x);
        fn le(a: __m512d, b: __m512d) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b);
        fn mul_add(a: __m512d, b: __m512d, c: __m512d) -> __m512d = _mm512_fmadd_pd(a, b, c);
        fn neg_mul_add(a: __m512d, b: __m512d, c: __m512d) -> __m512d = _mm512_fnmadd_pd(a, b, c);
        fn copysign(x: __m512d, sign: __m512d) -> __m512d = {
            let bit = _mm512_castpd_si512(_mm512_set1_pd(-0.0));
            let (x, sign) = (_mm512_castpd_si512(x), _mm512_castpd_si512(sign));
            _mm512_castsi512_pd(_mm512_ternarylogic_epi64::<CHOOSE>(bit, sign, x))
        };
        fn pow2(shifted: __m512d) -> __m512d = {
            let n = _mm512_slli_epi64::<52>(_mm512_castpd_si512(shifted));
            _mm512_castsi512_pd(_mm512_add_epi64(n, _mm512_set1_epi64(1023 << 52)))
        };
    }
    const FUSED: bool = true;
}

/// For a ternary logic instruction: the bit of the second operand where that of the first is set, else
/// that of the third.
const CHOOSE: i32 = 0xCA;
