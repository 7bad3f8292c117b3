//! The words of [`PieceLanes`] of every unit against plain arithmetic on each lane.

extern crate std;

use std::vec;
use std::vec::Vec;

use super::{Runs, lanes, numbers, of, run_on_all};
use crate::isa::per_isa;
use crate::lanes::{Lanes, V};
use crate::simd::{Simd, WithSimd};

/// 1.5·2^23.
const SHIFT: f32 = 12_582_912.0;

const EIGHT: [f32; 8] = table();
const THIRTY_TWO: [f32; 32] = table();

const fn table<const N: usize>() -> [f32; N] {
    let mut table = [0.0; N];
    let mut i = 0;
    while i < N {
        table[i] = 1.5 + i as f32;
        i += 1;
    }
    table
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// `word` on a register of `x` beside `plain` on each number, by bits; a NaN is a NaN.
fn same<S: Simd>(
    s: S,
    x: &[f32],
    word: impl Fn(V<S, f32>) -> V<S, f32>,
    plain: impl Fn(f32) -> f32,
) {
    let got: Vec<f32> = lanes::<f32, S>(s, word(of::<f32, S>(s, x)));
    for (x, got) in x.iter().zip(got) {
        let want = plain(*x);
        let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
        assert!(same, "of {x:e} = {:#x}: {got:e}, not {want:e}", x.to_bits());
    }
}

#[derive(Clone, Copy)]
struct Pieces;

impl<S: Simd> WithSimd<S> for Pieces {
    type Output = ();

    unsafe fn with_simd(self, s: S) {
        let n = <S as Lanes<f32>>::N;
        for seed in 0..11 {
            let x = numbers(n, seed);
            let at = |x: f32, n: usize| x.to_bits() as usize % n;
            // Bits whose lowest five differ from lane to lane.
            let index: Vec<f32> = (0..n)
                .map(|i| f32::from_bits((i * 37 + seed * 3) as u32))
                .collect();
            same(s, &index, |i| s.look_up(&EIGHT, i), |i| EIGHT[at(i, 8)]);
            same(
                s,
                &index,
                |i| s.look_up(&THIRTY_TWO, i),
                |i| THIRTY_TWO[at(i, 32)],
            );
            let of_bits = f32::from_bits;
            for lane in 0..n {
                let mut one = vec![of_bits(0x0012_3456); n];
                one[lane] = of_bits(0x8812_3456);
                let x = of::<f32, S>(s, &one);
                for (bits, any) in [(1 << 31, true), (0xF800_0000, true), (0x7600_0000, false)] {
                    assert_eq!(s.any_bits(x, bits), any, "{bits:#x} in lane {lane}");
                }
            }
            same(
                s,
                &index,
                |x| s.shift_left::<20>(x),
                |x| of_bits(x.to_bits() << 20),
            );
            same(
                s,
                &x,
                |x| s.shift_right::<22>(x),
                |x| of_bits(x.to_bits() >> 22),
            );
            same(
                s,
                &x,
                |x| s.add_bits(x, s.splat(of_bits(0xC080_0001))),
                |x| of_bits(x.to_bits().wrapping_add(0xC080_0001)),
            );
            let limit = |x: f32| if x.abs() < 2.5 { x.abs() } else { 2.5 };
            same(s, &x, |x| s.abs_to(x, s.splat(2.5f32)), limit);
            // On both sides of an integer. The products are exact, because not every unit fuses.
            let near = |i: usize| f32::from_bits((i as f32 + 1.0).to_bits() - 1 + seed as u32 % 3);
            let a: Vec<f32> = (0..n).map(|i| near(i) / 2.0).collect();
            let floor = |a: f32| (f64::from(a) * 2.0).floor() as f32 + SHIFT;
            let onto = |a| s.floor_onto(a, s.splat(2.0f32), s.splat(SHIFT));
            same(s, &a, onto, floor);
            let mut least: Vec<f32> = (0..n as u32).map(f32::from_bits).collect();
            least[n / 2..].iter_mut().for_each(|x| *x = -*x);
            for x in [&x, &least] {
                same(s, x, |x| s.half_down(x), half_down);
            }
            for far in [
                0,
                1,
                u32::MAX >> (32 - n),
                (seed as u32).wrapping_mul(0x9E37_79B9) >> (32 - n),
            ] {
                places(s, far, &x);
            }
        }
    }
}

fn half_down(x: f32) -> f32 {
    let half = x * 0.5;
    if half + half > x {
        half.next_down()
    } else {
        half
    }
}

/// Compressed, and expanded again over others.
fn places<S: Simd>(s: S, set: u32, x: &[f32]) {
    let n = <S as Lanes<f32>>::N;
    let mut compressed = vec![f32::NAN; n];
    // SAFETY: room for a register.
    unsafe { s.compress(set, of::<f32, S>(s, x), compressed.as_mut_ptr()) };
    let want: Vec<f32> = (0..n).filter(|i| set >> i & 1 != 0).map(|i| x[i]).collect();
    assert_eq!(bits(&compressed[..want.len()]), bits(&want), "{set:#x}");
    let mut y: Vec<f32> = want;
    y.resize(n, -7.0);
    let others: Vec<f32> = (0..n).map(|i| 100.0 + i as f32).collect();
    let expanded = s.expand(set, of::<f32, S>(s, &y), of::<f32, S>(s, &others));
    let want: Vec<f32> = (0..n)
        .map(|i| if set >> i & 1 != 0 { x[i] } else { others[i] })
        .collect();
    assert_eq!(bits(&lanes::<f32, S>(s, expanded)), bits(&want), "{set:#x}");
}

#[test]
fn pieces() {
    run_on_all(&per_isa!(Runs<Pieces, 2>), Pieces);
}
