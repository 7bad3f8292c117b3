//! The words of [`OddLanes`].

use core::arch::x86_64::*;

use super::Avx2;
use crate::odd_lanes::OddLanes;

impl OddLanes for Avx2 {
    #[inline(always)]
    fn mul_to_odd<const TINY: bool>(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: register arithmetic; a unit exists only where the CPU has its instructions.
        unsafe {
            let near = _mm256_mul_ps(a, b);
            if !TINY {
                return to_odd(near, _mm256_fmsub_ps(a, b, near));
            }
            // Where both are below 2^10, 2^100 times as large, lest what is lost vanish. Elsewhere it does not: the last
            // place of such an a is 1 or more.
            let sign = _mm256_set1_ps(-0.0);
            let larger = _mm256_max_ps(_mm256_andnot_ps(sign, a), _mm256_andnot_ps(sign, near));
            let below = _mm256_cmp_ps::<_CMP_LT_OQ>(larger, _mm256_set1_ps(1024.0));
            let lift = _mm256_set1_ps(f32::from_bits((127 + 100) << 23));
            let lift = _mm256_blendv_ps(_mm256_set1_ps(1.0), lift, below);
            let (a, lifted) = (_mm256_mul_ps(a, lift), _mm256_mul_ps(near, lift));
            to_odd(near, _mm256_fmsub_ps(a, b, lifted))
        }
    }

    #[inline(always)]
    fn add_to_odd(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe {
            // What the sum loses (Knuth).
            let near = _mm256_add_ps(a, b);
            let b_seen = _mm256_sub_ps(near, a);
            let a_seen = _mm256_sub_ps(near, b_seen);
            let lost = _mm256_add_ps(_mm256_sub_ps(a, a_seen), _mm256_sub_ps(b, b_seen));
            to_odd(near, lost)
        }
    }
}

/// The odd neighbour of `near + lost`, or that itself if nothing is lost: of the two neighbours that with the smaller
/// magnitude, and its last bit set. For callers who have AVX2.
#[inline(always)]
unsafe fn to_odd(near: __m256, lost: __m256) -> __m256 {
    // SAFETY: as above.
    unsafe {
        // False of NaN, which is what an infinity has lost.
        let inexact = _mm256_cmp_ps::<_CMP_NEQ_OQ>(lost, _mm256_setzero_ps());
        let inexact = _mm256_castps_si256(inexact);
        let apart = _mm256_castps_si256(_mm256_xor_ps(near, lost));
        let too_far = _mm256_and_si256(_mm256_srai_epi32::<31>(apart), inexact);
        let less = _mm256_add_epi32(_mm256_castps_si256(near), too_far);
        _mm256_castsi256_ps(_mm256_or_si256(less, _mm256_srli_epi32::<31>(inexact)))
    }
}
