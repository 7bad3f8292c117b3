//! What every CPU of the target has, through `wide`: SSE2 on x86-64, NEON on aarch64, simd128 on
//! wasm32 when enabled, arrays elsewhere.
//!
//! `wide` picks its instructions when it is compiled, so this is the baseline, not the best. Its
//! `max` and `fast_max` are never used: they lose NaN, or -0.0, or differ by architecture.

use wide::{f32x8, f64x4, i8x32, i16x16, i32x8, i64x4};

use crate::element::Element;
use crate::isa::{Isa, entry};
use crate::lanes::{Lanes, Simd};
use crate::ops::Elementwise;
use crate::table::Kernels;

/// The portable kernels. Every CPU of the target runs them.
pub static KERNELS: Kernels = Kernels::of::<Portable>(Isa::Portable);

/// The vector unit of `wide`: 32 bytes, as one or several registers of the machine.
#[derive(Clone, Copy)]
pub struct Portable(());

entry!(Portable);

impl Simd for Portable {
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

    #[inline(always)]
    fn fence(self) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: SSE2, which every x86-64 CPU has.
        unsafe {
            core::arch::x86_64::_mm_sfence();
        }
    }
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
            fn sub(self, a: $V, b: $V) -> $V {
                a - b
            }
            #[inline(always)]
            fn lt(self, a: $V, b: $V) -> $V {
                a.simd_lt(b)
            }
            #[inline(always)]
            fn select(self, m: $V, yes: $V, no: $V) -> $V {
                m.select(yes, no)
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
