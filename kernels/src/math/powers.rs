//! The logistic function by a table of the eighths of a power of two.
//!
//! e<sup>−v</sup> = S·(1 + p) with S = 2<sup>n/8</sup> and |p| < 0.045: so small that the roundings in p count
//! 2<sup>−29</sup>. A unit looks up 2<sup>j/8</sup>, j from 0 to 7, in one register ([`PieceLane`]).

use crate::math::{DoubleWord, cells_8, left_or_rest, lifted};
use crate::register::{Mask, Near, PieceLane};

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

/// v is 1.702 of these units, which spares the product.
pub(crate) const OF_QUICK_GELU: Units = Units {
    eighths: 8.0 * 1.702 * core::f64::consts::LOG2_E,
    unit: (0.0509033203125, Some(3.4937709272407035e-06)),
    q: [
        -1.702,
        0.5 * 1.702 * 1.702,
        -0.166_679_754_853_248_6 * 1.702 * 1.702 * 1.702,
        0.041_669_033_467_769_62 * 1.702 * 1.702 * 1.702 * 1.702,
    ],
};

/// What |v| must not exceed, so that S, its reciprocal and products of both are normal numbers.
pub(crate) const RANGE: f64 = 86.0;

/// What |v| must not exceed, so that σ(v)² is a normal number.
pub(crate) const HALF_RANGE: f64 = 43.0;

/// S and p of e<sup>−v</sup>.
#[inline(always)]
fn exp_minus<X: PieceLane>(v: DoubleWord<X>, units: &'static Units) -> (X, X) {
    scaled_exp_minus(v, units, 0)
}

/// By which power of two the tails, which may be subnormal, are larger while they are computed.
pub(crate) const LARGER: i32 = 64;

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

/// What |v| must not exceed, so that the product of e<sup>−v</sup> and a dy that is not tiny is a normal number.
pub(crate) const GRADIENT_RANGE: f64 = 60.0;

/// e<sup>x</sup> for x ≤ 0 within [`GRADIENT_RANGE`], and where it is, and something on the right of 0.
#[inline(always)]
pub(crate) fn exp_left_8<X: PieceLane>(x: X) -> Near<X> {
    let a = lifted(x.abs_to(x.splat(GRADIENT_RANGE)));
    let (s, p) = exp_minus(DoubleWord::exact(a), &NATURAL);
    (s.mul_add(p, s), Some(x.splat(-GRADIENT_RANGE).le(x)))
}

/// The same, and 1 on the right of 0.
#[inline(always)]
pub(crate) fn exp_or_one_8<X: PieceLane>(x: X) -> Near<X> {
    let (exp, near) = exp_left_8(x);
    (x.splat(0.0).lt(x).select(x.splat(1.0), exp), near)
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
    logistic(DoubleWord::exact(lifted(v)), &NATURAL).high
}

/// The same, and what its rounding lost.
#[inline(always)]
fn logistic<X: PieceLane>(v: DoubleWord<X>, units: &'static Units) -> DoubleWord<X> {
    let (d, low) = denominator(v, units);
    let one = d.splat(1.0);
    let g = one / d;
    let e = g.neg_mul_add(low, g.neg_mul_add(d, one));
    let high = g.mul_add(e, g);
    let low = Some(g.mul_add(e, g - high));
    DoubleWord { high, low }
}

/// x·σ(v), for |v| within [`RANGE`] and of the sign of x. What the quotient lacks is y·(d + low) − x: in this
/// order it keeps the sign of −0.0.
#[inline(always)]
pub(crate) fn gated_8<X: PieceLane>(x: X, v: DoubleWord<X>, units: &'static Units) -> X {
    let (d, low) = denominator(v, units);
    let g = x.splat(1.0) / d;
    let y = x * g;
    let excess = y.mul_add(low, y.mul_add(d, x.splat(-0.0) - x));
    excess.neg_mul_add(g, y)
}

/// factor·σ′(v), for |v| within [`RANGE`]: q − q² with q = σ(−|v|), of which hardly more than the roundings of both
/// counts.
#[inline(always)]
pub(crate) fn density_8<X: PieceLane>(factor: f64, v: X) -> X {
    let minus = v.splat(-0.0) - lifted(v.abs());
    let q = logistic(DoubleWord::exact(minus), &NATURAL).high;
    v.splat(factor) * q.neg_mul_add(q, q)
}

/// The derivative of x·σ(v). On the left of 0 it is σ(v) + g·σ′(v) with g = x·v′ < 0, which is q·(1 + g) − q·g·q with
/// q = σ(v): the sum is exact but next to 0, and far from there the second term is small. On the right it is 1
/// less that at −x; so v, within [`HALF_RANGE`], and g are those of −|x|. What the rounding of q lost is
/// counted where `precise`.
#[inline(always)]
pub(crate) fn gated_derivative_8<X: PieceLane>(
    x: X,
    v: DoubleWord<X>,
    g: DoubleWord<X>,
    units: &'static Units,
    precise: bool,
) -> X {
    let DoubleWord { high: q, low } = logistic(v, units);
    let one_plus_g = x.splat(1.0) + g.high;
    let mut rest = q * g.high.neg_mul_add(q, g.low_or_zero());
    if let (true, Some(low)) = (precise, low) {
        rest = low.mul_add(one_plus_g, rest);
    }
    left_or_rest(x, q.mul_add(one_plus_g, rest))
}

/// log1p(e<sup>x</sup>) for |x| up to 60, so that no product is subnormal: max(x, 0) + log1p(w) with
/// w = e<sup>−|x|</sup> = S·(1 + p). In a cell with the point b, log1p(w) = w + c + d·m(d) with d = w − b; c has few bits.
/// So S + c is exact, and hardly more than the rounding of its sum with max(x, 0) counts, which is carried along.
#[inline(always)]
pub(crate) fn softplus_8<X: PieceLane>(x: X) -> X {
    let cells = &cells_8::SOFTPLUS;
    let (s, p) = exp_minus(DoubleWord::exact(lifted(x.abs())), &NATURAL);
    let rest = s * p;
    // Not quite 2, where the cells would go round.
    let cell = (s + rest)
        .mul_add(x.splat(0.999_99), x.splat(1.0))
        .shift_right::<20>();
    let d = (s - cell.look_up(&cells.points)) + rest;
    let base = s + cell.look_up(&cells.values);
    let rest = cells.slope(cell, d, None).mul_add(d, rest);
    let relu = x.splat(0.0).max(x);
    let sum = relu + base;
    let lost = relu.min(base) - (sum - relu.max(base));
    sum + (lost + rest)
}
