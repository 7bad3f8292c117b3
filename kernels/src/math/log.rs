//! log1p(t) = 2·atanh(s/2) = s + s³·a(s²) for s = 2t/(2 + t), which is at most 2/3 for t ≤ 1: no exponent to
//! take apart, no table, and next to t = 0 full relative precision, all for one division.

use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math::{Exp, Sum, polynomial, quotient};

/// log1p(e<sup>x</sup>) for x ≤ 0 within the range, of its exponential. The second part is up to 4 % of the
/// first, so its own roundings weigh little.
#[inline(always)]
pub(crate) fn log1p_exp<R: Real, L: FloatLanes<R::Lane>>(l: L, exp: Exp<L::V>) -> Sum<L::V> {
    let n = exp.twice::<R, L>(l).value::<R, L>(l);
    let d = exp.plus::<R, L>(l, 2.0);
    let s = quotient::<R, L>(l, n, d).sum::<R, L>(l);
    let z = l.mul(s.high, s.high);
    let a = polynomial::<R, L>(l, z, l.mul(z, z), R::MATH.atanh);
    let rest = l.mul(l.mul(s.high, z), a);
    Sum {
        high: s.high,
        low: Some(s.low_and::<R, L>(l, rest)),
    }
}
