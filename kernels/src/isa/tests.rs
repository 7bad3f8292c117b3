//! The words of every unit against plain arithmetic: the order of lanes on the ways between dtypes,
//! parts of registers, and words that hardly any operation says.

extern crate std;

use core::fmt::Debug;
use core::ptr;
use std::vec;
use std::vec::Vec;

use crate::dtype::{bf16, f16};
use crate::half::Half;
use crate::is_available;
use crate::isa::{Isa, PerIsa, per_isa};
use crate::lanes::{FloatLanes, Lanes, V};
use crate::simd::{FullSimd, Simd, WithSimd};

#[cfg(target_arch = "x86_64")]
mod cells_32;
mod odd;
mod pieces;
#[path = "../../tests/shared/isas.rs"]
mod shared;
mod tables;
pub(crate) use shared::isas;

/// A task's entry points on the units of one instruction set, for `per_isa!`: of the first unit, or
/// of both, which are one where there is no other.
pub(crate) struct Runs<T, const UNITS: usize>([unsafe fn(T); UNITS]);

impl<T> Runs<T, 1> {
    pub(crate) const fn of<S: FullSimd, W>() -> Self
    where
        T: WithSimd<S, Output = ()>,
    {
        Self([S::with_simd::<T>])
    }
}

impl<T> Runs<T, 2> {
    const fn of<S: Simd, W: Simd>() -> Self
    where
        T: WithSimd<S, Output = ()> + WithSimd<W, Output = ()>,
    {
        Self([S::with_simd::<T>, W::with_simd::<T>])
    }
}

/// Runs a task on every instruction set that this CPU has.
pub(crate) fn run_on_all<T: Copy, const UNITS: usize>(runs: &PerIsa<Runs<T, UNITS>>, task: T) {
    for isa in isas() {
        for run in runs.get(isa).0 {
            // SAFETY: this CPU has the instructions, and the tasks here ask for nothing else.
            unsafe { run(task) };
        }
    }
}

fn of<E: Copy, L: Lanes<E>>(l: L, x: &[E]) -> L::V {
    assert_eq!(x.len(), L::N);
    // SAFETY: `N` elements.
    unsafe { l.load(x.as_ptr()) }
}

fn lanes<E: Copy + Default, L: Lanes<E>>(l: L, v: L::V) -> Vec<E> {
    let mut x = vec![E::default(); L::N];
    // SAFETY: room for `N` elements.
    unsafe { l.store(x.as_mut_ptr(), v) };
    x
}

/// Numbers of both signs, and now and then a zero, an infinity, or a NaN with a payload that `f16`
/// and `bf16` have room for.
fn numbers(n: usize, seed: usize) -> Vec<f32> {
    let special = [0.0, -0.0, f32::INFINITY, -f32::INFINITY];
    let nans = [0x7FC2_0000, 0xFFE4_0000].map(f32::from_bits);
    let special = [&special[..], &nans].concat();
    let number = |i: usize| match (i * 37 + seed) % 11 {
        0 => special[(i + seed) % special.len()],
        k => (k as f32 - 5.3) * (i as f32 + 0.123_456_7),
    };
    (0..n).map(number).collect()
}

#[derive(Clone, Copy)]
enum Words {
    Wide,
    Halves,
    Floats,
    Parts,
    Cells,
}

impl<S: Simd> WithSimd<S> for Words {
    type Output = ();

    unsafe fn with_simd(self, s: S) {
        for seed in 0..11 {
            match self {
                Words::Wide => wide(s, seed),
                Words::Halves => {
                    halves(s, seed, f16::from_f32, f16::to_f32, |x| x.to_bits());
                    halves(s, seed, bf16::from_f32, bf16::to_f32, |x| x.to_bits());
                }
                Words::Floats => {
                    floats::<f32, S>(s, &numbers(<S as Lanes<f32>>::N, seed), [23, 127]);
                    let x = numbers(<S as Lanes<f64>>::N, seed);
                    let x: Vec<f64> = x.into_iter().map(f64::from).collect();
                    floats::<f64, S>(s, &x, [52, 1023]);
                }
                Words::Cells => cells(s, seed),
                Words::Parts => {
                    parts::<f32, S>(s, |i| i as f32 + 1.0);
                    parts::<f64, S>(s, |i| i as f64 + 1.0);
                    parts::<i16, S>(s, |i| i as i16 + 1);
                    parts::<i32, S>(s, |i| i as i32 + 1);
                }
            }
        }
    }
}

fn wide<S: Simd>(s: S, seed: usize) {
    let x = numbers(<S as Lanes<f32>>::N, seed);
    let y = s.widen(of::<f32, S>(s, &x));
    let values = y.map(|y| lanes::<f64, S>(s, y)).concat();
    for (x, value) in x.iter().zip(&values) {
        assert_eq!(f64::from(*x).to_bits(), value.to_bits());
    }
    let scaled: Vec<f64> = values.iter().map(|x| x * (1.0 + 1e-9)).collect();
    let [low, high] =
        [0, 1].map(|i| of::<f64, S>(s, &scaled[i * scaled.len() / 2..][..scaled.len() / 2]));
    for (x, y) in scaled.iter().zip(lanes::<f32, S>(s, s.narrow([low, high]))) {
        assert_eq!((*x as f32).to_bits(), y.to_bits());
    }
}

/// Lanes may be anywhere between widening and narrowing, so what is done there is the same for all.
fn halves<H: Half, S: Simd>(
    s: S,
    seed: usize,
    rounded: fn(f32) -> H,
    value: fn(H) -> f32,
    bits: fn(H) -> u16,
) {
    let n = <S as Lanes<i16>>::N;
    let x: Vec<H> = numbers(n, seed).into_iter().map(rounded).collect();
    let x_bits: Vec<i16> = x.iter().map(|x| x.lane()).collect();
    let scale = s.splat(1.0f32 + 1.0 / 700.0);
    let wide = H::widen(s, of::<i16, S>(s, &x_bits));
    let mut found = wide.map(|x| lanes::<f32, S>(s, x)).concat();
    let mut want: Vec<f32> = x.iter().map(|&x| value(x)).collect();
    found.sort_by(f32::total_cmp);
    want.sort_by(f32::total_cmp);
    let of_bits = |x: Vec<f32>| x.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    assert_eq!(of_bits(found), of_bits(want));

    let y = H::narrow(s, wide.map(|x| FloatLanes::<f32>::mul(s, x, scale)));
    for (x, y) in x.iter().zip(lanes::<i16, S>(s, y)) {
        let want = rounded(value(*x) * (1.0 + 1.0 / 700.0));
        assert_eq!(bits(want), y.cast_unsigned(), "{}", value(*x));
    }
    let high = s.high_halves(s.widen_bf16(of::<i16, S>(s, &x_bits)).map(|x| s.to_bits(x)));
    assert_eq!(lanes::<i16, S>(s, high), x_bits);
}

/// The words of cells on 16-bit floats.
fn cells<S: Simd>(s: S, seed: usize) {
    let n = <S as Lanes<f32>>::N;
    // So few bits that sums of products are exact in `f64`, and too many for `f32`.
    let number = |i: usize| ((i * 7919 + seed * 104_729) % 8191) as f32 * 0.0625 - 256.0;
    let [a, b, c]: [Vec<f32>; 3] = [0, 31, 77].map(|from| {
        (from..from + n)
            .map(|i| number(i) / (from + 1) as f32)
            .collect()
    });
    let a: Vec<f32> = a.iter().map(|a| a * 1.0009766).collect();
    let [x, y, z] = [&a, &b, &c].map(|x| of::<f32, S>(s, x));
    let down = |x: f64| {
        let near = x as f32;
        if f64::from(near) > x {
            near.next_down()
        } else {
            near
        }
    };
    let sums = [
        lanes::<f32, S>(s, s.mul_add_down(x, y, z)),
        lanes::<f32, S>(s, s.neg_mul_add_up(x, y, z)),
    ];
    let to_odd = lanes::<f32, S>(s, s.mul_add_to_odd(x, y, z));
    for i in 0..n {
        let product = f64::from(a[i]) * f64::from(b[i]);
        let c = f64::from(c[i]);
        assert_eq!(sums[0][i], down(product + c), "{} {} {c}", a[i], b[i]);
        assert_eq!(sums[1][i], -down(product - c), "{} {} {c}", a[i], b[i]);
        let (below, above) = (down(product + c), -down(-product - c));
        if below >= 0.0 {
            let odd = below.to_bits() | above.to_bits() & 1;
            assert_eq!(to_odd[i].to_bits(), odd, "{} {} {c}", a[i], b[i]);
        }
    }
    let zero = |x: f32| s.splat(x);
    let bits = |x| lanes::<f32, S>(s, x)[0].to_bits();
    let minus = (-0.0f32).to_bits();
    assert_eq!(
        bits(s.mul_add_down(zero(0.0), zero(1.0), zero(-0.0))),
        minus
    );
    assert_eq!(
        bits(s.mul_add_down(zero(1.0), zero(1.0), zero(-1.0))),
        minus
    );
    assert_eq!(bits(s.mul_add_down(zero(0.0), zero(1.0), zero(0.0))), 0);
    assert_eq!(bits(s.neg_mul_add_up(zero(1.0), zero(1.0), zero(1.0))), 0);
    let least = f32::from_bits(1);
    assert_eq!(
        bits(s.mul_add_down(zero(-0.25), zero(least), zero(0.0))),
        minus + 1
    );

    let x = numbers(n, seed);
    let v = of::<f32, S>(s, &x);
    for (x, y) in x
        .iter()
        .zip(lanes::<f32, S>(s, s.minus_abs_to(v, s.splat(3.0f32))))
    {
        let least = if x.abs() < 3.0 { x.abs() } else { 3.0 };
        assert_eq!(y.to_bits(), (-least).to_bits());
    }
    static TABLE: [i16; 6] = [3, 1, -4, 1, 5, 5];
    let index: Vec<i16> = (0..<S as Lanes<i16>>::N)
        .map(|i| (i * (seed + 1)) as i16 - 2)
        .collect();
    let found = s.look_up_16(&TABLE, of::<i16, S>(s, &index));
    for (i, found) in index.iter().zip(lanes::<i16, S>(s, found)) {
        assert_eq!(found, TABLE[usize::from(i.cast_unsigned()).min(4)], "{i}");
    }
}

/// A float as the test computes with it.
trait Plain: Copy + Default + PartialEq + Debug {
    fn of(x: f64) -> Self;
    fn bits(self) -> u64;
    fn is_nan(self) -> bool;
    fn fused(self, b: Self, c: Self) -> Self;
    fn less(self, b: Self) -> bool;
    fn signed(self, sign: Self) -> Self;
    fn negated(self) -> Self;
}

macro_rules! plain {
    ($($E:ident)*) => {$(
        impl Plain for $E {
            fn of(x: f64) -> Self { x as $E }
            fn bits(self) -> u64 { self.to_bits().into() }
            fn is_nan(self) -> bool { $E::is_nan(self) }
            fn fused(self, b: Self, c: Self) -> Self { self.mul_add(b, c) }
            fn less(self, b: Self) -> bool { self < b }
            fn signed(self, sign: Self) -> Self { self.copysign(sign) }
            fn negated(self) -> Self { -self }
        }
    )*};
}
plain! { f32 f64 }

fn floats<E: Plain, L: FloatLanes<E>>(l: L, a: &[E], [fraction, bias]: [i32; 2]) {
    let turned: Vec<E> = a.iter().rev().copied().collect();
    let (b, c) = (&turned[..], E::of(0.1));
    let [x, y, z] = [of(l, a), of(l, b), l.splat(c)];
    let check = |name: &str, got: L::V, want: &dyn Fn(E, E) -> E| {
        for ((&a, &b), got) in a.iter().zip(b).zip(lanes(l, got)) {
            let want = want(a, b);
            // NaN is one of the operands', and which is not told.
            let both_nan = want.is_nan() && got.is_nan();
            assert!(
                both_nan || want.bits() == got.bits(),
                "{name} of {a:?} {b:?}: {got:?}"
            );
        }
    };
    if L::FUSED {
        check("mul_add", l.mul_add(x, y, z), &|a, b| a.fused(b, c));
        check("neg_mul_add", l.neg_mul_add(x, y, z), &|a, b| {
            a.negated().fused(b, c)
        });
    }
    for ((&a, &b), got) in a.iter().zip(b).zip(lanes(l, l.copysign(x, y))) {
        assert_eq!(a.signed(b).bits(), got.bits(), "copysign, also of NaN");
    }
    for (&a, got) in a.iter().zip(lanes(l, l.abs(x))) {
        assert_eq!(a.signed(E::of(1.0)).bits(), got.bits(), "abs, also of NaN");
    }
    let mask = a
        .iter()
        .zip(b)
        .rev()
        .fold(0, |mask, (a, b)| 2 * mask + u32::from(a.less(*b)));
    assert_eq!(l.bitmask(l.lt(x, y)), mask);
    check("select", l.select(l.lt(x, y), x, y), &|a, b| {
        if a.less(b) { a } else { b }
    });

    let n: Vec<i32> = (0..a.len() as i32)
        .map(|i| (i * 61) % (2 * bias - 1) + 1 - bias)
        .collect();
    let shift = 1.5 * f64::from(fraction).exp2();
    let shifted: Vec<E> = n.iter().map(|&n| E::of(shift + f64::from(n))).collect();
    for (n, power) in n.iter().zip(lanes(l, l.pow2(of(l, &shifted)))) {
        assert_eq!(E::of(f64::from(*n).exp2()).bits(), power.bits(), "2^{n}");
    }
}

fn parts<E: Copy + Default + PartialEq + Debug, S: Lanes<E>>(s: S, element: fn(usize) -> E) {
    let x: Vec<E> = (0..S::N).map(element).collect();
    for n in 0..=S::N {
        // Exactly as long, so that a tool that watches memory sees what is read beyond.
        let part = x[..n].to_vec();
        // SAFETY: `n` elements.
        let loaded: V<S, E> = unsafe { s.load_part(part.as_ptr(), n) };
        let rest = vec![E::default(); S::N - n];
        assert_eq!(lanes(s, loaded), [&part[..], &rest].concat());
        let mut y = vec![E::default(); S::N];
        // SAFETY: room for more than `n` elements.
        unsafe { s.store_part(y.as_mut_ptr(), n, of(s, &x)) };
        assert_eq!(y, [&part[..], &rest].concat());
    }
}

#[test]
fn f32_as_f64_and_back() {
    run_on_all(&per_isa!(Runs<Words, 2>), Words::Wide);
}

#[test]
fn sixteen_bits_as_f32_and_back() {
    run_on_all(&per_isa!(Runs<Words, 2>), Words::Halves);
}

#[test]
fn float_words() {
    run_on_all(&per_isa!(Runs<Words, 2>), Words::Floats);
}

#[test]
fn words_of_cells() {
    run_on_all(&per_isa!(Runs<Words, 2>), Words::Cells);
}

#[test]
fn parts_of_a_register() {
    run_on_all(&per_isa!(Runs<Words, 2>), Words::Parts);
}

/// Left out of one of the lists in `isa/mod.rs`, an instruction set would never be chosen, or quietly be
/// the portable one.
#[test]
fn every_list_has_every_instruction_set() {
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_macros))]
    macro_rules! has {
        ($($feature:tt)*) => {
            true
        };
    }
    let runs = per_isa!(Runs<Words, 2>);
    assert_eq!(size_of::<PerIsa<u8>>(), Isa::ALL.len());
    for (i, isa) in Isa::ALL.iter().enumerate() {
        assert!(is_available!(*isa, has), "{isa} in `is_available!`");
        for other in &Isa::ALL[..i] {
            assert!(
                !ptr::eq(runs.get(*isa), runs.get(*other)),
                "{isa} or {other} in `PerIsa::get`"
            );
        }
    }
}
