//! The words of [`OddLanes`].

use core::arch::x86_64::*;

use super::Avx512;
use crate::odd_lanes::OddLanes;

const DOWN: i32 = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
const UP: i32 = _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC;

// The neighbour below, and where that is even the one above, which is odd or the same number. (In this order also
// because a sum of zero is -0 rounded down.)
impl OddLanes for Avx512 {
    const FAST: bool = true;

    #[inline(always)]
    fn mul_to_odd<const TINY: bool>(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: register arithmetic; a unit exists only where the CPU has its instructions.
        unsafe {
            let below = _mm512_mul_round_ps::<DOWN>(a, b);
            _mm512_mask_mul_round_ps::<UP>(below, even(below), a, b)
        }
    }
    #[inline(always)]
    fn add_to_odd(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe {
            let below = _mm512_add_round_ps::<DOWN>(a, b);
            _mm512_mask_add_round_ps::<UP>(below, even(below), a, b)
        }
    }
}

/// Where the last bit is not set; for callers who have AVX-512.
#[inline(always)]
unsafe fn even(x: __m512) -> __mmask16 {
    // SAFETY: as above.
    unsafe { _mm512_testn_epi32_mask(_mm512_castps_si512(x), _mm512_set1_epi32(1)) }
}
