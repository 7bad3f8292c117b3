//! Slopes drawn at random, each from its own number: Philox4x32-10 (Salmon, Moraes, Dror & Shaw,
//! "Parallel random numbers: as easy as 1, 2, 3", 2011), which makes four words of 32 bits from a
//! counter and a key, and keeps no state from one to the next.
//!
//! The key is the seed, the counter counts groups of four words. Four counters, one per 64-bit lane,
//! make a *draw* of 16 words. Words are taken in the order in which the lanes hold them, which costs no
//! shuffle: with `w[k]` the k-th word of a counter, the 16 are `w[0], w[1]` of each of the four
//! counters, then `w[2], w[3]` of each. An `f64` takes a pair of them.

use crate::dtype::{Float, bf16, f16};
use crate::half::Half;
use crate::lanes::{Lanes, V};
use crate::register::{IntLane, IntRegister, Lane, Mask, Register};
use crate::simd::{FullSimd, WithSimd};

/// A dtype whose slopes can be drawn.
pub trait Drawn: Float {
    /// Elements to a draw, from one draw of 16 words.
    const PER_DRAW: usize = 16;

    /// Those elements, from the words.
    ///
    /// A slope that the dtype rounds to zero is `+0`. With `-0`, a derivative of 1 times the slope would not
    /// be the slope: the rule for gradients gives `+0` where the derivative is zero.
    ///
    /// # Safety
    /// `dst` is valid for writes of [`PER_DRAW`](Drawn::PER_DRAW) elements.
    unsafe fn draw<S: FullSimd>(s: S, range: Range, words: [V<S, i64>; 4], dst: *mut Self);
}

/// The bounds that slopes are drawn between, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Range {
    pub lower: f64,
    pub upper: f64,
}

impl Range {
    /// From a number in `[1, 2)` with a random fraction, of which a `cell` is the last place: the middle
    /// of the cell takes the place of its lower end, so that the mean is that of the bounds. Weighing both
    /// bounds overflows for none; rounding could carry a slope over a bound, hence `min` and `max`.
    #[inline(always)]
    fn at<X: Lane>(self, number: X, cell: f64) -> X {
        let (lower, upper) = (number.parameter(self.lower), number.parameter(self.upper));
        let t = number - number.splat(1.0 - cell / 2.0);
        let rest = number.splat(1.0) - t;
        let slope = rest * lower + t * upper;
        upper.min(lower.max(slope))
    }

    /// 16 slopes in their order, of which some may be `-0`.
    #[inline(always)]
    fn f32<S: FullSimd>(self, s: S, words: [V<S, i64>; 4]) -> [Register<f32, S>; 2] {
        let cell = f64::from(f32::EPSILON);
        let low = Register::<f32, S>::new(s, numbers_f32(s, words[0], words[1]));
        let high = Register::<f32, S>::new(s, numbers_f32(s, words[2], words[3]));
        [self.at(low, cell), self.at(high, cell)]
    }

    /// Whether a slope may be `-0`, or be rounded to it. The bounds are the same for all of a call.
    #[inline(always)]
    fn has_negative(self) -> bool {
        self.lower.is_sign_negative()
    }

    /// The slope, `+0` for `-0`.
    #[inline(always)]
    fn positive_zero<X: Lane>(self, slope: X) -> X {
        if self.has_negative() {
            slope + slope.splat(0.0)
        } else {
            slope
        }
    }

    /// The bits of 16 slopes for `H`.
    #[inline(always)]
    fn half<H: Half, S: FullSimd>(self, s: S, words: [V<S, i64>; 4]) -> V<S, i16> {
        let [a, b] = self.f32(s, words);
        let slopes = IntRegister::<i16, S>::new(s, H::narrow(s, [a.v(), b.v()]));
        if !self.has_negative() {
            return slopes.v();
        }
        // Narrowing has made `-0` of the smallest negative ones; no other bits are as small as its.
        let negative_zero = slopes.lt(slopes.splat(i16::MIN + 1));
        negative_zero.select(slopes.splat(0), slopes).v()
    }
}

/// `1 + u / 2^32`, cut off: `f32` from the upper 23 bits of each word.
#[inline(always)]
fn numbers_f32<S: FullSimd>(s: S, low: V<S, i64>, high: V<S, i64>) -> V<S, f32> {
    let low = IntRegister::<i64, S>::new(s, s.shr_u64::<9>(low));
    let high = IntRegister::new(s, s.shl_u64::<23>(high));
    let one = 0x3F80_0000_3F80_0000;
    cast(joined(low, 0x7F_FFFF, high, 0x7F_FFFF << 32, one).v())
}

/// `1 + u / 2^64`, cut off: `f64` from the upper 52 bits of each pair of words.
#[inline(always)]
fn numbers_f64<S: FullSimd>(s: S, low: V<S, i64>, high: V<S, i64>) -> V<S, f64> {
    let low = IntRegister::<i64, S>::new(s, s.shr_u64::<12>(low));
    let high = IntRegister::new(s, s.shl_u64::<20>(high));
    let one = 0x3FF0_0000_0000_0000;
    cast(joined(low, 0xF_FFFF, high, 0xF_FFFF_FFF0_0000, one).v())
}

/// The bits of both masks and of the exponent, which do not overlap.
#[inline(always)]
fn joined<X: IntLane<Int = i64>>(
    low: X,
    low_mask: i64,
    high: X,
    high_mask: i64,
    exponent: i64,
) -> X {
    let (low, high) = (low & low.splat(low_mask), high & high.splat(high_mask));
    low + high + low.splat(exponent)
}

/// A register's bits as a register of another element type.
#[inline(always)]
fn cast<A: Copy, B: Copy>(a: A) -> B {
    const { assert!(size_of::<A>() == size_of::<B>()) };
    // SAFETY: private to this file, and `Lanes` promises that any pattern of bits is a register.
    unsafe { core::mem::transmute_copy(&a) }
}

impl Drawn for f32 {
    #[inline(always)]
    unsafe fn draw<S: FullSimd>(s: S, range: Range, words: [V<S, i64>; 4], dst: *mut f32) {
        let [a, b] = range.f32(s, words);
        // SAFETY: two registers of eight, for which the caller vouches.
        unsafe {
            s.store(dst, range.positive_zero(a).v());
            s.store(dst.add(8), range.positive_zero(b).v());
        }
    }
}

impl Drawn for f64 {
    const PER_DRAW: usize = 8;

    #[inline(always)]
    unsafe fn draw<S: FullSimd>(s: S, range: Range, words: [V<S, i64>; 4], dst: *mut f64) {
        let a = Register::<f64, S>::new(s, numbers_f64(s, words[0], words[1]));
        let b = Register::<f64, S>::new(s, numbers_f64(s, words[2], words[3]));
        // SAFETY: two registers of four, for which the caller vouches.
        unsafe {
            s.store(dst, range.positive_zero(range.at(a, f64::EPSILON)).v());
            s.store(
                dst.add(4),
                range.positive_zero(range.at(b, f64::EPSILON)).v(),
            );
        }
    }
}

impl Drawn for f16 {
    #[inline(always)]
    unsafe fn draw<S: FullSimd>(s: S, range: Range, words: [V<S, i64>; 4], dst: *mut f16) {
        let bits = range.half::<f16, S>(s, words);
        // SAFETY: a register of sixteen, for which the caller vouches.
        unsafe { s.store(dst.cast::<i16>(), bits) }
    }
}

impl Drawn for bf16 {
    #[inline(always)]
    unsafe fn draw<S: FullSimd>(s: S, range: Range, words: [V<S, i64>; 4], dst: *mut bf16) {
        let bits = s.reorder_bf16(range.half::<bf16, S>(s, words));
        // SAFETY: as above.
        unsafe { s.store(dst.cast::<i16>(), bits) }
    }
}

/// Four words each for four counters. A word lies in the lower half of a lane; what the upper halves
/// hold, before and after, means nothing.
#[inline(always)]
fn philox<S: FullSimd>(s: S, counter: [V<S, i64>; 4], seed: u64) -> [V<S, i64>; 4] {
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    let multiplier = [s.splat(0xD251_1F53_i64), s.splat(0xCD9E_8D57_i64)];
    let mut key = [seed as u32, (seed >> 32) as u32];
    let [mut a, mut b, mut c, mut d] = counter;
    let mut round = 0;
    while round < 10 {
        let p = s.mul_u32(a, multiplier[0]);
        let q = s.mul_u32(c, multiplier[1]);
        let keys = [s.splat(i64::from(key[0])), s.splat(i64::from(key[1]))];
        a = s.xor_u64(s.xor_u64(s.shr_u64::<32>(q), b), keys[0]);
        c = s.xor_u64(s.xor_u64(s.shr_u64::<32>(p), d), keys[1]);
        (b, d) = (q, p);
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        round += 1;
    }
    [a, b, c, d]
}

/// Draws slopes: `draws` times [`PER_DRAW`](Drawn::PER_DRAW) elements, from draw number `first` on.
///
/// `dst` is valid for writes of as many elements, at any alignment.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct DrawSlopes<E> {
    pub range: Range,
    pub seed: u64,
    pub first: u64,
    pub dst: *mut E,
    pub draws: usize,
}

impl<E: Drawn, S: FullSimd> WithSimd<S> for DrawSlopes<E> {
    type Output = ();

    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        const { assert!(<S as Lanes<i64>>::N == 4) };
        let lane = [0i64, 1, 2, 3];
        let zero = s.splat(0i64);
        // SAFETY: four numbers; and as many elements as the fields say.
        unsafe {
            let lane = s.load(lane.as_ptr());
            let mut i = 0;
            while i < self.draws {
                // Counters wrap after 2^64, as 2^66 words would.
                let first = self.first.wrapping_add(i as u64).wrapping_mul(4);
                let low = Lanes::<i64>::add(s, s.splat(first.cast_signed()), lane);
                let words = philox(s, [low, s.shr_u64::<32>(low), zero, zero], self.seed);
                E::draw(s, self.range, words, self.dst.add(i * E::PER_DRAW));
                i += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::per_isa;
    use crate::isa::tests::{Runs, run_on_all};

    struct Philox {
        counter: [u32; 4],
        seed: u64,
    }

    impl<S: FullSimd> WithSimd<S> for Philox {
        type Output = [[u32; 4]; 4];

        #[inline(always)]
        unsafe fn with_simd(self, s: S) -> [[u32; 4]; 4] {
            let words = philox(
                s,
                self.counter.map(|word| s.splat(i64::from(word))),
                self.seed,
            );
            words.map(|word| {
                let mut lanes = [0i64; 4];
                // SAFETY: room for four.
                unsafe { s.store(lanes.as_mut_ptr(), word) };
                lanes.map(|lane| lane as u32)
            })
        }
    }

    /// The vectors that the authors publish with Random123 (`tests/kat_vectors`).
    #[derive(Clone, Copy)]
    struct KnownAnswers;

    impl<S: FullSimd> WithSimd<S> for KnownAnswers {
        type Output = ();

        unsafe fn with_simd(self, s: S) {
            let ones = u32::MAX;
            for (counter, seed, words) in [
                (
                    [0; 4],
                    0,
                    [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8],
                ),
                (
                    [ones; 4],
                    u64::MAX,
                    [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD],
                ),
                (
                    [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344],
                    0x299F_31D0_A409_3822,
                    [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1],
                ),
            ] {
                // SAFETY: the unit is the proof that the CPU has the instructions.
                let got = unsafe { Philox { counter, seed }.with_simd(s) };
                for (got, word) in got.into_iter().zip(words) {
                    assert_eq!(got, [word; 4], "{counter:x?} {seed:x}");
                }
            }
        }
    }

    #[test]
    fn the_published_vectors() {
        run_on_all(&per_isa!(Runs<KnownAnswers, 1>), KnownAnswers);
    }
}
