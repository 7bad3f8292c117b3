//! AVX2 with FMA and F16C: 32-byte registers.

use core::arch::x86_64::*;
use core::mem::transmute_copy;

use crate::element::Element;
use crate::isa::{Isa, entry, words};
use crate::lanes::{Lanes, Simd};
use crate::ops::Elementwise;
use crate::table::Kernels;

/// The AVX2 kernels. Calling one needs a CPU with AVX2, FMA and F16C.
pub static KERNELS: Kernels = Kernels::of::<Avx2>(Isa::Avx2);

/// The AVX2 vector unit; only the functions that `entry!` stamps make one.
#[derive(Clone, Copy)]
pub struct Avx2(());

entry!(Avx2, #[target_feature(enable = "avx2,fma,f16c")]);

impl Simd for Avx2 {
    #[inline(always)]
    unsafe fn stream<V: Copy>(self, p: *mut V, v: V) {
        // SAFETY: the caller vouches for `p`, and that `V` is 32 bytes.
        unsafe { _mm256_stream_si256(p.cast(), transmute_copy(&v)) }
    }

    #[inline(always)]
    fn fence(self) {
        // SAFETY: SSE2, which every x86-64 CPU has.
        unsafe { _mm_sfence() }
    }
}

// SAFETY: 32 bytes of plain elements.
unsafe impl Lanes<f32> for Avx2 {
    type V = __m256;
    type M = __m256;
    words! {
        fn splat(x: f32) -> __m256 = _mm256_set1_ps(x);
        fn sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
        fn lt(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_LT_OQ>(a, b);
        fn select(m: __m256, yes: __m256, no: __m256) -> __m256 = _mm256_blendv_ps(no, yes, m);
        fn max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
    }
}

// SAFETY: 32 bytes of plain elements.
unsafe impl Lanes<f64> for Avx2 {
    type V = __m256d;
    type M = __m256d;
    words! {
        fn splat(x: f64) -> __m256d = _mm256_set1_pd(x);
        fn sub(a: __m256d, b: __m256d) -> __m256d = _mm256_sub_pd(a, b);
        fn lt(a: __m256d, b: __m256d) -> __m256d = _mm256_cmp_pd::<_CMP_LT_OQ>(a, b);
        fn select(m: __m256d, yes: __m256d, no: __m256d) -> __m256d = _mm256_blendv_pd(no, yes, m);
        fn max(a: __m256d, b: __m256d) -> __m256d = _mm256_max_pd(a, b);
    }
}

macro_rules! int_lanes {
    ($($E:ident: $splat:ident $sub:ident $greater:ident $($max:ident)?;)*) => {$(
        // SAFETY: 32 bytes of plain elements.
        unsafe impl Lanes<$E> for Avx2 {
            type V = __m256i;
            type M = __m256i;
            words! {
                fn splat(x: $E) -> __m256i = $splat(x);
                fn sub(a: __m256i, b: __m256i) -> __m256i = $sub(a, b);
                fn lt(a: __m256i, b: __m256i) -> __m256i = $greater(b, a);
                fn select(m: __m256i, yes: __m256i, no: __m256i) -> __m256i =
                    _mm256_blendv_epi8(no, yes, m);
                $(fn max(a: __m256i, b: __m256i) -> __m256i = $max(a, b);)?
            }
        }
    )*};
}
int_lanes! {
    i8: _mm256_set1_epi8 _mm256_sub_epi8 _mm256_cmpgt_epi8 _mm256_max_epi8;
    i16: _mm256_set1_epi16 _mm256_sub_epi16 _mm256_cmpgt_epi16 _mm256_max_epi16;
    i32: _mm256_set1_epi32 _mm256_sub_epi32 _mm256_cmpgt_epi32 _mm256_max_epi32;
    i64: _mm256_set1_epi64x _mm256_sub_epi64 _mm256_cmpgt_epi64;
}
