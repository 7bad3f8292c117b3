//! The words of [`TableLanes`] of every unit against plain arithmetic on each lane.

extern crate std;

use std::vec::Vec;

use super::{Runs, lanes, of, run_on_all};
use crate::isa::per_isa;
use crate::lanes::{Lanes, V};
use crate::simd::{Simd, WithSimd};

/// 1.5·2^52.
const SHIFT: f64 = 6_755_399_441_055_744.0;

static SIXTEEN: [f64; 16] = table();
static MANY: [f64; 2048] = table();

const fn table<const N: usize>() -> [f64; N] {
    let mut table = [0.0; N];
    let mut i = 0;
    while i < N {
        table[i] = 1.5 + i as f64;
        i += 1;
    }
    table
}

/// `word` on a register of `x` beside `plain` on each number, by bits.
fn same<S: Simd>(
    s: S,
    x: &[f64],
    word: impl Fn(V<S, f64>) -> V<S, f64>,
    plain: impl Fn(f64) -> f64,
) {
    let got: Vec<f64> = lanes::<f64, S>(s, word(of::<f64, S>(s, x)));
    for (x, got) in x.iter().zip(got) {
        let want = plain(*x);
        let bits = x.to_bits();
        assert_eq!(
            got.to_bits(),
            want.to_bits(),
            "of {x:e} = {bits:#x}: {got:e}, not {want:e}"
        );
    }
}

#[derive(Clone, Copy)]
struct Tables;

impl<S: Simd> WithSimd<S> for Tables {
    type Output = ();

    unsafe fn with_simd(self, s: S) {
        let n = <S as Lanes<f64>>::N;
        for seed in 0..200u64 {
            // Any bits, those of infinities and of NaN of either kind among them.
            let any = |i: usize| {
                let bits = (i as u64 + 8 * seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                f64::from_bits(match seed % 4 {
                    0 => bits,
                    1 => bits | 0x7FF0 << 48,
                    2 => bits | 0x7FF8 << 48,
                    _ => bits & !(0x7FF0 << 48),
                })
            };
            let x: Vec<f64> = (0..n).map(any).collect();
            let at = |x: f64, n: u64| (x.to_bits() % n) as usize;
            same(s, &x, |i| s.gather(&SIXTEEN, i), |i| SIXTEEN[at(i, 16)]);
            same(s, &x, |i| s.gather(&MANY, i), |i| MANY[at(i, 2048)]);
            let b = f64::from_bits(0x7FFF << 40);
            same(
                s,
                &x,
                |x| s.sub_bits(x, s.splat(b)),
                |x| f64::from_bits(x.to_bits().wrapping_sub(b.to_bits())),
            );
            let powers: Vec<f64> = (0..n)
                .map(|i| (i as f64 - 3.0) * 19.0 * seed as f64 / 16.0)
                .collect();
            let scaled = |n: f64| {
                let whole = n.floor();
                let half = (whole / 2.0).floor();
                // One of the products is exact.
                -1.375 * half.exp2() * (whole - half).exp2()
            };
            same(s, &powers, |n| s.scale(s.splat(-1.375), n), scaled);
            // Sixteenths, next to a number where these are the last digit.
            let sixteenths: Vec<f64> = powers.iter().map(|n| n + SHIFT / 16.0).collect();
            let power = |shifted: f64| {
                let n = shifted - SHIFT / 16.0;
                SIXTEEN[((n - n.floor()) * 16.0) as usize] * n.floor().exp2()
            };
            same(s, &sixteenths, |i| s.power(&SIXTEEN, i), power);
            let d: Vec<f64> = powers.iter().map(|n| 1.0 + n.min(125.0).exp2()).collect();
            let g: Vec<f64> = lanes::<f64, S>(s, s.short_reciprocal(of::<f64, S>(s, &d)));
            for (d, g) in d.iter().zip(g) {
                assert!((g * d - 1.0).abs() < 1.0 / 16_384.0, "1/{d:e}: {g:e}");
                assert!(g.to_bits() << 35 == 0, "1/{d:e}: {g:e} has too many digits");
            }
            // On both sides of an integer. The products are exact, because not every unit fuses.
            let near = |i: usize| f64::from_bits((i as f64 + 1.0).to_bits() - 1 + seed % 3);
            let a: Vec<f64> = (0..n).map(|i| near(i) / 2.0).collect();
            same(
                s,
                &a,
                |a| s.floor_to(a, s.splat(2.0), s.splat(SHIFT)),
                |a| (a * 2.0).floor() + SHIFT,
            );
        }
    }
}

#[test]
fn tables() {
    run_on_all(&per_isa!(Runs<Tables, 2>), Tables);
}
