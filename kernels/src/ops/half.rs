//! Operations on 16-bit floats: in `f32` lanes, and rounded once.
//!
//! An `f32` result that is rounded again to `f16` can be wrong: where the true value lies just beside
//! the middle between two neighbours, the first rounding may move it onto the middle, and the
//! second then goes to the even one. It happens to `0.01 · x`, which has 35 bits. So, unless the
//! operation is exact on `f32`: if any `f32` result is so near to such a middle that its own error
//! matters, the register is computed again in `f64`, and from there rounded to odd, which no second
//! rounding can spoil (Boldo & Melquiond, 2008). One register of sixteen random numbers in about 170
//! needs it for `f16`, one in 1,400 for `bf16`.

use crate::element::{Half, Wide};
use crate::lanes::{Lanes, Simd, Task, V};
use crate::ops::Unary;

#[inline(always)]
pub(crate) fn by_widening<H: Half, S: Simd, O: Unary>(s: S, op: O, x: V<S, i16>) -> V<S, i16> {
    let [a, b] = H::widen(s, x);
    let (a, b) = (op.lanes::<f32, S>(s, a), op.lanes::<f32, S>(s, b));
    if O::ULPS > 0
        && near_middle::<H, S>(s, s.to_bits(a), O::ULPS)
            | near_middle::<H, S>(s, s.to_bits(b), O::ULPS)
            != 0
    {
        let again = Again {
            op,
            x,
            half: core::marker::PhantomData::<H>,
        };
        // SAFETY: the unit is the proof that the CPU has its instructions; `Again` asks for nothing.
        return unsafe { S::enter(again) };
    }
    H::narrow(s, [a, b])
}

/// The lanes that are within `ulps` of where rounding to `H` changes, of the bits of `f32`.
#[inline(always)]
fn near_middle<H: Half, L: Lanes<i32>>(l: L, bits: L::V, ulps: i32) -> u32 {
    let (dropped, middle) = ((1 << H::DROPPED) - 1, 1 << (H::DROPPED - 1));
    // The dropped bits, counted from the lower end of what is too near; wrapping round.
    let above = l.and(l.sub(bits, l.splat(middle - ulps)), l.splat(dropped));
    let near = l.bitmask(l.lt(above, l.splat(2 * ulps + 1)));
    if H::NORMAL == 0 {
        return near;
    }
    // A subnormal result drops more bits, and the middle is elsewhere: always compute it again, but
    // for zero.
    let magnitude = l.and(bits, l.splat(i32::MAX));
    let subnormal = l.bitmask(l.lt(magnitude, l.splat(H::NORMAL)));
    let not_zero = l.bitmask(l.lt(l.splat(0), magnitude));
    near | subnormal & not_zero
}

/// `op` on one register by way of `f64`: a call, to keep it out of the loops.
struct Again<S: Simd, O, H> {
    op: O,
    x: V<S, i16>,
    half: core::marker::PhantomData<H>,
}

impl<S: Simd, O: Unary, H: Half> Task<S> for Again<S, O, H> {
    type Out = V<S, i16>;

    #[inline(always)]
    unsafe fn run(self, s: S) -> V<S, i16> {
        let [a, b] = H::widen(s, self.x);
        H::narrow(s, [in_f64(s, self.op, a), in_f64(s, self.op, b)])
    }
}

/// The operation in `f64`, rounded to `f32` to odd.
#[inline(always)]
fn in_f64<S: Simd, O: Unary>(s: S, op: O, x: V<S, f32>) -> V<S, f32> {
    let mut wide = [0.0f64; 16];
    let mut y = [0.0f32; 16];
    let n = <S as Lanes<f64>>::N;
    let [a, b] = s.widen(x);
    // SAFETY: a register has at most 32 bytes, hence each array room for two.
    unsafe {
        s.store(wide.as_mut_ptr(), op.lanes::<Wide, S>(s, a));
        s.store(wide.as_mut_ptr().add(n), op.lanes::<Wide, S>(s, b));
        let mut i = 0;
        while i < 2 * n {
            y[i] = to_odd(wide[i]);
            i += 1;
        }
        s.load(y.as_ptr())
    }
}

/// The `f32` that is `x`, or else the odd one of its two neighbours.
#[inline(always)]
fn to_odd(x: f64) -> f32 {
    let near = x as f32;
    let (bits, back) = (near.to_bits(), f64::from(near));
    if back == x || x.is_nan() || bits & 1 == 1 {
        near
    } else if back.abs() < x.abs() {
        f32::from_bits(bits + 1)
    } else {
        f32::from_bits(bits - 1)
    }
}
