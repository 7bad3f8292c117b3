//! What a register tells: whether [`Pieces::near`] is right on it.

use crate::lanes::{Lanes, V};
use crate::loops::pieces::op::Pieces;
use crate::loops::pieces::registers::{LANES, Registers};
use crate::register::{Lane, Mask, PieceLane, Register};
use crate::simd::Simd;

/// Whether the bits of a register tell that it is near as a whole, which takes two instructions and a branch. Where it
/// is not, the loop is left: what is to be put aside needs registers that the formula has better use for. (Putting it
/// aside within the loop made silu and gelu on AVX2 a sixth slower.)
///
/// On large units a register is too often not near as a whole.
pub(super) const fn tells_by_bits<S: Simd, O: Pieces<S, A>, const A: usize>() -> bool {
    O::BELOW.is_some() && <S as Lanes<f32>>::N < LANES
}

/// Whether there is anything that [`Pieces::near`] must not see.
pub(super) const fn may_stop<S: Simd, O: Pieces<S, A>, const A: usize>() -> bool {
    O::SUBNORMALS_APART || tells_by_bits::<S, O, A>()
}

/// Whether the first array has what [`Pieces::near`] must not see.
#[inline(always)]
pub(super) fn stops<S: Simd, O: Pieces<S, A>, const A: usize>(_: O, x: &[Registers<S, A>]) -> bool {
    let first = x[0][0];
    // As integers, numbers from the limit on, infinity and NaN become negative.
    let far = match O::BELOW {
        Some(below) if const { tells_by_bits::<S, O, A>() } => {
            let limit = (below as f32).to_bits();
            if const { !O::SUBNORMALS_APART && !O::TINY_APART } {
                let by = first.splat_bits((1 << 31) - limit);
                return first.abs().add_bits(by).signs() != 0;
            }
            // So do these, twice as large, and numbers so small that the sum does not go round: the subnormal ones,
            // some more, and zeros.
            let by = first.splat_bits((1u32 << 31).wrapping_sub(2 * limit));
            first.shift_left::<1>().add_bits(by).signs()
        }
        _ if const { !O::SUBNORMALS_APART } => return false,
        _ if const { <S as Lanes<f32>>::N < LANES } => {
            let by = first.splat_bits(f32::MIN_POSITIVE.to_bits().wrapping_neg());
            first.abs().add_bits(by).signs()
        }
        _ => 0,
    };
    if const { <S as Lanes<f32>>::N < LANES } {
        // Zeros may stay.
        let zeros = first.abs().le(first.splat(0.0));
        return far != 0 && far & !zeros.bits() != 0;
    }
    let (mut bits, mut i) = (0, 0);
    while i < x.len() {
        bits |= x[i][0].subnormal().bits();
        i += 1;
    }
    bits != 0
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
        Some(near) if const { !tells_by_bits::<S, O, A>() } => {
            near.bits() ^ (u32::MAX >> (32 - <S as Lanes<f32>>::N))
        }
        _ => 0,
    };
    (y.v(), far)
}
