//! The tails of gates on `f32`: a·e<sup>−w</sup> down to where it has vanished, for what no piece covers.
//!
//! A product that is subnormal takes x86-64 a detour through microcode. So everything is computed 2<sup>64</sup>
//! times as large, and made subnormal by a sum: for z below 1 the last place of 1 + z is 2<sup>−23</sup>, so that
//! its bits less those of 1 are the bits of z·2<sup>−126</sup>, rounded.

use crate::math::powers::{LARGER, NATURAL, Units, exp_minus_larger};
use crate::math::{DoubleWord, left_or_rest, power_of_2, product};
use crate::register::{Mask, PieceLane};

/// From here on, e<sup>−w</sup> has vanished, and 256 times that.
const VANISHED: f64 = 110.0;

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

/// a·2<sup>64</sup> for 0 ≤ a < 1: bits of a subnormal number, behind those of 1, are so many 2<sup>−23</sup>.
#[inline(always)]
fn made_large<X: PieceLane>(a: X) -> X {
    let one = a.splat(1.0);
    let subnormal = (a.add_bits(one) - one) * a.splat(power_of_2(LARGER - 126));
    let normal = a.add_bits(a.splat(f64::from(f32::from_bits((LARGER as u32) << 23))));
    a.lt(a.splat(power_of_2(-126))).select(subnormal, normal)
}

/// Up to this part of its range, a gate is so nearly half open that x/2 is right to a quarter of an ulp.
pub(crate) const TINY_PART: f64 = power_of_2(-32);

/// slope·x, for a tiny x.
#[inline(always)]
pub(crate) fn tiny_times<X: PieceLane>(x: X, slope: f64) -> X {
    let (slope, slope_low) = x.splat_pair((slope, 0.0));
    let large = made_large(x.splat(0.5).min(x.abs()));
    made_small(large.mul_add(slope, large * slope_low)).copysign(x)
}

/// dy·d, rounded once, for |d| < 2, though d or the product may be subnormal: by d·2<sup>126</sup>.
#[inline(always)]
pub(crate) fn product_with_tail<X: PieceLane>(dy: X, d: X) -> X {
    let (one, a) = (d.splat(1.0), d.abs());
    let subnormal = a.add_bits(one) - one;
    let normal = a.add_bits(a.splat(f64::from(f32::from_bits(126 << 23))));
    let is_normal = a.splat(power_of_2(-126)).le(a);
    let large = is_normal.select(normal, subnormal).copysign(d);
    let product = dy * large;
    let sum = dy.mul_add(large, one.copysign(product));
    let subnormal = sum.add_bits(d.splat(const { less_bits(1f32.to_bits()) }));
    let normal = product.add_bits(d.splat(const { less_bits(126 << 23) }));
    let y = product.abs().lt(one).select(subnormal, normal);
    // Of a dy so large that this is infinite, or NaN. Elsewhere the factors are kept normal; LLVM would take away a
    // selection of them.
    let huge = one.max(dy.abs()) * d.splat(power_of_2(-126)).max(a);
    let finite = product.abs().lt(d.splat(f64::INFINITY));
    finite.select(y, huge.copysign(product))
}

/// w, or where it has vanished if that is nearer.
#[inline(always)]
fn clamped<X: PieceLane>(w: DoubleWord<X>) -> DoubleWord<X> {
    let high = w.high.splat(VANISHED).min(w.high);
    DoubleWord { high, ..w }
}

/// a·e<sup>−w</sup>·(1 − n·e<sup>−w</sup>), for w so large that the next term, e<sup>−2w</sup>, is below a rounding; a is from 1 to
/// 256.
#[inline(always)]
fn tail<X: PieceLane>(a: DoubleWord<X>, w: DoubleWord<X>, n: X, units: &'static Units) -> X {
    let (s, p) = exp_minus_larger(clamped(w), units);
    let exp = s.mul_add(p, s);
    let rest = exp
        .mul_add(p, exp)
        .mul_add(n * n.splat(-power_of_2(-LARGER)), p);
    let product = a * s;
    made_small(product.high + product.high.mul_add(rest, product.low_or_zero()))
}

/// a·σ(−w), as [`tail`] says.
#[inline(always)]
pub(crate) fn gate_tail<X: PieceLane>(a: X, w: DoubleWord<X>, units: &'static Units) -> X {
    tail(DoubleWord::exact(a), w, a.splat(1.0), units)
}

/// a·e<sup>−w</sup>, as [`tail`] says.
#[inline(always)]
pub(crate) fn exp_tail<X: PieceLane>(a: X, w: X) -> X {
    let n = a.splat(0.0);
    tail(DoubleWord::exact(a), DoubleWord::exact(w), n, &NATURAL)
}

/// a·log1p(e<sup>−w</sup>), as [`tail`] says. That is also a·tanh(log1p(e<sup>−w</sup>)), but for its cube.
#[inline(always)]
pub(crate) fn softplus_tail<X: PieceLane>(a: X, w: X) -> X {
    let n = a.splat(0.5);
    tail(DoubleWord::exact(a), DoubleWord::exact(w), n, &NATURAL)
}

/// a·σ′(w), as [`tail`] says.
#[inline(always)]
pub(crate) fn density_tail<X: PieceLane>(a: X, w: DoubleWord<X>) -> X {
    tail(DoubleWord::exact(a), w, a.splat(2.0), &NATURAL)
}

/// The derivative of x·σ(v) where w = |v| is large, with g = x·v′: on the left, −(g − 1 − e<sup>−w</sup>)·σ′(w), in which
/// the exponential is below a rounding.
#[inline(always)]
pub(crate) fn gated_derivative_tail<X: PieceLane>(
    x: X,
    w: DoubleWord<X>,
    g: DoubleWord<X>,
    units: &'static Units,
) -> X {
    let high = g.high - x.splat(1.0);
    let tail = tail(DoubleWord { high, ..g }, w, x.splat(2.0), units);
    left_or_rest(x, x.splat(0.0) - tail)
}

/// x·tanh(log1p(e<sup>x</sup>)), but for its sign: for x from −10 down, and next to 0, where it is 0.6·x.
#[inline(always)]
pub(crate) fn mish_tail<X: PieceLane>(x: X) -> X {
    let a = x.abs();
    let left = a.splat(128.0).min(a.splat(10.0).max(a));
    a.lt(a.splat(1.0))
        .select(tiny_times(a, 0.6), softplus_tail(left, left))
}

/// The derivative of x·tanh(log1p(e<sup>x</sup>)) for x = −a, a from 10 on: −(a − 1)·e<sup>−a</sup>·(1 − n·e<sup>−a</sup>) with
/// n = (a − ½)/(a − 1), but for the cube of the exponential.
#[inline(always)]
pub(crate) fn mish_slope_tail<X: PieceLane>(a: X) -> X {
    let a = a.splat(VANISHED).min(a);
    let high = a - a.splat(1.0);
    let n = (a - a.splat(0.5)) / high;
    let tail = tail(DoubleWord::exact(high), DoubleWord::exact(a), n, &NATURAL);
    a.splat(0.0) - tail
}

/// A gated x: `tail` and the sign of x on the left, x on the right.
#[inline(always)]
pub(crate) fn shut_or_open<X: PieceLane>(x: X, tail: X) -> X {
    x.lt(x.splat(0.0)).select(tail.copysign(x), x)
}

/// c and m of a·Φ(−a) = c·e<sup>−a²/2</sup>·(1 + m(1/a²)/a²) for a from 5.8 on: the first is 1/√(2π), and what made the
/// fit best.
const MILLS: (f64, [f64; 5]) = (
    0.39894226783459974,
    [
        -0.999_983_549_118_042,
        2.996_690_750_122_070_3,
        -14.666_867_256_164_55,
        86.607_627_868_652_34,
        -371.630_187_988_281_25,
    ],
);

/// The same of φ(a) − Φ(−a)/a, for a from 6.3 on.
const MILLS_SLOPE: (f64, [f64; 5]) = (
    0.398_942_280_401_432_7,
    [
        -0.999_999_761_581_420_9,
        0.999_893_009_662_628_2,
        -2.983_130_216_598_510_7,
        13.730_712_890_625,
        -56.329_319_000_244_14,
    ],
);

/// a·Φ(−a), for a from 5.8 on.
#[inline(always)]
pub(crate) fn normal_tail<X: PieceLane>(a: X) -> X {
    let y = normal(clamped_normal(a), MILLS);
    made_small(y.rounded())
}

/// The derivative of x·Φ(x), for |x| from 6.3 on: on the left, −(a·φ(a) − Φ(−a)).
#[inline(always)]
pub(crate) fn normal_slope_tail<X: PieceLane>(x: X) -> X {
    let a = clamped_normal(x.abs());
    let tail = made_small((normal(a, MILLS_SLOPE) * a).rounded());
    left_or_rest(x, x.splat(0.0) - tail)
}

/// a, or where e<sup>−a²/2</sup> has vanished if that is nearer.
#[inline(always)]
fn clamped_normal<X: PieceLane>(a: X) -> X {
    a.splat(14.8).min(a)
}

/// c·e<sup>−a²/2</sup>·(1 + m(1/a²)/a²).
#[inline(always)]
fn normal<X: PieceLane>(a: X, (c, mills): (f64, [f64; 5])) -> DoubleWord<X> {
    let z = product(a, a);
    let inverse = a.splat(1.0) / z.high;
    let mut m = a.splat(mills[4]);
    let mut i = 4;
    while i > 0 {
        i -= 1;
        m = m.mul_add(inverse, a.splat(mills[i]));
    }
    let m = m * inverse;
    let half = a.splat(0.5);
    let w = DoubleWord {
        high: half * z.high,
        low: Some(half * z.low_or_zero()),
    };
    let (s, p) = exp_minus_larger(w, &NATURAL);
    let rest = m.mul_add(p, m + p);
    let (c, c_low) = a.splat_pair((c, 0.0));
    let y = product(s, c);
    let low = y.high.mul_add(rest, s.mul_add(c_low, y.low_or_zero()));
    DoubleWord {
        low: Some(low),
        ..y
    }
}

/// Up to here, a³/3 is zero.
const CUBE_VANISHED: f64 = power_of_2(-51);

/// a − tanh a = a³/3 for a so small that the next term is below a rounding, by (2<sup>42</sup>·a)³ = 2<sup>126</sup>·a³.
#[inline(always)]
pub(crate) fn tanh_shrink_tail<X: PieceLane>(a: X) -> X {
    // Not a select of zero, which the compiler moves behind the product: that is slow where a is subnormal.
    let a = a.max(a.splat(CUBE_VANISHED)) * a.splat(power_of_2(42));
    let cube = product(a, a) * a;
    let (third, third_low) = a.splat_pair((1.0 / 3.0, 0.0));
    let rest = cube.high.mul_add(third_low, cube.low_or_zero() * third);
    let y = cube.high.mul_add(third, rest);
    made_small(y * a.splat(power_of_2(LARGER - 126)))
}

/// From here on, a² is no longer zero.
const SQUARE_VANISHED: f64 = power_of_2(-75);

/// tanh² a = a² for a so small that the next term is below a rounding.
#[inline(always)]
pub(crate) fn squared_tanh_tail<X: PieceLane>(a: X) -> X {
    let vanished = a.lt(a.splat(SQUARE_VANISHED));
    let a = vanished.select(a.splat(0.0), a) * a.splat(power_of_2(LARGER / 2));
    made_small(a * a)
}
