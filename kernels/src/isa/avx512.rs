//! AVX-512 F, BW, DQ and VL, in two units.
//!
//! [`Avx512Vl256`] has 32-byte registers: AVX2 with masks, which load and store the part of a register that a short
//! slice has without a detour through the stack. It is for rectifiers, which are bound by loads and stores. In L1,
//! on the same buffers in turn (Zen 4, best of 60), relu of f32 on 64-byte registers had 0.39 to 1.06 of the speed
//! at 64 to 1,000 elements and 0.93 to 1.10 at 2,048 and 4,096, by where the data lay: unless it is aligned to a
//! cache line, which an allocator's 16 bytes are not, every 64-byte load straddles two lines, and of the 32-byte
//! ones only every other. Beyond L1 the two were equal.
//!
//! [`Avx512`] has 64-byte registers, for operations that are bound by computation, where each instruction in flight
//! then works on twice the elements. On the same buffers in turn (Zen 4, best of 60 or more at 4,096 and 2^18
//! elements, on a busy machine), hard_swish ran at 1.3 to 1.4 times the speed of 32-byte registers on f32, f64 and
//! f16 and at 1.03 to 1.07 on bf16, its derivative at 1.45 to 1.54; hard_sigmoid at 0.91 to 1.11, its derivative at
//! 1.01 to 1.6. Softsign has 32 bytes: it divides, which is no faster on 64 (on f32 and f64 0.94 to 1.05, and its
//! derivative 0.84 to 1.14; only on f16 and bf16 up to 1.35).
//! So have the maps of leaky_relu and the shrinks on f16 and bf16, which round to odd by two directions of rounding,
//! an operand of instructions on 64 bytes alone.

mod odd;
mod tables;
mod vl256;

use core::arch::x86_64::*;
use core::mem::transmute_copy;

use super::macros::{entry_points, intrinsics};
use crate::lanes::{FloatLanes, Lanes};
use crate::piece_lanes::{PieceLanes, look_up_each};
use crate::simd::{MapWithSimd, Simd, WithSimd};
pub use vl256::Avx512Vl256;

/// The features that this instruction set needs, AVX2's among them, for `$then!`; then what else it is
/// to be given.
#[macro_export]
#[doc(hidden)]
macro_rules! avx512_features {
    ($then:ident $($rest:tt)*) => {
        $then! { "avx2" "fma" "f16c" "popcnt" "avx512f" "avx512bw" "avx512dq" "avx512vl" $($rest)* }
    };
}

/// The unit with 64-byte registers; only its entry points make one.
#[derive(Clone, Copy)]
pub struct Avx512(());

impl Simd for Avx512 {
    crate::avx512_features! { entry_points; Avx512(()) }

    intrinsics! {
        fn widen(x: __m512) -> [__m512d; 2] = [
            _mm512_cvtps_pd(_mm512_castps512_ps256(x)),
            _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(x)),
        ];
        fn narrow(x: [__m512d; 2]) -> __m512 = _mm512_insertf32x8::<1>(
            _mm512_castps256_ps512(_mm512_cvtpd_ps(x[0])),
            _mm512_cvtpd_ps(x[1]),
        );
        fn widen_f16(x: __m512i) -> [__m512; 2] = [
            // So written, it may take its operand from memory, which is faster.
            _mm512_cvt_roundph_ps::<_MM_FROUND_CUR_DIRECTION>(_mm512_castsi512_si256(x)),
            _mm512_cvt_roundph_ps::<_MM_FROUND_CUR_DIRECTION>(_mm512_extracti64x4_epi64::<1>(x)),
        ];
        fn narrow_f16(x: [__m512; 2]) -> __m512i = _mm512_inserti64x4::<1>(
            _mm512_castsi256_si512(_mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x[0])),
            _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x[1]),
        );
        // The even lanes and the odd ones, which takes no shuffle. (No one permutation would put lanes in
        // order both before the one and after the other, as `FullSimd::reorder_bf16` does; nothing that
        // runs here asks for it.)
        fn widen_bf16(x: __m512i) -> [__m512; 2] = [
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(x)),
            _mm512_castsi512_ps(_mm512_and_si512(x, _mm512_set1_epi32(-1 << 16))),
        ];
        fn narrow_bf16(x: [__m512; 2]) -> __m512i = even_and_odd(bf16_of(x[0]), bf16_of(x[1]));
        fn narrow_bf16_own(x: [__m512; 2]) -> __m512i =
            even_and_odd(rounded_to_bf16(x[0]), rounded_to_bf16(x[1]));
        fn high_halves(x: [__m512i; 2]) -> __m512i = even_and_odd(x[0], x[1]);
    }

    #[inline(always)]
    unsafe fn stream<V: Copy>(self, p: *mut V, v: V) {
        // SAFETY: the caller vouches for `p`, and that `V` is 64 bytes.
        unsafe { _mm512_stream_si512(p.cast(), transmute_copy(&v)) }
    }
}

/// The upper halves of both, those of the first in the even places.
#[inline(always)]
unsafe fn even_and_odd(even: __m512i, odd: __m512i) -> __m512i {
    // SAFETY: register arithmetic, for callers who have AVX-512.
    unsafe { _mm512_mask_blend_epi16(0xAAAA_AAAA, _mm512_srli_epi32::<16>(even), odd) }
}

/// The bits of the nearest `bf16` in the upper half of each lane; as in `avx2.rs`.
#[inline(always)]
unsafe fn bf16_of(x: __m512) -> __m512i {
    // SAFETY: register arithmetic, for callers who have AVX-512.
    unsafe {
        let bits = _mm512_castps_si512(x);
        let rounded = rounded_to_bf16(x);
        let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
        let quiet = _mm512_set1_epi32(0x40_0000);
        _mm512_mask_or_epi32(rounded, nan, bits, quiet)
    }
}

/// The same, but of a NaN whose lower half is not zero.
#[inline(always)]
unsafe fn rounded_to_bf16(x: __m512) -> __m512i {
    // SAFETY: register arithmetic, for callers who have AVX-512.
    unsafe {
        let bits = _mm512_castps_si512(x);
        let odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(1 << 16));
        let below = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF));
        _mm512_mask_add_epi32(below, odd, below, _mm512_set1_epi32(1))
    }
}

macro_rules! lanes {
    ($($Unit:ident of $E:ident in $V:ident, $M:ident: $splat:ident $add:ident $sub:ident $and:ident $select:ident
        $max:ident $min:ident $load:ident $store:ident, lt $lt:expr;)*) => {$(
        // SAFETY: plain elements; parts of a register are by masks.
        unsafe impl Lanes<$E> for $Unit {
            type V = $V;
            type M = $M;
            intrinsics! {
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
use lanes;
lanes! {
    Avx512 of f32 in __m512, __mmask16: _mm512_set1_ps _mm512_add_ps _mm512_sub_ps _mm512_and_ps
        _mm512_mask_blend_ps _mm512_max_ps _mm512_min_ps
        _mm512_maskz_loadu_ps _mm512_mask_storeu_ps, lt _mm512_cmp_ps_mask::<_CMP_LT_OQ>;
    Avx512 of f64 in __m512d, __mmask8: _mm512_set1_pd _mm512_add_pd _mm512_sub_pd _mm512_and_pd
        _mm512_mask_blend_pd _mm512_max_pd _mm512_min_pd
        _mm512_maskz_loadu_pd _mm512_mask_storeu_pd, lt _mm512_cmp_pd_mask::<_CMP_LT_OQ>;
    Avx512 of i16 in __m512i, __mmask32: _mm512_set1_epi16 _mm512_add_epi16 _mm512_sub_epi16 _mm512_and_si512
        _mm512_mask_blend_epi16 _mm512_max_epi16 _mm512_min_epi16
        _mm512_maskz_loadu_epi16 _mm512_mask_storeu_epi16, lt _mm512_cmplt_epi16_mask;
    Avx512 of i32 in __m512i, __mmask16: _mm512_set1_epi32 _mm512_add_epi32 _mm512_sub_epi32 _mm512_and_si512
        _mm512_mask_blend_epi32 _mm512_max_epi32 _mm512_min_epi32
        _mm512_maskz_loadu_epi32 _mm512_mask_storeu_epi32, lt _mm512_cmplt_epi32_mask;
}

impl FloatLanes<f32> for Avx512 {
    intrinsics! {
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

impl FloatLanes<f64> for Avx512 {
    intrinsics! {
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

impl PieceLanes for Avx512 {
    const ENTRIES: usize = 32;

    #[inline(always)]
    fn look_up<const N: usize>(self, table: &'static [f32; N], index: __m512) -> __m512 {
        if const { N != 8 && N != 32 } {
            return look_up_each(self, table, index);
        }
        let entries = table.as_ptr();
        // SAFETY: as many entries are read as the table has; AVX-512 as above.
        unsafe {
            let i = _mm512_castps_si512(index);
            if const { N == 8 } {
                // Twice the eight, so that the fourth bit of an index makes no difference.
                _mm512_permutexvar_ps(i, _mm512_broadcast_f32x8(_mm256_loadu_ps(entries)))
            } else {
                let (low, high) = (_mm512_loadu_ps(entries), _mm512_loadu_ps(entries.add(16)));
                _mm512_permutex2var_ps(low, i, high)
            }
        }
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self, x: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<BITS>(_mm512_castps_si512(x))) }
    }

    #[inline(always)]
    fn shift_right<const BITS: u32>(self, x: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_castsi512_ps(_mm512_srli_epi32::<BITS>(_mm512_castps_si512(x))) }
    }

    intrinsics! {
        fn add_bits(a: __m512, b: __m512) -> __m512 = _mm512_castsi512_ps(_mm512_add_epi32(
            _mm512_castps_si512(a),
            _mm512_castps_si512(b),
        ));
        fn subnormal(x: __m512) -> __mmask16 = _mm512_fpclass_ps_mask::<0x20>(x);
        // The smaller magnitude, its sign made +; of a number and a NaN, the number.
        fn abs_to(x: __m512, limit: __m512) -> __m512 = _mm512_range_ps::<0b1010>(x, limit);
        fn floor_onto(a: __m512, b: __m512, shift: __m512) -> __m512 =
            _mm512_fmadd_round_ps::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(a, b, shift);
        fn half_down(x: __m512) -> __m512 =
            _mm512_mul_round_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(
                x,
                _mm512_set1_ps(0.5),
            );
        fn minus_abs_to(x: __m512, limit: __m512) -> __m512 =
            _mm512_range_ps::<0b1110>(x, limit);
        fn mul_add_down(a: __m512, b: __m512, c: __m512) -> __m512 =
            _mm512_fmadd_round_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a, b, c);
        fn neg_mul_add_up(a: __m512, b: __m512, c: __m512) -> __m512 =
            _mm512_fnmadd_round_ps::<{ _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC }>(a, b, c);
        fn mul_add_to_odd(a: __m512, b: __m512, c: __m512) -> __m512 = {
            let below =
                _mm512_fmadd_round_ps::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(a, b, c);
            let above =
                _mm512_fmadd_round_ps::<{ _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC }>(a, b, c);
            let (below, above) = (_mm512_castps_si512(below), _mm512_castps_si512(above));
            let last = _mm512_set1_epi32(1);
            // below | (above & last)
            _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0xF8>(below, above, last))
        };
        fn expand(bits: u32, x: __m512, others: __m512) -> __m512 =
            _mm512_mask_expand_ps(others, bits as __mmask16, x);
    }

    // Compressed into a register and stored whole, as below.
    #[inline(always)]
    unsafe fn compress(self, bits: u32, x: __m512, to: *mut f32) {
        // SAFETY: the caller vouches for a register at `to`.
        unsafe { _mm512_storeu_ps(to, _mm512_maskz_compress_ps(bits as __mmask16, x)) }
    }
}

/// For a ternary logic instruction: the bit of the second operand where that of the first is set, else
/// that of the third.
const CHOOSE: i32 = 0xCA;

/// Looks up bytes where the CPU has VBMI as well, which Ice Lake and Zen 4 brought: one of its shuffles
/// looks up seven bits of 64 bytes at once. In L1 it ran at about six times the speed of the tree of
/// blends (Zen, separate runs).
///
/// # Safety
/// The CPU has AVX-512 F, BW and VBMI. `table` is valid for reads of 256 bytes; the rest as
/// [`MapWithSimd::map_with_simd`].
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(crate) unsafe fn lookup_vbmi(
    table: *const u8,
    src: *const i8,
    dst: *mut i8,
    len: usize,
    stream: bool,
) {
    // SAFETY: the caller vouches for 256 bytes at `table`, and for `len` at `src` and `dst`; a mask leaves the lanes beyond alone. Every full register goes to an aligned address.
    unsafe {
        let table = table.cast::<__m512i>();
        let table = [
            table.read_unaligned(),
            table.add(1).read_unaligned(),
            table.add(2).read_unaligned(),
            table.add(3).read_unaligned(),
        ];
        let mut i = (dst.addr().wrapping_neg() % 64).min(len);
        let head = first(i);
        let x = _mm512_maskz_loadu_epi8(head, src);
        _mm512_mask_storeu_epi8(dst, head, lookup_64(table, x));
        while i + 64 <= len {
            let y = lookup_64(table, _mm512_loadu_si512(src.add(i).cast()));
            if stream {
                _mm512_stream_si512(dst.add(i).cast(), y);
            } else {
                _mm512_store_si512(dst.add(i).cast(), y);
            }
            i += 64;
        }
        let tail = first(len - i);
        let x = _mm512_maskz_loadu_epi8(tail, src.add(i));
        _mm512_mask_storeu_epi8(dst.add(i), tail, lookup_64(table, x));
    }
}

/// For callers who have AVX-512 BW and VBMI.
#[inline(always)]
unsafe fn lookup_64(table: [__m512i; 4], x: __m512i) -> __m512i {
    // SAFETY: as above.
    unsafe {
        let low = _mm512_permutex2var_epi8(table[0], x, table[1]);
        let high = _mm512_permutex2var_epi8(table[2], x, table[3]);
        _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high)
    }
}

/// The mask of the first `n` lanes.
#[inline(always)]
fn first(n: usize) -> u64 {
    (1 << n) - 1
}
