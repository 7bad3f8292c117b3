//! AVX-512 F, BW, DQ and VL, on 32-byte registers: AVX2 with masks, which load and store the part of
//! a register that a short slice has without a detour through the stack.
//!
//! 64-byte registers were tried and did not pay. In L1, on the same buffers in turn (Zen 4, best of
//! 60), relu of f32 by them had 0.39 to 1.06 of the speed at 64 to 1,000 elements and 0.93 to 1.10
//! at 2,048 and 4,096, by where the data lay: unless it is aligned to a cache line, which an
//! allocator's 16 bytes are not, every 64-byte load straddles two lines, and of the 32-byte ones
//! only every other. Beyond L1 the two were equal: a rectifier is bound by the load and store ports
//! and by memory.

use core::arch::x86_64::*;
use core::mem::transmute_copy;

use crate::element::Element;
use crate::isa::{Isa, entry, words};
use crate::lanes::{Lanes, Simd};
use crate::ops::Elementwise;
use crate::table::Kernels;

/// The AVX-512 kernels. Calling one needs a CPU with AVX-512 F, BW, DQ and VL, and with all that
/// AVX2's kernels need.
pub static KERNELS: Kernels = Kernels::of::<Avx512>(Isa::Avx512);

/// The AVX-512 vector unit; only the functions that `entry!` stamps make one.
#[derive(Clone, Copy)]
pub struct Avx512(());

entry!(Avx512, #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]);

impl Simd for Avx512 {
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

macro_rules! lanes {
    ($($E:ident in $V:ident, $M:ident: $splat:ident $sub:ident $select:ident $max:ident
        $load:ident $store:ident, lt $lt:expr;)*) => {$(
        // SAFETY: 32 bytes of plain elements.
        unsafe impl Lanes<$E> for Avx512 {
            type V = $V;
            type M = $M;
            words! {
                fn splat(x: $E) -> $V = $splat(x);
                fn sub(a: $V, b: $V) -> $V = $sub(a, b);
                fn lt(a: $V, b: $V) -> $M = $lt(a, b);
                fn select(m: $M, yes: $V, no: $V) -> $V = $select(m, no, yes);
                fn max(a: $V, b: $V) -> $V = $max(a, b);
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
    f32 in __m256, __mmask8: _mm256_set1_ps _mm256_sub_ps _mm256_mask_blend_ps _mm256_max_ps
        _mm256_maskz_loadu_ps _mm256_mask_storeu_ps, lt _mm256_cmp_ps_mask::<_CMP_LT_OQ>;
    f64 in __m256d, __mmask8: _mm256_set1_pd _mm256_sub_pd _mm256_mask_blend_pd _mm256_max_pd
        _mm256_maskz_loadu_pd _mm256_mask_storeu_pd, lt _mm256_cmp_pd_mask::<_CMP_LT_OQ>;
    i8 in __m256i, __mmask32: _mm256_set1_epi8 _mm256_sub_epi8 _mm256_mask_blend_epi8 _mm256_max_epi8
        _mm256_maskz_loadu_epi8 _mm256_mask_storeu_epi8, lt _mm256_cmplt_epi8_mask;
    i16 in __m256i, __mmask16: _mm256_set1_epi16 _mm256_sub_epi16 _mm256_mask_blend_epi16 _mm256_max_epi16
        _mm256_maskz_loadu_epi16 _mm256_mask_storeu_epi16, lt _mm256_cmplt_epi16_mask;
    i32 in __m256i, __mmask8: _mm256_set1_epi32 _mm256_sub_epi32 _mm256_mask_blend_epi32 _mm256_max_epi32
        _mm256_maskz_loadu_epi32 _mm256_mask_storeu_epi32, lt _mm256_cmplt_epi32_mask;
    i64 in __m256i, __mmask8: _mm256_set1_epi64x _mm256_sub_epi64 _mm256_mask_blend_epi64 _mm256_max_epi64
        _mm256_maskz_loadu_epi64 _mm256_mask_storeu_epi64, lt _mm256_cmplt_epi64_mask;
}

/// The mask of the first `n` lanes.
#[inline(always)]
fn first(n: usize) -> u64 {
    (1 << n) - 1
}
