//! The words of [`OddLanes`](crate::odd_lanes::OddLanes) of every unit against plain arithmetic on each lane, by bits.

extern crate std;

use std::vec::Vec;

use super::{Runs, lanes, of, run_on_all};
use crate::half::Half;
use crate::isa::per_isa;
use crate::lanes::Lanes;
use crate::simd::{Simd, WithSimd};

/// `high + low`, of which `low` is but a sign beside the last place of `high`: rounded to odd.
fn to_odd(high: f64, low: f64) -> f32 {
    let near = high as f32;
    let lost = if f64::from(near) == high {
        low
    } else {
        high - f64::from(near)
    };
    if lost == 0.0 || lost.is_nan() || near.to_bits() & 1 == 1 {
        near
    } else if lost > 0.0 {
        near.next_up()
    } else {
        near.next_down()
    }
}

/// a + b in two parts (Knuth).
fn sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_seen = sum - a;
    (sum, (a - (sum - b_seen)) + (b - b_seen))
}

/// 8 bits, and 24, of any magnitude: also subnormal ones, and such that products and sums are exact or overflow.
fn numbers(n: usize, seed: usize) -> [Vec<f32>; 2] {
    let mut state = seed as u64;
    let mut bits = || {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        (state >> 32) as u32
    };
    let mut pair = |i: usize| {
        let (a, b) = (bits() & 0xFFFF_0000, bits());
        let b = match i % 4 {
            0 => b & 0xFFFF_0000,
            1 => a ^ 1 << 31,
            2 => a.wrapping_sub(12 << 23) ^ (b & 0x80FF_FFFF),
            _ => b,
        };
        [a, b].map(f32::from_bits)
    };
    let pairs: Vec<[f32; 2]> = (0..n).map(&mut pair).collect();
    [0, 1].map(|i| pairs.iter().map(|pair| pair[i]).collect())
}

#[derive(Clone, Copy)]
struct OddWords;

impl<S: Simd> WithSimd<S> for OddWords {
    type Output = ();

    unsafe fn with_simd(self, s: S) {
        for seed in 0..400 {
            let [a, b] = numbers(<S as Lanes<f32>>::N, seed);
            let [x, y] = [&a, &b].map(|x| of::<f32, S>(s, x));
            let product = lanes::<f32, S>(s, s.mul_to_odd::<true>(x, y));
            let short = lanes::<f32, S>(s, s.mul_to_odd::<false>(x, y));
            let added = lanes::<f32, S>(s, s.add_to_odd(x, y));
            for (i, (&a, &b)) in a.iter().zip(&b).enumerate() {
                let (wide_a, wide_b) = (f64::from(a), f64::from(b));
                let (exact, (high, low)) = (wide_a * wide_b, sum(wide_a, wide_b));
                if exact.is_nan() || high.is_nan() || exact.abs().max(high.abs()) > 3e38 {
                    // What overflows may go either way.
                    continue;
                }
                let want = to_odd(exact, 0.0);
                // Below half of the least number of `bf16`, what is lost does not matter.
                if exact.abs() > 2f64.powi(-135) {
                    assert_eq!(product[i].to_bits(), want.to_bits(), "{a:e} · {b:e}");
                }
                if exact.abs() > 2f64.powi(-100) {
                    assert_eq!(short[i].to_bits(), want.to_bits(), "{a:e} · {b:e}");
                }
                let want = to_odd(high, low);
                assert_eq!(added[i].to_bits(), want.to_bits(), "{a:e} + {b:e}");
            }
            let own = half::bf16::narrow_own(s, [x, y]);
            let plain = half::bf16::narrow(s, [x, y]);
            let all = lanes::<i16, S>(s, own).into_iter();
            for (own, plain) in all.zip(lanes::<i16, S>(s, plain)) {
                if plain & 0x7FFF <= 0x7F80 {
                    assert_eq!(own, plain);
                }
            }
        }
    }
}

#[test]
fn products_and_sums_round_to_odd() {
    run_on_all(&per_isa!(Runs<OddWords, 2>), OddWords);
}
