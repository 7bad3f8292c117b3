//! Gelu on `f64` by a table of the normal distribution.
//!
//! With b the multiple of 1/64 that is nearest to x, and d = x − b, Φ(x) = Φ(b) + φ(b)·d·F, where F is the integral of
//! e<sup>−bd·s − d²s²/2</sup> over s from 0 to 1: a short polynomial in b·d and d², of which the first term is 1. Φ(b)
//! comes in two parts, so that nothing but the last product and sum rounds at full size.
//!
//! The left tail, from where the table ends, is e<sup>−x²/2</sup>/√(2π) times Mills' ratio, which is a polynomial in
//! 1/x². The numbers are from `docs/fits/tables_64.py`: least squares on Chebyshev nodes, one coefficient rounded after
//! the other; those of F, in two variables, all at once.

use crate::math::by_tables::{SHIFT, SHIFT_16, TINY, half_of_tiny, horner, scaled_down};
use crate::math::normal_64::{DENSITY, NORMAL, NORMAL_LOW, ZERO};
use crate::math::tables::Aligned;
use crate::register::{Mask, TableLane};

/// Where the table ends.
const LIMIT: f64 = 8.4;

/// From here on the tail has vanished.
const VANISHED: f64 = 39.0;

/// From about −37.5 on the results are subnormal numbers.
const DEEP: f64 = 37.4;

/// x·Φ(x).
#[inline(always)]
pub(crate) fn gelu_64<X: TableLane>(x: X) -> X {
    let (a, limit) = (x.abs(), x.splat(LIMIT));
    let (beyond, tiny) = (limit.lt(a), a.lt(x.splat(TINY)));
    let all = !(beyond.any() | tiny.any());
    let inner = if all { x } else { tiny.select(x.splat(0.0), x) };
    let y = gelu_near_64(inner);
    // (Beyond the table it is anything.)
    if all {
        return y;
    }
    let y = tiny.select(half_of_tiny(x), y);
    if !beyond.any() {
        return y;
    }
    let y = limit.lt(x).select(x, y);
    let left = x.lt(x.splat(-LIMIT));
    if !left.any() {
        return y;
    }
    left.select(left_tail(x), y)
}

/// That in the table, for x that is not tiny.
#[inline(always)]
fn gelu_near_64<X: TableLane>(x: X) -> X {
    let shift = x.splat(SHIFT + ZERO);
    let shifted = x.mul_add(x.splat(64.0), shift);
    let n = shifted - shift;
    let d = n.neg_mul_add(x.splat(1.0 / 64.0), x);
    let (z, v) = (n * d, d * d);
    let f = v.mul_add(horner(z, &RISE_2), horner(z, &RISE_1));
    let f = v.mul_add(f, horner(z, &RISE_0));
    let rise = (shifted.gather(&DENSITY) * d).mul_add(f, shifted.gather(&NORMAL_LOW));
    x.mul_add(shifted.gather(&NORMAL), x * rise)
}

/// x·Φ(x) for x below the table.
#[inline(always)]
fn left_tail<X: TableLane>(x: X) -> X {
    let a = x.splat(VANISHED).min(x.abs());
    // e^(-a²/2) = 2^n·e^(-r/2), with n in sixteenths.
    let square = a * a;
    let lost = a.neg_mul_add(a, square);
    let shift = x.splat(SHIFT_16);
    let shifted = square.neg_mul_add(x.splat(LN_4[2]), shift);
    let n = shifted - shift;
    let r = n.mul_add(x.splat(LN_4[0]), square);
    let r = r + n.mul_add(x.splat(LN_4[1]), shifted.gather(&TAIL_REST.0) - lost);
    let p = r * horner(r, &EXP);
    let w = x.splat(1.0) / square;
    let m = w * horner(w, &MILLS);
    let t = shifted.gather(&TAIL.0);
    let y = t.mul_add(p.mul_add(m, p + m), t);
    let deep = x.lt(x.splat(-DEEP));
    if !deep.any() {
        return y.scale(n);
    }
    let normal = y.scale(x.splat(-1020.0).max(n));
    deep.select(scaled_down(y, n), normal)
}

/// F is the sum of these, polynomials in 64·b·d, times the powers of d².
const RISE_0: [f64; 8] = [
    0.9999999999999999,
    -0.00781249999999943,
    4.069010416668094e-05,
    -1.5894571960045555e-07,
    4.967053679451779e-10,
    -1.2934973637903175e-12,
    2.8874537592986117e-15,
    -4.9337845868942734e-18,
];
/// See [`RISE_0`].
const RISE_1: [f64; 5] = [
    -0.1666666666600342,
    0.0019531249864017269,
    -1.2207030576459313e-05,
    5.298827576852451e-08,
    -1.773172528568679e-10,
];
/// See [`RISE_0`].
const RISE_2: [f64; 3] = [
    0.024999741815580553,
    -0.00032560905928545164,
    2.1612935040363247e-06,
];
/// −2<sup>j/16</sup>/√(2π).
static TAIL: Aligned<[f64; 16]> = Aligned([
    -0.3989422804014327,
    -0.416604964125022,
    -0.4350496416648738,
    -0.4543109348450688,
    -0.47442499832879437,
    -0.49542958748292953,
    -0.5173641292472522,
    -0.5402697961412934,
    -0.5641895835477563,
    -0.5891683904175629,
    -0.6152531035480197,
    -0.6424926855922958,
    -0.6709382669654139,
    -0.7006432418192667,
    -0.7316633682668109,
    -0.7640568730435644,
]);
/// −2·ln of what that lacks: it is added to r.
static TAIL_REST: Aligned<[f64; 16]> = Aligned([
    1.249467566972267e-16,
    -8.711278430589149e-17,
    1.2966215187465916e-17,
    3.29153529566671e-17,
    9.238071702863159e-17,
    -1.0781563215568051e-16,
    -2.5527478999084233e-17,
    5.105775277191653e-17,
    -2.7181394446761882e-17,
    -4.249774558986934e-17,
    -3.510740685816297e-17,
    -9.014099587420666e-17,
    1.3794386849380769e-17,
    -4.868838824620789e-17,
    3.872356229161809e-17,
    -6.823720518059571e-17,
]);
/// Mills' ratio times a, less 1, over 1/a², in powers of that.
const MILLS: [f64; 10] = [
    -0.9999999999999534,
    2.999999999843524,
    -14.999999801086902,
    104.9998709606483,
    -944.9513903409108,
    10383.598011400712,
    -133405.78753409805,
    1854768.4501961577,
    -23193342.185762256,
    174127861.15214473,
];
/// (e<sup>−r/2</sup> − 1)/r.
const EXP: [f64; 6] = [
    -0.5000000000000003,
    0.12500000000000008,
    -0.0208333333302266,
    0.0026041666663451047,
    -0.0002604210490824889,
    2.170171599087498e-05,
];
/// 2·ln 2 in two parts, and 1/(2·ln 2).
const LN_4: [f64; 3] = [
    1.3862943611198906,
    4.638093627692599e-17,
    0.7213475204444817,
];
