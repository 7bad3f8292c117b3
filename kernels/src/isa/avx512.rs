//! AVX-512 F, BW, DQ and VL, on 32-byte registers: AVX2 with masks, which load and store the part of
//! a register that a short slice has without a detour through the stack.
//!
//! For rectifiers 64-byte registers were tried and did not pay. In L1, on the same buffers in turn (Zen 4, best of
//! 60), relu of f32 by them had 0.39 to 1.06 of the speed at 64 to 1,000 elements and 0.93 to 1.10
//! at 2,048 and 4,096, by where the data lay: unless it is aligned to a cache line, which an
//! allocator's 16 bytes are not, every 64-byte load straddles two lines, and of the 32-byte ones
//! only every other. Beyond L1 the two were equal: a rectifier is bound by the load and store ports
//! and by memory. What is bound by computation has them, in `zmm.rs`.

use core::arch::x86_64::*;

use crate::element::Element;
use crate::forms::Lookup;
use crate::isa::avx2::Avx2;
use crate::isa::zmm::Zmm;
use crate::isa::{Isa, entry, words};
use crate::lanes::{FloatLanes, FullSimd, Lanes, Simd, Task};
use crate::ops::Elementwise;
use crate::table::Kernels;

/// The AVX-512 kernels. Calling one needs a CPU with AVX-512 F, BW, DQ and VL, and with all that
/// AVX2's kernels need.
pub static KERNELS: Kernels = Kernels::of::<Avx512, Zmm>(Isa::Avx512);

/// The AVX-512 vector unit; only the functions that `entry!` stamps make one.
#[derive(Clone, Copy)]
pub struct Avx512(());

impl Avx512 {
    /// The AVX2 unit that every AVX-512 unit is as well.
    #[inline(always)]
    fn avx2(self) -> Avx2 {
        // SAFETY: whoever runs this unit's kernels vouched for a CPU that has AVX2, FMA and F16C.
        unsafe { Avx2::new() }
    }
}

impl Simd for Avx512 {
    entry!(Avx512, Avx512(()), #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]);

    #[inline(always)]
    fn widen(self, x: __m256) -> [__m256d; 2] {
        self.avx2().widen(x)
    }
    #[inline(always)]
    fn narrow(self, x: [__m256d; 2]) -> __m256 {
        self.avx2().narrow(x)
    }
    #[inline(always)]
    fn widen_f16(self, x: __m256i) -> [__m256; 2] {
        self.avx2().widen_f16(x)
    }
    #[inline(always)]
    fn narrow_f16(self, x: [__m256; 2]) -> __m256i {
        self.avx2().narrow_f16(x)
    }
    #[inline(always)]
    fn widen_bf16(self, x: __m256i) -> [__m256; 2] {
        self.avx2().widen_bf16(x)
    }
    #[inline(always)]
    fn narrow_bf16(self, x: [__m256; 2]) -> __m256i {
        self.avx2().narrow_bf16(x)
    }
    #[inline(always)]
    fn upper(self, x: [__m256i; 2]) -> __m256i {
        self.avx2().upper(x)
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

impl FullSimd for Avx512 {
    #[inline(always)]
    fn pack(self, x: [__m256i; 4]) -> __m256i {
        self.avx2().pack(x)
    }
    #[inline(always)]
    fn unpack(self, x: __m256i) -> [__m256i; 4] {
        self.avx2().unpack(x)
    }
    #[inline(always)]
    fn cross_bf16(self, x: __m256i) -> __m256i {
        self.avx2().cross_bf16(x)
    }
    #[inline(always)]
    fn mul_u32(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2().mul_u32(a, b)
    }
    #[inline(always)]
    fn xor_u64(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2().xor_u64(a, b)
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

macro_rules! lanes {
    ($($E:ident in $V:ident, $M:ident: $splat:ident $add:ident $sub:ident $and:ident $select:ident
        $max:ident $min:ident $load:ident $store:ident, lt $lt:expr;)*) => {$(
        // SAFETY: 32 bytes of plain elements.
        unsafe impl Lanes<$E> for Avx512 {
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
    f32 in __m256, __mmask8: _mm256_set1_ps _mm256_add_ps _mm256_sub_ps _mm256_and_ps
        _mm256_mask_blend_ps _mm256_max_ps _mm256_min_ps
        _mm256_maskz_loadu_ps _mm256_mask_storeu_ps, lt _mm256_cmp_ps_mask::<_CMP_LT_OQ>;
    f64 in __m256d, __mmask8: _mm256_set1_pd _mm256_add_pd _mm256_sub_pd _mm256_and_pd
        _mm256_mask_blend_pd _mm256_max_pd _mm256_min_pd
        _mm256_maskz_loadu_pd _mm256_mask_storeu_pd, lt _mm256_cmp_pd_mask::<_CMP_LT_OQ>;
    i8 in __m256i, __mmask32: _mm256_set1_epi8 _mm256_add_epi8 _mm256_sub_epi8 _mm256_and_si256
        _mm256_mask_blend_epi8 _mm256_max_epi8 _mm256_min_epi8
        _mm256_maskz_loadu_epi8 _mm256_mask_storeu_epi8, lt _mm256_cmplt_epi8_mask;
    i16 in __m256i, __mmask16: _mm256_set1_epi16 _mm256_add_epi16 _mm256_sub_epi16 _mm256_and_si256
        _mm256_mask_blend_epi16 _mm256_max_epi16 _mm256_min_epi16
        _mm256_maskz_loadu_epi16 _mm256_mask_storeu_epi16, lt _mm256_cmplt_epi16_mask;
    i32 in __m256i, __mmask8: _mm256_set1_epi32 _mm256_add_epi32 _mm256_sub_epi32 _mm256_and_si256
        _mm256_mask_blend_epi32 _mm256_max_epi32 _mm256_min_epi32
        _mm256_maskz_loadu_epi32 _mm256_mask_storeu_epi32, lt _mm256_cmplt_epi32_mask;
    i64 in __m256i, __mmask8: _mm256_set1_epi64x _mm256_add_epi64 _mm256_sub_epi64 _mm256_and_si256
        _mm256_mask_blend_epi64 _mm256_max_epi64 _mm256_min_epi64
        _mm256_maskz_loadu_epi64 _mm256_mask_storeu_epi64, lt _mm256_cmplt_epi64_mask;
}

macro_rules! float_lanes {
    ($($E:ident in $V:ident, $M:ident: $mul:ident $div:ident $le:expr;)*) => {$(
        impl FloatLanes<$E> for Avx512 {
            words! {
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

/// [`Lookup`] where the CPU has VBMI as well, which Ice Lake and Zen 4 brought: a shuffle of it looks up
/// seven bits of 64 bytes at once. In L1 it ran at about six times the speed of the tree of blends (Zen, separate runs).
///
/// # Safety
/// The CPU has AVX-512 F, BW and VBMI; the rest as [`MapFn`](crate::MapFn).
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub unsafe fn lookup_vbmi(op: Lookup, src: *const i8, dst: *mut i8, len: usize, stream: bool) {
    // SAFETY: whoever made `op` vouches for 256 bytes, and the caller for `len` at `src` and `dst`; a
    // mask leaves the lanes beyond alone. Every full register goes to an aligned address.
    unsafe {
        let table = op.table().cast::<__m512i>();
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
pub(super) fn first(n: usize) -> u64 {
    (1 << n) - 1
}
