//! What a register tells: whether [`Pieces::near`] is right on it.

use crate::lanes::{Lanes, V};
use crate::loops::pieces::op::Pieces;
use crate::loops::pieces::registers::{LANES, Registers};
use crate::register::{Lane, Mask, PieceLane, Register, RegisterMask};
use crate::simd::Simd;

/// Whether the bits of a register tell that it is near as a whole, which takes two instructions and a branch. Where it
/// is not, the loop is left: what is to be put aside needs registers that the formula has better use for. (Putting it
/// aside within the loop made silu and gelu on AVX2 a sixth slower.)
///
/// On large units a register is too often not near as a whole.
pub(super) const fn tells_by_bits<S: Simd, O: Pieces<S, A>, const A: usize>() -> bool {
    O::BELOW.is_some() && <S as Lanes<f32>>::N < LANES
}

/// Whether there are numbers so small that [`Pieces::near`] must not see them.
pub(super) const fn tiny_apart<S: Simd, O: Pieces<S, A>, const A: usize>() -> bool {
    if <S as Lanes<f32>>::N < LANES {
        O::FROM > 0.0
    } else {
        O::SUBNORMALS_APART
    }
}

/// Whether there is anything that [`Pieces::near`] must not see.
pub(super) const fn may_stop<S: Simd, O: Pieces<S, A>, const A: usize>() -> bool {
    tiny_apart::<S, O, A>() || tells_by_bits::<S, O, A>()
}

/// Where numbers are that small; zeros may be among them.
#[inline(always)]
pub(super) fn tiny<S: Simd, O: Pieces<S, A>, const A: usize>(
    _: O,
    x: Register<f32, S>,
) -> RegisterMask<f32, S> {
    if const { <S as Lanes<f32>>::N < LANES } {
        x.abs().lt(x.splat(O::FROM))
    } else {
        x.subnormal()
    }
}

/// What to add to the bits of |x|, and which bits of the sum are set only if [`Pieces::near`] must not see x: the sums of
/// what it may see end at a power of two, and start at 0 where there are tiny numbers that it must not.
const fn others_bits<S: Simd, O: Pieces<S, A>, const A: usize>() -> (u32, u32) {
    let from = (O::FROM as f32).to_bits();
    match O::BELOW {
        // Infinity and NaN are among those from the limit on.
        Some(below) => {
            let below = (below as f32).to_bits();
            if from == 0 {
                ((1 << 31) - below, 1 << 31)
            } else {
                let seen = below - from;
                assert!(seen.is_power_of_two());
                (from.wrapping_neg(), seen.wrapping_neg())
            }
        }
        None => (from.wrapping_neg(), 1 << 31),
    }
}

/// Whether the first array has what [`Pieces::near`] must not see.
#[inline(always)]
pub(super) fn stops<S: Simd, O: Pieces<S, A>, const A: usize>(
    op: O,
    x: &[Registers<S, A>],
) -> bool {
    if const { !may_stop::<S, O, A>() } {
        return false;
    }
    if const { <S as Lanes<f32>>::N == LANES } {
        let (mut bits, mut i) = (0, 0);
        while i < x.len() {
            bits |= x[i][0].subnormal().bits();
            i += 1;
        }
        return bits != 0;
    }
    let first = x[0][0];
    let (by, others) = const { others_bits::<S, O, A>() };
    if !first.abs().add_bits(first.splat_bits(by)).any_bits(others) {
        return false;
    }
    // Zeros may stay.
    if const { O::FROM == 0.0 } {
        return true;
    }
    let a = first.abs();
    let near = match O::BELOW {
        Some(below) => a.lt(a.splat(below)).bits(),
        None => all_bits::<S>(),
    };
    near != all_bits::<S>() || tiny(op, first).bits() & !a.le(a.splat(0.0)).bits() != 0
}

/// A bit for each lane.
pub(super) const fn all_bits<S: Simd>() -> u32 {
    u32::MAX >> (32 - <S as Lanes<f32>>::N)
}

/// Whether [`Pieces::far`] is right on a whole register.
#[inline(always)]
pub(super) fn is_far<S: Simd, O: Pieces<S, A>, const A: usize>(op: O, x: Registers<S, A>) -> bool {
    let near = if const { tells_by_bits::<S, O, A>() } {
        let limit = x[0].splat(-O::BELOW.unwrap_or(0.0));
        let left = if O::OPEN {
            x[0]
        } else {
            x[0].splat(0.0) - x[0].abs()
        };
        return Mask::<Register<f32, S>>::all(left.le(limit));
    } else {
        // Of all that this computes, the compiler leaves where it would be right.
        op.near(x).1
    };
    match near {
        Some(near) => !Mask::<Register<f32, S>>::any(near),
        None => false,
    }
}

/// [`Pieces::near`] on a register that it may see, and a bit for each lane where it is not right.
#[inline(always)]
pub(super) fn on<S: Simd, O: Pieces<S, A>, const A: usize>(
    op: O,
    x: Registers<S, A>,
) -> (V<S, f32>, u32) {
    let (y, near) = op.near(x);
    let far = match near {
        Some(near) if const { !tells_by_bits::<S, O, A>() } => near.bits() ^ all_bits::<S>(),
        _ => 0,
    };
    (y.v(), far)
}
