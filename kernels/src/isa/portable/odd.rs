//! The words of [`OddLanes`].

use wide::{f32x8, f64x4, i32x8, u32x8};

use super::{Portable, cast};
use crate::odd_lanes::OddLanes;
use crate::simd::Simd;

impl OddLanes for Portable {
    // In `f64`, where the product is exact. What is lost is made so large that no sign of it is lost on the way back.
    #[inline(always)]
    fn mul_to_odd<const TINY: bool>(self, a: f32x8, b: f32x8) -> f32x8 {
        let ([a0, a1], [b0, b1]) = (self.widen(a), self.widen(b));
        let (p0, p1) = (a0 * b0, a1 * b1);
        let near = self.narrow([p0, p1]);
        let [n0, n1] = self.widen(near);
        let scale = f64x4::splat(f64::from_bits((1023 + 512) << 52));
        to_odd(near, self.narrow([(p0 - n0) * scale, (p1 - n1) * scale]))
    }

    #[inline(always)]
    fn add_to_odd(self, a: f32x8, b: f32x8) -> f32x8 {
        // What the sum loses (Knuth).
        let near = a + b;
        let b_seen = near - a;
        let a_seen = near - b_seen;
        to_odd(near, (a - a_seen) + (b - b_seen))
    }
}

/// As in `avx2/odd.rs`.
#[inline(always)]
fn to_odd(near: f32x8, lost: f32x8) -> f32x8 {
    // False of NaN, which is what an infinity has lost.
    let inexact: i32x8 = cast(f32x8::ZERO.simd_lt(lost.abs()));
    let (near, lost): (i32x8, i32x8) = (cast(near), cast(lost));
    let too_far = ((near ^ lost) >> 31u32) & inexact;
    let less: u32x8 = cast(near + too_far);
    cast(less | cast::<_, u32x8>(inexact) >> 31u32)
}
