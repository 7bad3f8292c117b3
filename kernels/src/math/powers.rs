//! The logistic function by a table of the eighths of a power of two.
//!
//! e<sup>−v</sup> = S·(1 + p) with S = 2<sup>n/8</sup> and |p| < 0.045: so small that the roundings in p count
//! 2<sup>−29</sup>. A unit looks up 2<sup>j/8</sup>, j from 0 to 7, in one register ([`PieceLane`]).

use crate::math::tails::LARGER;
use crate::math::{DoubleWord, cells_8};
use crate::register::PieceLane;

/// In what units v is counted, and the constants that go with them.
pub(crate) struct Units {
    /// Eighths of a power of two to a unit.
    eighths: f64,
    /// The reverse, in two parts, of which the first has so few bits that n times it is exact.
    unit: (f64, Option<f64>),
    /// q of e<sup>−r</sup> = 1 + r·q(r).
    q: [f64; 4],
}

/// v is v.
pub(crate) const NATURAL: Units = Units {
    eighths: 8.0 * core::f64::consts::LOG2_E,
    unit: (0.086_639_404_296_875, Some(3.993_272_912_339_307e-6)),
    q: [
        -1.0,
        0.5,
        -0.166_679_754_853_248_6,
        0.041_669_033_467_769_62,
    ],
};

/// v is less by so little that one number is an eighth of ln 2 in these units, and one is 2·√(2/π)·0.044715: their
/// second parts need not be computed with.
pub(crate) const OF_GELU_TANH: Units = Units {
    eighths: 11.548_357_009_887_695,
    unit: (0.086_592_406_034_469_6, None),
    q: [
        -1.000_588_893_890_381,
        0.500_589_013_099_670_4,
        -0.166_974_380_612_373_35,
        0.041_767_269_372_940_06,
    ],
};

/// What |v| must not exceed, so that S, its reciprocal and products of both are normal numbers.
pub(crate) const RANGE: f64 = 86.0;

/// S and p of e<sup>−v</sup>.
#[inline(always)]
fn exp_minus<X: PieceLane>(v: DoubleWord<X>, units: &'static Units) -> (X, X) {
    scaled_exp_minus(v, units, 0)
}

/// S·2<sup>64</sup> and p of e<sup>−v</sup>.
#[inline(always)]
pub(crate) fn exp_minus_larger<X: PieceLane>(v: DoubleWord<X>, units: &'static Units) -> (X, X) {
    scaled_exp_minus(v, units, LARGER)
}

/// S·2<sup>power</sup> and p.
#[inline(always)]
fn scaled_exp_minus<X: PieceLane>(v: DoubleWord<X>, units: &'static Units, power: i32) -> (X, X) {
    let x = v.high;
    // Eighths of an exponent, with the offset that a float's bits have.
    let shift = x.splat(12_582_912.0 + f64::from(8 * (127 + power)));
    let shifted = x.neg_mul_add(x.splat(units.eighths), shift);
    let n = shifted - shift;
    let high = n.mul_add(x.splat(units.unit.0), x);
    let r = match (units.unit.1, v.low) {
        (Some(unit), Some(low)) => high + n.mul_add(x.splat(unit), low),
        (Some(unit), None) => n.mul_add(x.splat(unit), high),
        (None, Some(low)) => high + low,
        (None, None) => high,
    };
    let mut q = x.splat(units.q[3]);
    let mut i = 3;
    while i > 0 {
        i -= 1;
        q = r.mul_add(q, x.splat(units.q[i]));
    }
    let p = r.mul_add(q, shifted.look_up(&cells_8::EIGHTHS_LACK));
    let place = shifted.shift_left::<20>();
    (shifted.look_up(&cells_8::EIGHTHS).add_bits(place), p)
}

/// 1 + e<sup>−v</sup> in two words.
#[inline(always)]
fn denominator<X: PieceLane>(v: DoubleWord<X>, units: &'static Units) -> (X, X) {
    let (s, p) = exp_minus(v, units);
    let one = s.splat(1.0);
    let d = s.mul_add(p, s + one);
    // The difference from the larger of S and 1 is exact.
    let low = s.mul_add(p, (s.max(one) - d) + s.min(one));
    (d, low)
}

/// σ(v) = 1/(1 + e<sup>−v</sup>), for |v| within [`RANGE`].
#[inline(always)]
pub(crate) fn logistic_8<X: PieceLane>(v: X) -> X {
    let (d, low) = denominator(DoubleWord::exact(v), &NATURAL);
    let one = v.splat(1.0);
    let g = one / d;
    let e = g.neg_mul_add(low, g.neg_mul_add(d, one));
    g.mul_add(e, g)
}

/// x·σ(v), for |v| within [`RANGE`] and of the sign of x. What the quotient lacks is y·(d + low) − x: in this
/// order it keeps the sign of −0.0.
#[inline(always)]
pub(crate) fn gated_8<X: PieceLane>(x: X, v: DoubleWord<X>, units: &'static Units) -> X {
    let (d, low) = denominator(v, units);
    let g = x.splat(1.0) / d;
    let y = x * g;
    let excess = y.mul_add(low, y.mul_add(d, x.splat(0.0) - x));
    excess.neg_mul_add(g, y)
}
