//! The words of [`TableLanes`].

use core::arch::asm;
use core::arch::x86_64::*;

use super::Avx512;
use crate::isa::macros::intrinsics;
use crate::table_lanes::TableLanes;

/// 1.5·2<sup>48</sup>.
const SHIFT_16: f64 = 422_212_465_065_984.0;

impl TableLanes for Avx512 {
    const GATHERS: bool = true;
    const SCALES: bool = true;

    #[inline(always)]
    fn gather<const N: usize>(self, table: &'static [f64; N], index: __m512d) -> __m512d {
        const { assert!(N >= 16 && N.is_power_of_two()) };
        let entries = table.as_ptr();
        // SAFETY: as many entries are read as the table has, at indices modulo that; AVX-512, because a unit
        // exists only where the CPU has its instructions.
        unsafe {
            let i = _mm512_castpd_si512(index);
            if const { N == 16 } {
                let (low, high) = (_mm512_loadu_pd(entries), _mm512_loadu_pd(entries.add(8)));
                return _mm512_permutex2var_pd(low, i, high);
            }
            gather(
                entries,
                _mm512_and_si512(i, _mm512_set1_epi64(N as i64 - 1)),
            )
        }
    }

    #[inline(always)]
    fn power(self, table: &'static [f64; 16], index: __m512d) -> __m512d {
        // SAFETY: as above.
        unsafe {
            let n = _mm512_sub_pd(index, _mm512_set1_pd(SHIFT_16));
            _mm512_scalef_pd(self.gather(table, index), n)
        }
    }

    intrinsics! {
        // Not `vrcp14pd`, of which each maker of CPUs has a version.
        fn short_reciprocal(x: __m512d) -> __m512d =
            _mm512_cvtps_pd(_mm256_div_ps(_mm256_set1_ps(1.0), _mm512_cvtpd_ps(x)));
        fn sub_bits(a: __m512d, b: __m512d) -> __m512d = _mm512_castsi512_pd(_mm512_sub_epi64(
            _mm512_castpd_si512(a),
            _mm512_castpd_si512(b),
        ));
        fn scale(x: __m512d, n: __m512d) -> __m512d = _mm512_scalef_pd(x, n);
        fn floor_to(a: __m512d, b: __m512d, shift: __m512d) -> __m512d =
            _mm512_fmadd_round_pd::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a, b, shift);
    }
}

/// `table[i]`, as an instruction: the compiler's own might have its index in any register, and Bochs, in which
/// `.ci/avx512` runs the kernels, takes one from zmm16 on for illegal. Inlined like an intrinsic.
///
/// # Safety
/// `table` is valid for reads at these indices.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn gather(table: *const f64, i: __m512i) -> __m512d {
    let mut y = _mm512_setzero_pd();
    // SAFETY: it reads where the caller vouches for, and writes nothing.
    unsafe {
        asm!(
            "kxnorw {all}, {all}, {all}",
            "vgatherqpd {y}{{{all}}}, [{table} + 8 * zmm15]",
            all = out(kreg) _,
            y = inout(zmm_reg) y,
            table = in(reg) table,
            in("zmm15") i,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    y
}
