//! 16-bit floats, all of it.
//!
//! **Operations that compute** do so in `f32` lanes, and what comes out is rounded. That can be wrong:
//! where the true value lies just beside the middle between two neighbours, the first rounding may
//! move it onto the middle, and the second then goes to the even one. It happens to `0.01 · x`,
//! which has 35 bits. So, unless the operation is exact on `f32`: if any `f32` result is so near to
//! such a middle that its own error matters, the register is computed again in `f64`, and from
//! there rounded to odd, which no second rounding can spoil (Boldo & Melquiond, 2008).
//!
//! Where even `f64` does not see on which side of the middle the true value lies (gelu of a subnormal `bf16` is x/2,
//! and 10^40 times less), the operation says so by [`Unary::unseen`].
//!
//! **Operations that round once** (leaky_relu) do so to odd in `f32`, and are right, with nothing to check.
//! hard_sigmoid and hard_swish have formulas that are ([`Unary::forward_half`]).
//!
//! **Operations that round right at once**, on units with the words for it, are spared all that: by a formula whose
//! error is known at each of the 65,536 inputs to be harmless ([`Unary::half_at_once`]).
//!
//! **Operations that select** between their input and constants need no value at all, only an order.
//! The bits of a 16-bit float in the high half of an `f32` are numbers in the same order, and for
//! `bf16` the same numbers. So they run on those, and no conversion is needed, which costs more
//! than everything else together. Only the NaNs of `f16` become numbers, and are put back.

use core::marker::PhantomData;

use crate::derivative::{Derivative, gradient_f32};
use crate::dtype::{Element, Float, bf16, f16};
use crate::lanes::V;
use crate::odd::Odd;
use crate::precision::{Constants, F64Full, Precision};
use crate::register::{IntLane, IntRegister, Lane, Mask, Register};
use crate::simd::{FullSimd, Simd, WithSimd};
use crate::unary::{OnHalf, Unary, forward_f32, sign_of_nan};

/// A 16-bit float: its bits, and the way to `f32` lanes and back.
pub trait Half: Float + Element<Lane = i16> {
    /// The bits of `-∞`: the negative number of largest magnitude, one below the first NaN.
    const NEG_INFINITY_BITS: i16;

    /// How many low bits of an `f32` the dtype has no room for.
    const DROPPED: u32;

    /// Whether its exponents are those of `f32`: then its subnormal numbers drop no more.
    const RANGE_OF_F32: bool;

    /// Before [`widen`](Half::widen) or after [`narrow`](Half::narrow), where their lanes are to be
    /// in the order of the elements; [`FullSimd::reorder_bf16`].
    #[inline(always)]
    fn reorder<S: FullSimd>(_s: S, x: V<S, i16>) -> V<S, i16> {
        x
    }

    /// Values from bits; [`Simd::widen_f16`].
    fn widen<S: Simd>(s: S, x: V<S, i16>) -> [V<S, f32>; 2];

    /// Bits from values; [`Simd::narrow_f16`].
    fn narrow<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16>;

    /// Bits from values, and from NaNs that the dtype can hold.
    #[inline(always)]
    fn narrow_own<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16> {
        Self::narrow(s, x)
    }

    /// Bits from values that do not lie in the middle between two neighbours, and from NaNs that the
    /// dtype can hold.
    #[inline(always)]
    fn narrow_off_middle<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16> {
        Self::narrow(s, x)
    }
}

impl Half for f16 {
    const NEG_INFINITY_BITS: i16 = f16::NEG_INFINITY.to_bits().cast_signed();
    const DROPPED: u32 = 13;
    const RANGE_OF_F32: bool = false;
    #[inline(always)]
    fn widen<S: Simd>(s: S, x: V<S, i16>) -> [V<S, f32>; 2] {
        s.widen_f16(x)
    }
    #[inline(always)]
    fn narrow<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16> {
        s.narrow_f16(x)
    }
}

impl Half for bf16 {
    const NEG_INFINITY_BITS: i16 = bf16::NEG_INFINITY.to_bits().cast_signed();
    const DROPPED: u32 = 16;
    const RANGE_OF_F32: bool = true;
    #[inline(always)]
    fn reorder<S: FullSimd>(s: S, x: V<S, i16>) -> V<S, i16> {
        s.reorder_bf16(x)
    }
    #[inline(always)]
    fn widen<S: Simd>(s: S, x: V<S, i16>) -> [V<S, f32>; 2] {
        s.widen_bf16(x)
    }
    #[inline(always)]
    fn narrow<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16> {
        s.narrow_bf16(x)
    }
    #[inline(always)]
    fn narrow_own<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16> {
        s.narrow_bf16_own(x)
    }
    #[inline(always)]
    fn narrow_off_middle<S: Simd>(s: S, x: [V<S, f32>; 2]) -> V<S, i16> {
        round_to_high_halves(s, x)
    }
}

/// The operation on a register of the bits of `H`, correctly rounded.
#[inline(always)]
pub(crate) fn forward<H: Half, S: Simd, O: Unary>(s: S, op: O, x: V<S, i16>) -> V<S, i16> {
    // Not a match, of which every arm would be compiled for every operation.
    if const { matches!(O::ON_HALF, OnHalf::Compute) } {
        by_computing::<H, S, O>(s, op, x)
    } else if const { O::ON_HALF.is_right() } {
        of_values::<H, S, O>(s, op, H::widen(s, x))
    } else if const { matches!(O::ON_HALF, OnHalf::Select) } {
        by_selecting::<H, S, O>(s, op, x)
    } else {
        let bits = IntRegister::<i16, S>::new(s, x);
        op.half_bits(bits, H::NEG_INFINITY_BITS).v()
    }
}

/// `max(x, 0)` on the bits of a 16-bit float, NaN and -0.0 kept, given the bits of −∞.
///
/// As signed 16-bit integers the patterns that must become zero, the negative numbers down to -∞, run
/// from 0x8001 to the bits of -∞: all but the lowest (0x8000, -0.0) of the negative integers below the
/// NaNs. Subtracting one wraps -0.0 round to the top and leaves `0x8000..negative_infinity`, which one
/// comparison catches. Three instructions for twice as many elements; widening to f32 and back takes six
/// and falls behind memcpy in L1.
#[inline(always)]
pub(crate) fn rectify_bits<X: IntLane<Int = i16>>(bits: X, negative_infinity: i16) -> X {
    let negative = (bits - bits.splat(1)).lt(bits.splat(negative_infinity));
    negative.select(bits.splat(0), bits)
}

/// The operation as [`forward`] wants it, to be asked for once, before the loop. What selects has its
/// parameters as numbers of [`HighHalfBits`], which takes a branch or two each: the compiler would leave
/// them in the loop.
#[inline(always)]
pub(crate) fn ready<H: Half, O: Unary>(op: O) -> O {
    if const { matches!(O::ON_HALF, OnHalf::Select) && !O::PARAMETERS.is_empty() } {
        op.rounded::<HighHalfBits<H>>()
    } else {
        op
    }
}

/// The gradient on a register of the bits of `H`: the derivative and the product in `f32`, rounded at
/// the end.
#[inline(always)]
pub(crate) fn gradient<H: Half, S: Simd, D: Derivative>(
    s: S,
    of: D,
    x: V<S, i16>,
    dy: V<S, i16>,
) -> V<S, i16> {
    let (x, dy) = (H::widen(s, x), H::widen(s, dy));
    let mut dx = x;
    let mut i = 0;
    while i < 2 {
        dx[i] = gradient_f32(s, of, x[i], dy[i]);
        i += 1;
    }
    H::narrow(s, dx)
}

/// The operation on values of `H`; for [`OnHalf::Once`] and [`OnHalf::Half`].
#[inline(always)]
pub(crate) fn of_values<H: Half, S: Simd, O: Unary>(s: S, op: O, x: [V<S, f32>; 2]) -> V<S, i16> {
    if const { matches!(O::ON_HALF, OnHalf::Half) || !S::FAST } {
        let mut y = x;
        let mut i = 0;
        while i < 2 {
            let x = Register::<f32, S>::new(s, x[i]);
            y[i] = sign_of_nan::<O, _>(x, op.forward_half(x)).v();
            i += 1;
        }
        if const { matches!(O::ON_HALF, OnHalf::Half) } {
            return H::narrow_own(s, y);
        }
        if !near_middle::<H, S>(s, y, 0) {
            return H::narrow_off_middle(s, y);
        }
    }
    let mut y = x;
    let mut i = 0;
    while i < 2 {
        y[i] = if const { H::RANGE_OF_F32 } {
            op.forward_half(Odd::<S, true>::new(s, x[i])).v()
        } else {
            op.forward_half(Odd::<S, false>::new(s, x[i])).v()
        };
        i += 1;
    }
    H::narrow_own(s, y)
}

#[inline(always)]
fn by_computing<H: Half, S: Simd, O: Unary>(s: S, op: O, bits: V<S, i16>) -> V<S, i16> {
    let x = H::widen(s, bits);
    let mut y = x;
    let mut i = 0;
    while i < 2 {
        y[i] = forward_f32(s, op, x[i]);
        i += 1;
    }
    narrow_result::<H, S, O>(s, op, bits, x, y)
}

/// The results on a register of the bits of `H`, of which `x` are the values and `y` the results on `f32`.
#[inline(always)]
pub(crate) fn narrow_result<H: Half, S: Simd, O: Unary>(
    s: S,
    op: O,
    bits: V<S, i16>,
    x: [V<S, f32>; 2],
    y: [V<S, f32>; 2],
) -> V<S, i16> {
    if const { O::F32_ULPS == 0 } {
        return H::narrow(s, y);
    }
    let near = H::narrow_off_middle(s, y);
    if !near_middle::<H, S>(s, y, O::F32_ULPS) {
        return near;
    }
    let mut y = x;
    let mut i = 0;
    while i < 2 {
        y[i] = recomputed(s, op, x[i]);
        i += 1;
    }
    // A signalling NaN comes out of `f64` quiet. Whether a register goes this way is no affair of
    // each of its elements, so NaN comes out as it does the other way.
    where_nan::<H, S>(s, bits, near, H::narrow(s, y))
}

/// Whether [`at_once`] is a way for `O` on `S`, which looks up 32 entries and rounds in any direction at
/// full speed.
pub(crate) const fn is_at_once<S: Simd, O: Unary>() -> bool {
    O::HALF_AT_ONCE && S::ENTRIES >= 32
}

/// The operation on a register of the bits of `H` and their values, by a formula every result of which rounds right.
#[inline(always)]
pub(crate) fn at_once<H: Half, S: Simd, O: Unary>(
    s: S,
    op: O,
    x: V<S, i16>,
    values: [V<S, f32>; 2],
) -> V<S, i16> {
    let mut y = values;
    let mut i = 0;
    while i < 2 {
        let x = Register::<f32, S>::new(s, y[i]);
        y[i] = sign_of_nan::<O, _>(x, op.half_at_once::<H, _>(x)).v();
        i += 1;
    }
    let y = H::narrow_off_middle(s, y);
    let Some(tail) = op.half_tail::<H>() else {
        return y;
    };
    // From the first far number to −∞, the bits run from −2^15 on once that is taken from them.
    let bits = IntRegister::<i16, S>::new(s, x);
    let first = tail.first.cast_signed();
    let place = bits - bits.splat(first.wrapping_sub(i16::MIN));
    let end = H::NEG_INFINITY_BITS - first + 1;
    let far = place.lt(bits.splat(i16::MIN + end));
    if far.bits() == 0 {
        return y;
    }
    let place = bits - bits.splat(first);
    let results = IntRegister::new(s, s.look_up_16(tail.results, place.v()));
    far.select(results, IntRegister::new(s, y)).v()
}

#[inline(always)]
fn by_selecting<H: Half, S: Simd, O: Unary>(s: S, op: O, x: V<S, i16>) -> V<S, i16> {
    let [a, b] = s.widen_bf16(x);
    let a = op.forward(Register::<HighHalfBits<H>, S>::new(s, a));
    let b = op.forward(Register::<HighHalfBits<H>, S>::new(s, b));
    let y = round_to_high_halves(s, [a.v(), b.v()]);
    if const { H::RANGE_OF_F32 } {
        return y;
    }
    where_nan::<H, S>(s, x, x, y)
}

/// The high halves, rounded to nearest; nothing lies in the middle.
#[inline(always)]
fn round_to_high_halves<S: Simd>(s: S, [a, b]: [V<S, f32>; 2]) -> V<S, i16> {
    let a = IntRegister::<i32, S>::new(s, s.to_bits(a));
    let b = IntRegister::<i32, S>::new(s, s.to_bits(b));
    let half = a.splat(0x8000);
    s.high_halves([(a + half).v(), (b + half).v()])
}

/// The bits of `H` in the high half of an `f32`, whatever number that is.
#[derive(Clone, Copy, Debug)]
pub struct HighHalfBits<H>(PhantomData<H>);

impl<H: Half> Precision for HighHalfBits<H> {
    type Lane = f32;

    const CONSTANTS: Constants = f32::CONSTANTS;

    /// A constant that is no `H` lies between two, on the side to which it is rounded.
    #[inline(always)]
    fn constant(x: f64) -> f32 {
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
    fn lost(x: f64) -> f64 {
        f32::lost(x)
    }

    /// A parameter that [`ready`] has made ready, which is an `f32`.
    #[inline(always)]
    fn parameter(x: f64) -> f32 {
        x as f32
    }

    #[inline(always)]
    fn derived(x: f64) -> f32 {
        x as f32
    }

    #[inline(always)]
    fn value(x: f64) -> f64 {
        f32::value(x)
    }
}

/// `yes` where the bits of `H` are NaN, else `no`.
#[inline(always)]
fn where_nan<H: Half, S: Simd>(s: S, bits: V<S, i16>, yes: V<S, i16>, no: V<S, i16>) -> V<S, i16> {
    let bits = IntRegister::<i16, S>::new(s, bits);
    let infinity = bits.splat(H::NEG_INFINITY_BITS & i16::MAX);
    let nan = infinity.lt(bits & bits.splat(i16::MAX));
    nan.select(IntRegister::new(s, yes), IntRegister::new(s, no))
        .v()
}

/// Whether any result is within `ulps` of where rounding to `H` changes.
#[inline(always)]
fn near_middle<H: Half, S: Simd>(s: S, y: [V<S, f32>; 2], ulps: i32) -> bool {
    let a = IntRegister::<i32, S>::new(s, s.to_bits(y[0]));
    let b = IntRegister::<i32, S>::new(s, s.to_bits(y[1]));
    let (dropped, middle) = ((1 << H::DROPPED) - 1, 1 << (H::DROPPED - 1));
    // The dropped bits, counted from the lower end of what is too near; wrapping round.
    let above_a = (a - a.splat(middle - ulps)) & a.splat(dropped);
    let above_b = (b - a.splat(middle - ulps)) & a.splat(dropped);
    let near = above_a.min(above_b).lt(a.splat(2 * ulps + 1)).any();
    near || !H::RANGE_OF_F32 && near_subnormal_middle(s, y, ulps)
}

/// The same among the subnormal numbers of `f16`, which are multiples of 2<sup>−24</sup>.
#[inline(always)]
fn near_subnormal_middle<S: Simd>(s: S, [a, b]: [V<S, f32>; 2], ulps: i32) -> bool {
    let off = from_multiple(Register::new(s, a)).max(from_multiple(Register::new(s, b)));
    // No ulp of f32 is larger there than 2^-38.
    let error = f64::from(ulps) / (1u64 << 38) as f64;
    let limit = off.splat(1.0 / (1u64 << 25) as f64 - error);
    Mask::<Register<f32, S>>::any(limit.le(off))
}

/// How far y is from the next multiple of 2<sup>−24</sup>, where it is below 2<sup>−14</sup>.
#[inline(always)]
fn from_multiple<X: Lane>(y: X) -> X {
    let a = y.abs().min(y.splat(1.0 / (1 << 14) as f64));
    // A number next to which they are the last place.
    let shift = y.splat(0.75);
    (a - ((a + shift) - shift)).abs()
}

/// `op` on one register by way of `f64`, rounded to odd: a call, to keep it out of the loops. It serves both 16-bit
/// floats.
#[inline(always)]
fn recomputed<S: Simd, O: Unary>(_: S, op: O, x: V<S, f32>) -> V<S, f32> {
    // SAFETY: the unit is the proof that the CPU has its instructions; the task asks for nothing.
    unsafe { S::with_simd(RecomputeInF64 { op, x }) }
}

struct RecomputeInF64<S: Simd, O> {
    op: O,
    x: V<S, f32>,
}

impl<S: Simd, O: Unary> WithSimd<S> for RecomputeInF64<S, O> {
    type Output = V<S, f32>;

    #[inline(always)]
    unsafe fn with_simd(self, s: S) -> V<S, f32> {
        in_f64(s, self.op, self.x)
    }
}

/// The operation in `f64`, rounded to odd: a result that is no `f32` becomes the odd one of its two
/// neighbours.
#[inline(always)]
fn in_f64<S: Simd, O: Unary>(s: S, op: O, x: V<S, f32>) -> V<S, f32> {
    let x = s.widen(x);
    let mut y = x;
    let mut i = 0;
    while i < 2 {
        y[i] = op.forward(Register::<F64Full, S>::new(s, y[i])).v();
        i += 1;
    }
    let near = s.narrow(y);
    // What the rounding took away, made so large that no sign of it is lost on the way to `f32`.
    let mut lost = s.widen(near);
    i = 0;
    while i < 2 {
        let y = Register::<F64Full, S>::new(s, y[i]);
        let rounding = y - Register::new(s, lost[i]);
        let rest = op.unseen(Register::<F64Full, S>::new(s, x[i]), y);
        let scale = y.splat(f64::from_bits((1023 + 512) << 52));
        lost[i] = ((rounding + rest) * scale).v();
        i += 1;
    }
    let lost = IntRegister::<i32, S>::new(s, s.to_bits(s.narrow(lost)));
    let near = IntRegister::new(s, s.to_bits(near));
    s.float_of_bits(to_odd(near, lost).v())
}

/// The bits of the odd neighbour of `near + lost`, where `near` is even and `lost` is not zero.
#[inline(always)]
fn to_odd<X: IntLane<Int = i32>>(near: X, lost: X) -> X {
    let (zero, one, minus_one) = (near.splat(0), near.splat(1), near.splat(-1));
    let magnitude = near.splat(i32::MAX);
    // Away from zero where the signs are the same.
    let if_positive = lost.lt(zero).select(minus_one, one);
    let if_negative = lost.lt(zero).select(one, minus_one);
    let step = near.lt(zero).select(if_negative, if_positive);
    let step = zero.lt(near & one).select(zero, step);
    // Nothing is lost of an infinity or a NaN, though it looks like NaN; an overflow has lost -∞.
    let lost = lost & magnitude;
    let step = zero.lt(lost).select(step, zero);
    near + lost.lt(near.splat(0x7F80_0001)).select(step, zero)
}
