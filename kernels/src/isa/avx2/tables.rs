//! The words of [`TableLanes`].

use core::arch::x86_64::*;

use super::Avx2;
use crate::isa::macros::intrinsics;
use crate::lanes::FloatLanes;
use crate::table_lanes::TableLanes;

impl TableLanes for Avx2 {
    const GATHERS: bool = true;

    #[inline(always)]
    fn gather<const N: usize>(self, table: &'static [f64; N], index: __m256d) -> __m256d {
        const { assert!(N.is_power_of_two()) };
        // SAFETY: as many entries are read as the table has, at indices modulo that; AVX2, because a unit exists only
        // where the CPU has its instructions.
        unsafe {
            let last = _mm256_set1_epi64x(N as i64 - 1);
            let i = _mm256_and_si256(_mm256_castpd_si256(index), last);
            _mm256_i64gather_pd::<8>(table.as_ptr(), i)
        }
    }

    // By two powers, each of which is a normal number.
    #[inline(always)]
    fn scale(self, x: __m256d, n: __m256d) -> __m256d {
        // SAFETY: as above.
        unsafe {
            let shift = _mm256_set1_pd(6_755_399_441_055_744.0);
            let n = _mm256_floor_pd(n);
            let half = _mm256_floor_pd(_mm256_mul_pd(n, _mm256_set1_pd(0.5)));
            let first = FloatLanes::<f64>::pow2(self, _mm256_add_pd(half, shift));
            let second =
                FloatLanes::<f64>::pow2(self, _mm256_add_pd(_mm256_sub_pd(n, half), shift));
            _mm256_mul_pd(_mm256_mul_pd(x, first), second)
        }
    }

    #[inline(always)]
    fn power(self, table: &'static [f64; 16], index: __m256d) -> __m256d {
        // SAFETY: as above.
        unsafe {
            let entry = _mm256_castpd_si256(self.gather(table, index));
            let i = _mm256_castpd_si256(index);
            let n = _mm256_slli_epi64::<52>(_mm256_srli_epi64::<4>(i));
            _mm256_castsi256_pd(_mm256_add_epi64(entry, n))
        }
    }

    intrinsics! {
        fn sub_bits(a: __m256d, b: __m256d) -> __m256d = _mm256_castsi256_pd(_mm256_sub_epi64(
            _mm256_castpd_si256(a),
            _mm256_castpd_si256(b),
        ));
    }
}
