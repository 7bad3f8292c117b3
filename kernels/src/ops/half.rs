//! Operations on 16-bit floats, without a way of their own.
//!
//! **Those that compute** do so in `f32` lanes, and what comes out is rounded. That can be wrong:
//! where the true value lies just beside the middle between two neighbours, the first rounding may
//! move it onto the middle, and the second then goes to the even one. It happens to `0.01 · x`,
//! which has 35 bits. So, unless the operation is exact on `f32`: if any `f32` result is so near to
//! such a middle that its own error matters, the register is computed again in `f64`, and from
//! there rounded to odd, which no second rounding can spoil (Boldo & Melquiond, 2008).
//!
//! **Those that select** between their input and constants need no value at all, only an order. The
//! bits of a 16-bit float in the upper half of an `f32` are numbers in the same order, and for
//! `bf16` the same numbers. So they run on those, and no conversion is needed, which costs more
//! than everything else together. Only the NaNs of `f16` become numbers, and are put
//! back.

use core::marker::PhantomData;

use crate::element::{Half, Real, Wide};
use crate::lanes::{FloatLanes, Lanes, Simd, Task, V};
use crate::math::Math;
use crate::ops::{Unary, in_f32};

#[inline(always)]
pub(crate) fn by_computing<H: Half, S: Simd, O: Unary>(s: S, op: O, x: V<S, i16>) -> V<S, i16> {
    let y = both_in_f32(s, op, H::widen(s, x));
    if const { O::ULPS == 0 } {
        return H::narrow(s, y);
    }
    let bits = [s.to_bits(y[0]), s.to_bits(y[1])];
    if near_middle::<H, S>(s, bits, O::ULPS) {
        again::<H, S, O>(s, op, x)
    } else {
        H::narrow_off_middle(s, y)
    }
}

/// Of a long operation a loop, which halves the code.
#[inline(always)]
fn both_in_f32<S: Simd, O: Unary>(s: S, op: O, x: [V<S, f32>; 2]) -> [V<S, f32>; 2] {
    let mut y = x;
    let mut i = 0;
    while i < 2 {
        y[i] = in_f32(s, op, x[i]);
        i += 1;
    }
    y
}

#[inline(always)]
pub(crate) fn by_selecting<H: Half, S: Simd, O: Unary>(s: S, op: O, x: V<S, i16>) -> V<S, i16> {
    let [a, b] = s.widen_bf16(x);
    let y = [op.lanes::<Upper<H>, S>(s, a), op.lanes::<Upper<H>, S>(s, b)];
    let y = round_upper(s, [s.to_bits(y[0]), s.to_bits(y[1])]);
    if H::NORMAL == 0 {
        return y;
    }
    Lanes::<i16>::select(s, nan::<H, S>(s, x), x, y)
}

/// An operation that selects, with its parameters as numbers of [`Upper`]: they take a branch or two
/// each, which the compiler would leave in the loop.
#[inline(always)]
pub(crate) fn ready<H: Half, O: Unary>(op: O) -> O {
    op.rounded::<Upper<H>>()
}

/// The upper halves, rounded to nearest; nothing lies in the middle.
#[inline(always)]
pub(crate) fn round_upper<S: Simd>(s: S, [a, b]: [V<S, i32>; 2]) -> V<S, i16> {
    let half: V<S, i32> = s.splat(0x8000i32);
    s.upper([Lanes::<i32>::add(s, a, half), Lanes::<i32>::add(s, b, half)])
}

/// The bits of `H` in the upper half of an `f32`, whatever number that is.
#[derive(Clone, Copy, Debug)]
struct Upper<H>(PhantomData<H>);

impl<H: Half> Real for Upper<H> {
    type Lane = f32;

    /// A constant that is no `H` lies between two, on the side to which it is rounded.
    #[inline(always)]
    fn of(x: f64) -> f32 {
        let near = H::from_f64(x);
        let bits = u32::from(near.lane().cast_unsigned()) << 16;
        let (near, x) = (near.to_f64().abs(), f32::value(x).abs());
        f32::from_bits(if near < x {
            bits + 0x4000
        } else if near > x {
            bits - 0x4000
        } else {
            bits
        })
    }

    #[inline(always)]
    fn parameter(x: f64) -> f32 {
        x as f32
    }

    #[inline(always)]
    fn value(x: f64) -> f64 {
        f32::value(x)
    }

    const MATH: Math = f32::MATH;

    #[inline(always)]
    fn coefficient(x: f64) -> f32 {
        f32::coefficient(x)
    }

    #[inline(always)]
    fn lost(x: f64) -> f64 {
        f32::lost(x)
    }
}

/// The lanes of bits of `H` that are NaN.
#[inline(always)]
fn nan<H: Half, L: Lanes<i16>>(l: L, x: L::V) -> L::M {
    let infinity = H::NEG_INFINITY_BITS & i16::MAX;
    l.lt(l.splat(infinity), l.and(x, l.splat(i16::MAX)))
}

/// Whether any result is within `ulps` of where rounding to `H` changes, of the bits of `f32`.
#[inline(always)]
fn near_middle<H: Half, L: Lanes<i32>>(l: L, [a, b]: [L::V; 2], ulps: i32) -> bool {
    let (dropped, middle) = ((1 << H::DROPPED) - 1, 1 << (H::DROPPED - 1));
    // The dropped bits, counted from the lower end of what is too near; wrapping round.
    let above_a = l.and(l.sub(a, l.splat(middle - ulps)), l.splat(dropped));
    let above_b = l.and(l.sub(b, l.splat(middle - ulps)), l.splat(dropped));
    let near = l.lt(l.min(above_a, above_b), l.splat(2 * ulps + 1));
    if H::NORMAL == 0 {
        return l.bitmask(near) != 0;
    }
    // A subnormal result drops more bits, and the middle is elsewhere: always compute it again, but
    // for zero.
    let all = l.splat(i32::MAX);
    let less_a = l.and(l.sub(l.and(a, all), l.splat(1)), all);
    let less_b = l.and(l.sub(l.and(b, all), l.splat(1)), all);
    let subnormal = l.lt(l.min(less_a, less_b), l.splat(H::NORMAL - 1));
    l.bitmask(near) | l.bitmask(subnormal) != 0
}

/// `op` on one register by way of `f64`: a call, to keep it out of the loops.
#[inline(always)]
fn again<H: Half, S: Simd, O: Unary>(_: S, op: O, x: V<S, i16>) -> V<S, i16> {
    let half = PhantomData::<H>;
    // SAFETY: the unit is the proof that the CPU has its instructions; `Again` asks for nothing.
    unsafe { S::enter(Again { op, x, half }) }
}

struct Again<S: Simd, O, H> {
    op: O,
    x: V<S, i16>,
    half: PhantomData<H>,
}

impl<S: Simd, O: Unary, H: Half> Task<S> for Again<S, O, H> {
    type Out = V<S, i16>;

    #[inline(always)]
    unsafe fn run(self, s: S) -> V<S, i16> {
        let (x, op) = (self.x, self.op);
        let x = H::widen(s, x);
        let mut y = x;
        let mut i = 0;
        while i < 2 {
            y[i] = in_f64(s, op, x[i]);
            i += 1;
        }
        let y = H::narrow(s, y);
        // A signalling NaN comes out of `f64` quiet. Whether a register goes this way is no affair of
        // each of its elements, so NaN comes out as it does the other way.
        let y32 = both_in_f32(s, op, x);
        Lanes::<i16>::select(s, nan::<H, S>(s, self.x), H::narrow_off_middle(s, y32), y)
    }
}

/// The operation in `f64`, rounded to odd: a result that is no `f32` becomes the odd one of its two
/// neighbours.
#[inline(always)]
fn in_f64<S: Simd, O: Unary>(s: S, op: O, x: V<S, f32>) -> V<S, f32> {
    let mut y = s.widen(x);
    let mut i = 0;
    while i < 2 {
        y[i] = op.lanes::<Wide, S>(s, y[i]);
        i += 1;
    }
    let [a, b] = y;
    let near = s.narrow([a, b]);
    let [near_a, near_b] = s.widen(near);
    // What the rounding took away, made so large that no sign of it is lost on the way to `f32`.
    let scale = s.splat(f64::from_bits((1023 + 150) << 52));
    let a = FloatLanes::<f64>::mul(s, Lanes::<f64>::sub(s, a, near_a), scale);
    let b = FloatLanes::<f64>::mul(s, Lanes::<f64>::sub(s, b, near_b), scale);
    let lost = s.narrow([a, b]);
    s.float_of_bits(to_odd(s, s.to_bits(near), s.to_bits(lost)))
}

/// The bits of the odd neighbour of `near + lost`, where `near` is even and `lost` is not zero.
#[inline(always)]
fn to_odd<L: Lanes<i32>>(l: L, near: L::V, lost: L::V) -> L::V {
    let (zero, one, minus_one) = (l.splat(0), l.splat(1), l.splat(-1));
    let magnitude = l.splat(i32::MAX);
    // Away from zero where the signs are the same.
    let if_positive = l.select(l.lt(lost, zero), minus_one, one);
    let if_negative = l.select(l.lt(lost, zero), one, minus_one);
    let step = l.select(l.lt(near, zero), if_negative, if_positive);
    let step = l.select(l.lt(zero, l.and(near, one)), zero, step);
    // Nothing is lost of an infinity or a NaN, though it looks like NaN; an overflow has lost -∞.
    let lost = l.and(lost, magnitude);
    let step = l.select(l.lt(zero, lost), step, zero);
    l.add(near, l.select(l.lt(lost, l.splat(0x7F80_0001)), step, zero))
}
