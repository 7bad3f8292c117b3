//! The formulas of 32 cells on `f32`, which only AVX-512 looks up in registers, on AVX2's words: so every machine with
//! AVX2 can try all 2^32 inputs of them.
//!
//! AVX-512's own instructions for the words are compared with plain arithmetic by `pieces.rs`, in Bochs if the machine has
//! none (`.ci/avx512`).

extern crate std;

use core::arch::x86_64::*;
use std::{eprintln, thread};

use crate::contract::{Bound, Form};
use crate::derivative::Backward;
use crate::dtype::Dtype;
use crate::isa::Isa;
use crate::isa::avx2::Avx2;
use crate::lanes::{FloatLanes, Lanes};
use crate::loops::Zip;
use crate::odd_lanes::OddLanes;
use crate::ops::*;
use crate::piece_lanes::PieceLanes;
use crate::simd::{MapWithSimd, Simd, WithSimd};
use crate::table::BuiltinOp;
use crate::table_lanes::TableLanes;

/// Two registers of AVX2 as one of AVX-512, as if that looked up 32 entries.
#[derive(Clone, Copy)]
struct Cells32(Avx2);

/// Words of registers alone.
macro_rules! of_both {
    ($Lanes:ident<$E:ident>: $(fn $word:ident($($arg:ident),*) -> $R:ident;)*) => {$(
        #[inline(always)]
        fn $word(self, $($arg: Self::V),*) -> Self::$R {
            [$Lanes::<$E>::$word(self.0, $($arg[0]),*), $Lanes::<$E>::$word(self.0, $($arg[1]),*)]
        }
    )*};
}

macro_rules! lanes {
    ($($E:ident in $V:ident;)*) => {$(
        // SAFETY: plain elements; parts of a register are by its own words.
        unsafe impl Lanes<$E> for Cells32 {
            type V = [$V; 2];
            type M = [$V; 2];
            of_both! { Lanes<$E>:
                fn add(a, b) -> V;
                fn sub(a, b) -> V;
                fn and(a, b) -> V;
                fn max(a, b) -> V;
                fn min(a, b) -> V;
                fn lt(a, b) -> M;
                fn select(m, yes, no) -> V;
            }
            #[inline(always)]
            fn splat(self, x: $E) -> Self::V {
                [Lanes::<$E>::splat(self.0, x); 2]
            }
            #[inline(always)]
            fn bitmask(self, m: Self::M) -> u32 {
                let bits = m.map(|m| Lanes::<$E>::bitmask(self.0, m));
                bits[0] | bits[1] << <Avx2 as Lanes<$E>>::N
            }
            #[inline(always)]
            unsafe fn load_part(self, p: *const $E, n: usize) -> Self::V {
                let low = n.min(<Avx2 as Lanes<$E>>::N);
                // SAFETY: forwarded.
                unsafe { [self.0.load_part(p, low), self.0.load_part(p.add(low), n - low)] }
            }
            #[inline(always)]
            unsafe fn store_part(self, p: *mut $E, n: usize, v: Self::V) {
                let low = n.min(<Avx2 as Lanes<$E>>::N);
                // SAFETY: forwarded.
                unsafe {
                    self.0.store_part(p, low, v[0]);
                    self.0.store_part(p.add(low), n - low, v[1]);
                }
            }
        }
    )*};
}
lanes! { f32 in __m256; f64 in __m256d; i16 in __m256i; i32 in __m256i; }

macro_rules! float_lanes {
    ($($E:ident)*) => {$(
        impl FloatLanes<$E> for Cells32 {
            const FUSED: bool = true;
            of_both! { FloatLanes<$E>:
                fn mul(a, b) -> V;
                fn div(a, b) -> V;
                fn abs(x) -> V;
                fn le(a, b) -> M;
                fn mul_add(a, b, c) -> V;
                fn neg_mul_add(a, b, c) -> V;
                fn copysign(x, sign) -> V;
                fn pow2(shifted) -> V;
            }
        }
    )*};
}
float_lanes! { f32 f64 }

impl PieceLanes for Cells32 {
    const ENTRIES: usize = 32;

    #[inline(always)]
    fn look_up<const N: usize>(self, table: &'static [f32; N], index: Self::V) -> Self::V {
        [
            self.look_up_half(table, index[0]),
            self.look_up_half(table, index[1]),
        ]
    }
    #[inline(always)]
    fn add_bits(self, a: Self::V, b: Self::V) -> Self::V {
        [self.0.add_bits(a[0], b[0]), self.0.add_bits(a[1], b[1])]
    }
    #[inline(always)]
    fn any_bits(self, x: Self::V, of: u32) -> bool {
        self.0.any_bits(x[0], of) || self.0.any_bits(x[1], of)
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self, x: Self::V) -> Self::V {
        [
            self.0.shift_left::<BITS>(x[0]),
            self.0.shift_left::<BITS>(x[1]),
        ]
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self, x: Self::V) -> Self::V {
        [
            self.0.shift_right::<BITS>(x[0]),
            self.0.shift_right::<BITS>(x[1]),
        ]
    }
}

impl Cells32 {
    /// Of 32 entries in the four registers that hold them, of which the index' fourth and fifth bits choose.
    #[inline(always)]
    fn look_up_half<const N: usize>(self, table: &'static [f32; N], index: __m256) -> __m256 {
        if const { N != 32 } {
            return self.0.look_up(table, index);
        }
        // SAFETY: 32 entries; AVX2, because a unit exists only where the CPU has its instructions.
        unsafe {
            let i = _mm256_castps_si256(index);
            let mut of = [index; 4];
            let mut j = 0;
            while j < 4 {
                let entries = _mm256_loadu_ps(table.as_ptr().add(8 * j));
                of[j] = _mm256_permutevar8x32_ps(entries, i);
                j += 1;
            }
            let fourth = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(i));
            let fifth = _mm256_castsi256_ps(_mm256_slli_epi32::<27>(i));
            let low = _mm256_blendv_ps(of[0], of[1], fourth);
            let high = _mm256_blendv_ps(of[2], of[3], fourth);
            _mm256_blendv_ps(low, high, fifth)
        }
    }
}

impl TableLanes for Cells32 {}

impl OddLanes for Cells32 {
    fn mul_to_odd<const TINY: bool>(self, a: Self::V, b: Self::V) -> Self::V {
        [0, 1].map(|i| self.0.mul_to_odd::<TINY>(a[i], b[i]))
    }
    fn add_to_odd(self, a: Self::V, b: Self::V) -> Self::V {
        [0, 1].map(|i| self.0.add_to_odd(a[i], b[i]))
    }
}

impl Simd for Cells32 {
    #[inline(always)]
    fn widen(self, x: [__m256; 2]) -> [[__m256d; 2]; 2] {
        [self.0.widen(x[0]), self.0.widen(x[1])]
    }
    #[inline(always)]
    fn narrow(self, x: [[__m256d; 2]; 2]) -> [__m256; 2] {
        [self.0.narrow(x[0]), self.0.narrow(x[1])]
    }
    fn widen_f16(self, x: [__m256i; 2]) -> [[__m256; 2]; 2] {
        x.map(|x| self.0.widen_f16(x))
    }
    fn narrow_f16(self, x: [[__m256; 2]; 2]) -> [__m256i; 2] {
        x.map(|x| self.0.narrow_f16(x))
    }
    fn widen_bf16(self, x: [__m256i; 2]) -> [[__m256; 2]; 2] {
        x.map(|x| self.0.widen_bf16(x))
    }
    fn narrow_bf16(self, x: [[__m256; 2]; 2]) -> [__m256i; 2] {
        x.map(|x| self.0.narrow_bf16(x))
    }
    fn narrow_bf16_own(self, x: [[__m256; 2]; 2]) -> [__m256i; 2] {
        x.map(|x| self.0.narrow_bf16_own(x))
    }
    fn high_halves(self, x: [[__m256i; 2]; 2]) -> [__m256i; 2] {
        x.map(|x| self.0.high_halves(x))
    }
    unsafe fn stream<V: Copy>(self, p: *mut V, v: V) {
        // SAFETY: forwarded.
        unsafe { p.write(v) }
    }
    unsafe fn map<E, O: MapWithSimd<Self, E>>(_: O, _: *const E, _: *mut E, _: usize, _: bool) {
        unreachable!("no loop enters by it")
    }
    unsafe fn with_simd<T: WithSimd<Self>>(task: T) -> T::Output {
        // SAFETY: forwarded.
        unsafe { Avx2::with_simd(Entered(task)) }
    }
}

/// A task for [`Cells32`].
struct Entered<T>(T);

impl<T: WithSimd<Cells32>> WithSimd<Avx2> for Entered<T> {
    type Output = T::Output;

    #[inline(always)]
    unsafe fn with_simd(self, s: Avx2) -> T::Output {
        // SAFETY: forwarded.
        unsafe { self.0.with_simd(Cells32(s)) }
    }
}

const BLOCK: usize = 4096;

/// The results, and in `f64` what they should be.
struct Block<'a, O> {
    op: O,
    form: Form,
    x: &'a [f32; BLOCK],
    y: &'a mut [f32; BLOCK],
    want: &'a mut [f64; BLOCK],
}

impl<O: BuiltinOp> WithSimd<Avx2> for Block<'_, O> {
    type Output = ();

    #[inline(always)]
    unsafe fn with_simd(self, s: Avx2) {
        let Self {
            op,
            form,
            x,
            y,
            want,
        } = self;
        let wide = x.map(f64::from);
        let (y, want) = (y.as_mut_ptr(), want.as_mut_ptr());
        // SAFETY: all arrays are as long.
        unsafe {
            if form == Form::Forward {
                op.map_with_simd(Cells32(s), x.as_ptr(), y, BLOCK, false);
                op.map_with_simd(s, wide.as_ptr(), want, BLOCK, false);
                return;
            }
            slopes(Cells32(s), op, x, 1.0, y);
            slopes(s, op, &wide, 1.0, want);
        }
    }
}

/// `dst[i] = f′(x[i])`.
///
/// # Safety
/// `dst` is valid for writes of a block and does not overlap `x`; the CPU has the unit's instructions.
#[inline(always)]
unsafe fn slopes<S, E: Copy, O>(s: S, op: O, x: &[E; BLOCK], one: E, dst: *mut E)
where
    Zip<Backward<O>, E>: WithSimd<S, Output = ()>,
{
    let ones = [one; BLOCK];
    let zip = Zip {
        op: Backward(op),
        a: x.as_ptr(),
        b: ones.as_ptr(),
        dst,
        len: BLOCK,
        stream: false,
    };
    // SAFETY: forwarded; all arrays are as long.
    unsafe { zip.with_simd(s) }
}

/// The error in ulps of `f32`, among the subnormal numbers of the smallest of them.
fn ulps(got: f32, want: f64) -> f64 {
    if want.is_nan() || got.is_nan() {
        return if want.is_nan() && got.is_nan() {
            0.0
        } else {
            f64::INFINITY
        };
    }
    /// 2^128, which infinity stands in place of.
    const TOO_LARGE: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
    let finite = |x: f64| x.clamp(-TOO_LARGE, TOO_LARGE);
    let exponent = (want.abs().to_bits() >> 52).clamp(1023 - 126, 1023 + 127);
    (finite(got.into()) - finite(want)).abs() / f64::from_bits((exponent - 23) << 52)
}

/// The largest error over every `stride`-th of the numbers whose bits begin with `half`.
fn largest<O: BuiltinOp>(op: O, form: Form, half: u32, stride: usize) -> (f64, f32) {
    let mut bound = Bound::of_inexact(Dtype::F32, form);
    if let (Form::Backward, Some(point)) = (form, op.stationary_point()) {
        bound = bound.turning_at(point);
    }
    let (mut y, mut want) = ([0.0; BLOCK], [0.0; BLOCK]);
    let mut worst = (0.0, 0.0);
    let mut bits = (half << 31..=half << 31 | 0x7FFF_FFFF).step_by(stride);
    while let Some(first) = bits.next() {
        let mut x = [f32::from_bits(first); BLOCK];
        x[1..]
            .iter_mut()
            .zip(&mut bits)
            .for_each(|(x, bits)| *x = f32::from_bits(bits));
        let (x, y, want) = (&x, &mut y, &mut want);
        // SAFETY: `hold_all` has seen that this CPU runs `Isa::Avx2`.
        unsafe {
            Avx2::with_simd(Block {
                op,
                form,
                x,
                y,
                want,
            })
        };
        for ((x, y), want) in x.iter().zip(y).zip(want) {
            let absolute = (f64::from(*y) - *want).abs();
            let ulps = bound.counted(Dtype::F32, (*x).into(), ulps(*y, *want), absolute);
            if ulps > worst.0 {
                worst = (ulps, *x);
            }
        }
    }
    worst
}

/// An operation that has such formulas, over every `stride`-th `f32`.
fn hold<O: BuiltinOp>(stride: usize) {
    let hold = |form, limit| {
        let both = thread::scope(|scope| {
            let half = |half| scope.spawn(move || largest(O::DEFAULT, form, half, stride));
            [0, 1].map(half).map(|half| half.join().expect("no panic"))
        });
        let (ulps, at) = if both[0].0 > both[1].0 {
            both[0]
        } else {
            both[1]
        };
        eprintln!("{} {form:?}: {ulps:.4} ulps at {at:e}", O::NAME);
        assert!(
            ulps <= limit,
            "{} {form:?}: {ulps:.4} ulps at {at:e}",
            O::NAME
        );
    };
    // Without a formula on 32 entries or fewer, this is `usize::MAX`.
    if const { O::FORWARD_ENTRIES <= 32 } {
        hold(Form::Forward, 1.0);
    }
    if const { O::DERIVATIVE_ENTRIES <= 32 } {
        hold(Form::Backward, 2.0);
    }
}

fn hold_all(stride: usize) {
    if !super::isas().contains(&Isa::Avx2) {
        return;
    }
    hold::<Sigmoid>(stride);
    hold::<LogSigmoid>(stride);
    hold::<Tanh>(stride);
    hold::<TanhShrink>(stride);
    hold::<Softplus>(stride);
    hold::<Elu>(stride);
    hold::<Celu>(stride);
    hold::<Selu>(stride);
    hold::<Silu>(stride);
    hold::<Gelu>(stride);
    hold::<GeluTanh>(stride);
    hold::<QuickGelu>(stride);
    hold::<Mish>(stride);
}

#[test]
fn some_of_every_operation() {
    hold_all(262_139);
}

#[test]
#[ignore = "all 2^32 inputs of every operation; run in release mode, with --nocapture"]
fn every_f32_of_every_operation() {
    hold_all(1);
}
