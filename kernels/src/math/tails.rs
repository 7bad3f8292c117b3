//! The tails of gates on `f32`: a·e<sup>−w</sup> down to where it has vanished, for what no piece covers.
//!
//! A product that is subnormal takes x86-64 a detour through microcode. So everything is computed 2<sup>64</sup>
//! times as large, and made subnormal by a sum: for z below 1 the last place of 1 + z is 2<sup>−23</sup>, so that
//! its bits less those of 1 are the bits of z·2<sup>−126</sup>, rounded.

use crate::math::powers::{NATURAL, Units, exp_minus_larger};
use crate::math::{DoubleWord, product};
use crate::register::{Mask, PieceLane};

/// By which power of two everything is larger.
pub(crate) const LARGER: i32 = 64;

/// From here on, e<sup>−w</sup> has vanished, and 256 times that.
const VANISHED: f64 = 110.0;

/// 2<sup>n</sup>.
const fn power_of_2(n: i32) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}

/// What takes these bits, when its own are added.
const fn less_bits(bits: u32) -> f64 {
    f32::from_bits(bits.wrapping_neg()) as f64
}

/// y·2<sup>−64</sup> for y ≥ 0.
#[inline(always)]
fn made_small<X: PieceLane>(y: X) -> X {
    let normal = y.add_bits(y.splat(const { less_bits((LARGER as u32) << 23) }));
    let sum = y.mul_add(y.splat(power_of_2(126 - LARGER)), y.splat(1.0));
    let subnormal = sum.add_bits(y.splat(const { less_bits(1f32.to_bits()) }));
    let limit = y.splat(power_of_2(LARGER - 126));
    y.lt(limit).select(subnormal, normal)
}

/// w, or where it has vanished if that is nearer.
#[inline(always)]
fn clamped<X: PieceLane>(w: DoubleWord<X>) -> DoubleWord<X> {
    let high = w.high.splat(VANISHED).min(w.high);
    DoubleWord { high, ..w }
}

/// a·σ(−w) = a·e<sup>−w</sup>/(1 + e<sup>−w</sup>), for w so large that the next term, e<sup>−2w</sup>, is below a rounding; a is from 1 to
/// 256.
#[inline(always)]
pub(crate) fn gate_tail<X: PieceLane>(a: X, w: DoubleWord<X>, units: &'static Units) -> X {
    let (s, p) = exp_minus_larger(clamped(w), units);
    let rest = s.mul_add(a.splat(-power_of_2(-LARGER)), p);
    let high = a * s;
    let low = a.mul_add(s, a.splat(0.0) - high);
    made_small(high + high.mul_add(rest, low))
}

/// A gated x: `tail` and the sign of x on the left, x on the right.
#[inline(always)]
pub(crate) fn shut_or_open<X: PieceLane>(x: X, tail: X) -> X {
    x.lt(x.splat(0.0)).select(tail.copysign(x), x)
}

/// c of a·Φ(−a) = c·e<sup>−a²/2</sup>·(1 + m(1/a²)/a²) for a from 5.8 on: 1/√(2π), and what made the fit best.
const MILLS_FACTOR: f64 = 0.39894226783459974;

/// m.
const MILLS: [f64; 5] = [
    -0.999_983_549_118_042,
    2.996_690_750_122_070_3,
    -14.666_867_256_164_55,
    86.607_627_868_652_34,
    -371.630_187_988_281_25,
];

/// a·Φ(−a), for a from 5.8 on.
#[inline(always)]
pub(crate) fn normal_tail<X: PieceLane>(a: X) -> X {
    // Where it has vanished.
    let a = a.splat(14.8).min(a);
    let z = product(a, a);
    let inverse = a.splat(1.0) / z.high;
    let mut m = a.splat(MILLS[4]);
    let mut i = 4;
    while i > 0 {
        i -= 1;
        m = m.mul_add(inverse, a.splat(MILLS[i]));
    }
    let m = m * inverse;
    let half = a.splat(0.5);
    let w = DoubleWord {
        high: half * z.high,
        low: Some(half * z.low_or_zero()),
    };
    let (s, p) = exp_minus_larger(w, &NATURAL);
    let rest = m.mul_add(p, m + p);
    let (factor, factor_low) = a.splat_pair((MILLS_FACTOR, 0.0));
    let high = s * factor;
    let low = s.mul_add(factor_low, s.mul_add(factor, a.splat(0.0) - high));
    made_small(high + high.mul_add(rest, low))
}
