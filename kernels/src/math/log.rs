//! log1p(t) = 2·atanh(s/2) = s + s³·a(s²) for s = 2t/(2 + t), which is at most 2/3 for t ≤ 1: no exponent to
//! take apart, no table, and next to t = 0 full relative precision, all for one division.

use crate::math::{DoubleWord, Exp, polynomial};
use crate::register::Lane;

/// log1p(t) for t = e<sup>x</sup>, x ≤ 0 within the range. The second term is up to 4 % of the first, so
/// its own roundings weigh little.
#[inline(always)]
pub(crate) fn log1p_exp<X: Lane>(t: Exp<X>) -> DoubleWord<X> {
    let s = (t.twice().value() / t.plus_larger(2.0)).double_word();
    let mut root = s.high;
    if const { X::CONSTANTS.compensated } {
        // Not so small that a power of it is subnormal, which takes Intel's CPUs a detour through microcode.
        root = root.splat(1.0 / (1u64 << 30) as f64).max(root);
    }
    let z = root * root;
    let a = polynomial(z, z * z, X::CONSTANTS.atanh);
    let second = s.high * z * a;
    DoubleWord {
        high: s.high,
        low: Some(s.low_plus(second)),
    }
}
