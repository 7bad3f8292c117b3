//! What every CPU of the target has, through `wide`: SSE2 on x86-64, NEON on aarch64, simd128 on
//! wasm32 when enabled, arrays elsewhere.
//!
//! `wide` picks its instructions when it is compiled, so this is the baseline, not the best. Its
//! `max` and `fast_max` are never used: they lose NaN, or -0.0, or differ by architecture.

mod odd;

use wide::{f32x8, f64x4, i8x16, i8x32, i16x8, i16x16, i32x8, i64x4, u16x8, u32x8, u64x4};

use crate::lanes::{FloatLanes, Lanes};
use crate::piece_lanes::PieceLanes;
use crate::simd::{FullSimd, MapWithSimd, MaskLanes, POWERS, Simd, WithSimd};
use crate::table_lanes::TableLanes;

/// The vector unit of `wide`: 32 bytes, as one or several registers of the machine.
#[derive(Clone, Copy)]
pub struct Portable(());

impl PieceLanes for Portable {}
impl TableLanes for Portable {}

impl Simd for Portable {
    #[inline(never)]
    unsafe fn map<E, O: MapWithSimd<Self, E>>(
        op: O,
        src: *const E,
        dst: *mut E,
        len: usize,
        stream: bool,
    ) {
        // SAFETY: forwarded.
        unsafe { op.map_with_simd(Portable(()), src, dst, len, stream) }
    }

    #[inline(never)]
    unsafe fn with_simd<T: WithSimd<Self>>(task: T) -> T::Output {
        // SAFETY: forwarded.
        unsafe { task.with_simd(Portable(())) }
    }

    // `wide` has no such conversion, and of arrays the compiler makes one of each element.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn widen(self, x: f32x8) -> [f64x4; 2] {
        use core::arch::x86_64::{_mm_cvtps_pd, _mm_movehl_ps};
        let [low, high] = cast(x);
        // SAFETY: SSE2, which every x86-64 CPU has.
        unsafe {
            cast([
                _mm_cvtps_pd(low),
                _mm_cvtps_pd(_mm_movehl_ps(low, low)),
                _mm_cvtps_pd(high),
                _mm_cvtps_pd(_mm_movehl_ps(high, high)),
            ])
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn widen(self, x: f32x8) -> [f64x4; 2] {
        let [a, b, c, d, e, f, g, h] = x.to_array();
        let low = [a.into(), b.into(), c.into(), d.into()];
        [
            f64x4::new(low),
            f64x4::new([e.into(), f.into(), g.into(), h.into()]),
        ]
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn narrow(self, x: [f64x4; 2]) -> f32x8 {
        use core::arch::x86_64::{_mm_cvtpd_ps, _mm_movelh_ps};
        let [a, b, c, d] = cast(x);
        // SAFETY: as above.
        unsafe {
            cast([
                _mm_movelh_ps(_mm_cvtpd_ps(a), _mm_cvtpd_ps(b)),
                _mm_movelh_ps(_mm_cvtpd_ps(c), _mm_cvtpd_ps(d)),
            ])
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn narrow(self, [low, high]: [f64x4; 2]) -> f32x8 {
        let ([a, b, c, d], [e, f, g, h]) = (low.to_array(), high.to_array());
        let low = [a as f32, b as f32, c as f32, d as f32];
        cast([low, [e as f32, f as f32, g as f32, h as f32]])
    }

    #[inline(always)]
    fn widen_f16(self, x: i16x16) -> [f32x8; 2] {
        let [low, high]: [u16x8; 2] = cast(x);
        [f16_value(low.into()), f16_value(high.into())]
    }

    #[inline(always)]
    fn narrow_f16(self, [low, high]: [f32x8; 2]) -> i16x16 {
        pack(f16_bits(cast(low)), f16_bits(cast(high)))
    }

    #[inline(always)]
    fn widen_bf16(self, x: i16x16) -> [f32x8; 2] {
        let [low, high]: [u16x8; 2] = cast(x);
        [cast(u32x8::from(low) << 16), cast(u32x8::from(high) << 16)]
    }

    #[inline(always)]
    fn narrow_bf16(self, [low, high]: [f32x8; 2]) -> i16x16 {
        pack(bf16_bits(cast(low)), bf16_bits(cast(high)))
    }

    #[inline(always)]
    fn narrow_bf16_own(self, [low, high]: [f32x8; 2]) -> i16x16 {
        let (low, high) = (rounded_to_bf16(cast(low)), rounded_to_bf16(cast(high)));
        pack(low >> 16, high >> 16)
    }

    #[inline(always)]
    fn high_halves(self, [low, high]: [i32x8; 2]) -> i16x16 {
        let (low, high): (u32x8, u32x8) = (cast(low), cast(high));
        pack(low >> 16, high >> 16)
    }

    // SSE2 has no byte shuffle, but NEON has: four tables of 64 bytes; beyond its table, `vqtbx4q_u8` keeps what there was.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    unsafe fn lookup(self, table: *const u8, x: i8x32) -> i8x32 {
        use core::arch::aarch64::*;
        // SAFETY: the caller vouches for 256 bytes, and every aarch64 CPU this is built for has NEON.
        unsafe {
            let of = [0, 64, 128, 192].map(|i| vld1q_u8_x4(table.add(i)));
            cast(cast::<_, [uint8x16_t; 2]>(x).map(|x| {
                let y = vqtbl4q_u8(of[0], x);
                let y = vqtbx4q_u8(y, of[1], vsubq_u8(x, vdupq_n_u8(64)));
                let y = vqtbx4q_u8(y, of[2], vsubq_u8(x, vdupq_n_u8(128)));
                vqtbx4q_u8(y, of[3], vsubq_u8(x, vdupq_n_u8(192)))
            }))
        }
    }

    #[inline(always)]
    unsafe fn stream<V: Copy>(self, p: *mut V, v: V) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller vouches for `p`, and that `V` is 32 bytes: two SSE2 registers.
        unsafe {
            use core::arch::x86_64::{__m128i, _mm_stream_si128};
            let [lo, hi]: [__m128i; 2] = core::mem::transmute_copy(&v);
            _mm_stream_si128(p.cast(), lo);
            _mm_stream_si128(p.cast::<__m128i>().add(1), hi);
        }
        #[cfg(not(target_arch = "x86_64"))]
        // SAFETY: forwarded.
        unsafe {
            p.write(v);
        }
    }
}

impl FullSimd for Portable {
    #[inline(always)]
    fn narrow_i8(self, [a, b, c, d]: [i32x8; 4]) -> i8x32 {
        let low = [i16x8::from_i32x8_saturate(a), i16x8::from_i32x8_saturate(b)];
        let high = [i16x8::from_i32x8_saturate(c), i16x8::from_i32x8_saturate(d)];
        cast([
            i8x16::from_i16x16_saturate(cast(low)),
            i8x16::from_i16x16_saturate(cast(high)),
        ])
    }

    #[inline(always)]
    fn widen_i8(self, x: i8x32) -> [i32x8; 4] {
        let [low, high]: [i8x16; 2] = cast(x);
        let [a, b]: [i16x8; 2] = cast(i16x16::from_i8x16(low));
        let [c, d]: [i16x8; 2] = cast(i16x16::from_i8x16(high));
        [
            i32x8::from_i16x8(a),
            i32x8::from_i16x8(b),
            i32x8::from_i16x8(c),
            i32x8::from_i16x8(d),
        ]
    }

    #[inline(always)]
    fn mul_u32(self, a: i64x4, b: i64x4) -> i64x4 {
        // `wide` multiplies 64-bit lanes one by one; SSE2 has this very instruction.
        #[cfg(target_arch = "x86_64")]
        // SAFETY: SSE2, which every x86-64 CPU has.
        unsafe {
            use core::arch::x86_64::{__m128i, _mm_mul_epu32};
            let ([a0, a1], [b0, b1]) = (cast::<_, [__m128i; 2]>(a), cast::<_, [__m128i; 2]>(b));
            cast([_mm_mul_epu32(a0, b0), _mm_mul_epu32(a1, b1)])
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let low = i64x4::splat(0xFFFF_FFFF);
            (a & low) * (b & low)
        }
    }

    #[inline(always)]
    fn xor_u64(self, a: i64x4, b: i64x4) -> i64x4 {
        a ^ b
    }

    #[inline(always)]
    fn shl_u64<const BITS: i32>(self, x: i64x4) -> i64x4 {
        x << BITS as u32
    }

    #[inline(always)]
    fn shr_u64<const BITS: i32>(self, x: i64x4) -> i64x4 {
        cast(cast::<_, u64x4>(x) >> BITS as u32)
    }
}

/// A register's bits as another of `wide`'s types.
#[inline(always)]
fn cast<A: Copy, B: Copy>(a: A) -> B {
    // `transmute_copy` is a call with checks, and there are so many of these that the compiler took longer.
    union Bits<A: Copy, B: Copy> {
        a: A,
        b: B,
    }
    const { assert!(size_of::<A>() == size_of::<B>()) };
    // SAFETY: private to this file, and both are plain registers of one size.
    unsafe { Bits { a }.b }
}

/// `yes` where the bits of `m` are set, `no` where they are not. `wide`'s own is generic and not
/// marked for inlining: a call, where it lands in another unit of the crate.
#[inline(always)]
fn choose<V: Copy>(m: V, yes: V, no: V) -> V {
    let (m, yes, no): (u32x8, u32x8, u32x8) = (cast(m), cast(yes), cast(no));
    cast(((yes ^ no) & m) ^ no)
}

/// The lanes of `x` that are below `limit`, both below 2^31.
#[inline(always)]
fn below(x: u32x8, limit: u32) -> u32x8 {
    cast(cast::<_, i32x8>(x).simd_lt(i32x8::splat(limit as i32)))
}

/// Sixteen numbers below 2^16.
#[inline(always)]
fn pack(low: u32x8, high: u32x8) -> i16x16 {
    cast([
        i16x8::from_i32x8_truncate(cast(low)),
        i16x8::from_i32x8_truncate(cast(high)),
    ])
}

/// The value of `f16` bits. Shifted into place they are an `f32` whose exponent is 112 too small; a
/// multiplication puts that right for subnormal numbers too, and infinity and NaN get theirs.
#[inline(always)]
fn f16_value(bits: u32x8) -> f32x8 {
    let magnitude = (bits & u32x8::splat(0x7FFF)) << 13;
    let number: u32x8 = cast(cast::<_, f32x8>(magnitude) * f32x8::splat(f32::from_bits(239 << 23)));
    let finite = below(magnitude, 0x7C00 << 13);
    let sign = (bits & u32x8::splat(0x8000)) << 16;
    cast(sign | choose(finite, number, magnitude | u32x8::splat(0xFF << 23)))
}

/// The bits of the nearest `f16`. In the range of its subnormal numbers, adding a constant whose last
/// place is theirs rounds; above it, adding half of the last place that is kept, or one less where
/// that is even already.
#[inline(always)]
fn f16_bits(x: u32x8) -> u32x8 {
    let magnitude = x & u32x8::splat(0x7FFF_FFFF);
    let sign = (x >> 16) & u32x8::splat(0x8000);
    const SHIFT: u32 = 126 << 23; // 0.5, whose last place is 2^-24
    let shifted = cast::<_, f32x8>(magnitude) + f32x8::splat(f32::from_bits(SHIFT));
    let subnormal = cast::<_, u32x8>(shifted) - u32x8::splat(SHIFT);
    let odd = (magnitude >> 13) & u32x8::splat(1);
    let rebased = magnitude + u32x8::splat((15u32.wrapping_sub(127) << 23).wrapping_add(0xFFF));
    let normal = (rebased + odd) >> 13;
    let number = choose(below(magnitude, 113 << 23), subnormal, normal);
    let payload = (magnitude >> 13) & u32x8::splat(0x3FF);
    let nan = payload | u32x8::splat(0x7E00);
    // From 2^16 on, everything but NaN is infinite.
    let finite = below(magnitude, 143 << 23);
    let not_nan = below(magnitude, (255 << 23) + 1);
    sign | choose(finite, number, choose(not_nan, u32x8::splat(0x7C00), nan))
}

/// The bits of the nearest `bf16`; as in `avx2.rs`.
#[inline(always)]
fn bf16_bits(x: u32x8) -> u32x8 {
    let rounded = rounded_to_bf16(x);
    let not_nan = below(x & u32x8::splat(0x7FFF_FFFF), (255 << 23) + 1);
    choose(not_nan, rounded, x | u32x8::splat(0x40_0000)) >> 16
}

/// The same in the upper half, but of a NaN whose lower half is not zero.
#[inline(always)]
fn rounded_to_bf16(x: u32x8) -> u32x8 {
    let odd = (x >> 16) & u32x8::splat(1);
    x + odd + u32x8::splat(0x7FFF)
}

macro_rules! lanes {
    ($($E:ident in $V:ident;)*) => {$(
        // SAFETY: 32 bytes of plain elements.
        unsafe impl Lanes<$E> for Portable {
            type V = $V;
            type M = $V;
            #[inline(always)]
            fn splat(self, x: $E) -> $V {
                $V::splat(x)
            }
            #[inline(always)]
            fn add(self, a: $V, b: $V) -> $V {
                a + b
            }
            #[inline(always)]
            fn and(self, a: $V, b: $V) -> $V {
                a & b
            }
            #[inline(always)]
            fn bitmask(self, m: $V) -> u32 {
                m.to_bitmask() as u32
            }
            #[inline(always)]
            fn sub(self, a: $V, b: $V) -> $V {
                a - b
            }
            #[inline(always)]
            fn lt(self, a: $V, b: $V) -> $V {
                a.simd_lt(b)
            }
            #[inline(always)]
            fn select(self, m: $V, yes: $V, no: $V) -> $V {
                choose(m, yes, no)
            }
        }
    )*};
}
lanes! {
    f32 in f32x8;
    f64 in f64x4;
    i8 in i8x32;
    i16 in i16x16;
    i32 in i32x8;
    i64 in i64x4;
}

macro_rules! float_lanes {
    ($($E:ident in $V:ident, $Bits:ident: $fraction:literal $one:expr;)*) => {$(
        impl FloatLanes<$E> for Portable {
            #[inline(always)]
            fn mul(self, a: $V, b: $V) -> $V {
                a * b
            }
            #[inline(always)]
            fn div(self, a: $V, b: $V) -> $V {
                a / b
            }
            #[inline(always)]
            fn abs(self, x: $V) -> $V {
                x.abs()
            }
            #[inline(always)]
            fn le(self, a: $V, b: $V) -> $V {
                a.simd_le(b)
            }
            // `wide` fuses where the target always can: on aarch64, and where the build says so.
            const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));
            #[inline(always)]
            fn mul_add(self, a: $V, b: $V, c: $V) -> $V {
                a.mul_add(b, c)
            }
            #[inline(always)]
            fn neg_mul_add(self, a: $V, b: $V, c: $V) -> $V {
                a.mul_neg_add(b, c)
            }
            #[inline(always)]
            fn copysign(self, x: $V, sign: $V) -> $V {
                choose($V::splat(-0.0), sign, x)
            }
            #[inline(always)]
            fn pow2(self, shifted: $V) -> $V {
                cast((cast::<_, $Bits>(shifted) << $fraction) + $Bits::splat($one))
            }
        }
    )*};
}
float_lanes! {
    f32 in f32x8, u32x8: 23u32 127 << 23;
    f64 in f64x4, u64x4: 52u32 1023 << 52;
}

// SAFETY: the defaults write eight elements.
unsafe impl MaskLanes for Portable {
    #[inline(always)]
    fn keep_f32(self, bits: u32, x: f32x8) -> f32x8 {
        let lane = i32x8::new([1, 2, 4, 8, 16, 32, 64, 128]);
        let set = (i32x8::splat(bits.cast_signed()) & lane).simd_eq(lane);
        x & cast::<_, f32x8>(set)
    }
    #[inline(always)]
    fn keep_f64(self, bits: u32, x: f64x4) -> f64x4 {
        let lane = i64x4::new([1, 2, 4, 8]);
        let set = (i64x4::splat(i64::from(bits)) & lane).simd_eq(lane);
        x & cast::<_, f64x4>(set)
    }
    #[inline(always)]
    fn keep_i16(self, bits: u32, x: i16x16) -> i16x16 {
        let lane = i16x16::new(POWERS);
        x & (i16x16::splat(bits as i16) & lane).simd_eq(lane)
    }
}
