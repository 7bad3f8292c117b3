//! log1p(e<sup>−a</sup>), and what is made of it, on `f64` by [`exp_64`](super::exp_64) and a table of 16 logarithms.
//!
//! With e<sup>−a</sup> = S·(1 + p) and c = 1/(1 + j/15), j being the nearest to 15·e<sup>−a</sup>,
//! log1p(e<sup>−a</sup>) = −ln c + log1p(u) with u = (c·S + c − 1) + c·S·p, which is at most 1/29. Next to j = 0, where
//! c = 1, the first term is S, exactly. The other c are such that their logarithms are numbers of `f64` to a 200th of an
//! ulp. So there are two roundings of full size: that of the sum of max(x, 0) and −ln c, and the last.
//! The numbers are from `docs/fits/tables_64.py`: least squares on Chebyshev nodes, one coefficient rounded after the
//! other.

use crate::math::by_tables::{SHIFT, TINY};
use crate::math::exp_64::{NATURAL, decay};
use crate::math::polynomial;
use crate::math::tables::Aligned;
use crate::register::{Mask, TableLane};

/// Up to here the square of e<sup>−a</sup> is a normal number.
pub(crate) const RANGE: f64 = 350.0;

/// From here on e<sup>−a</sup> has vanished.
const VANISHED: f64 = 750.0;

/// log1p(e<sup>x</sup>) = max(x, 0) + log1p(e<sup>−|x|</sup>).
#[inline(always)]
pub(crate) fn softplus_64<X: TableLane>(x: X) -> X {
    let y = softplus_of(x, within(x.abs()));
    let far = x.lt(x.splat(-RANGE));
    if !far.any() {
        return y;
    }
    far.select(tail(x), y)
}

/// −log1p(e<sup>−x</sup>) = min(x, 0) − log1p(e<sup>−|x|</sup>).
#[inline(always)]
pub(crate) fn log_sigmoid_64<X: TableLane>(x: X) -> X {
    let y = log_sigmoid_of(x, within(x.abs()));
    let far = x.splat(RANGE).lt(x);
    if !far.any() {
        return y;
    }
    far.select(tail(x).copysign(x.splat(-1.0)), y)
}

/// [`softplus_64`] in the range.
#[inline(always)]
pub(crate) fn softplus_near_64<X: TableLane>(x: X) -> X {
    softplus_of(x, x.abs())
}

/// [`log_sigmoid_64`] in the range.
#[inline(always)]
pub(crate) fn log_sigmoid_near_64<X: TableLane>(x: X) -> X {
    log_sigmoid_of(x, x.abs())
}

/// a, or the end of the range, and that for NaN.
#[inline(always)]
fn within<X: TableLane>(a: X) -> X {
    a.min(a.splat(RANGE))
}

/// With a = |x|, or what counts as that.
#[inline(always)]
fn softplus_of<X: TableLane>(x: X, a: X) -> X {
    let (log, rest) = log1p_exp_minus(a);
    (x.splat(0.0).max(x) + log) + rest
}

/// With a = |x|, or what counts as that.
#[inline(always)]
fn log_sigmoid_of<X: TableLane>(x: X, a: X) -> X {
    let (log, rest) = log1p_exp_minus(a);
    (x.splat(0.0).min(x) - log) - rest
}

/// log1p(e<sup>−a</sup>) as a sum of two.
#[inline(always)]
fn log1p_exp_minus<X: TableLane>(a: X) -> (X, X) {
    let (x, one) = (a, a.splat(1.0));
    // Products with subnormal numbers would take long.
    let a = a.max(a.splat(TINY));
    let exp = decay(a, &NATURAL);
    let s = exp.scale();
    let cell = s
        .mul_add(exp.early, s)
        .mul_add(x.splat(15.0), x.splat(SHIFT));
    let c = cell.gather(&INVERSE.0);
    let high = s.mul_add(c, c - one);
    let low = s * exp.p * c;
    let u = high + low;
    let u2 = u * u;
    let low = u2.mul_add(polynomial(u, u2, &LOG1P), low);
    (cell.gather(&LOG.0), high + low)
}

/// e<sup>−|x|</sup>.
#[inline(always)]
fn tail<X: TableLane>(x: X) -> X {
    decay(x.splat(VANISHED).min(x.abs()), &NATURAL).times(x.splat(1.0))
}

/// c.
static INVERSE: Aligned<[f64; 16]> = Aligned([
    1.0,
    0.937525749206543,
    0.882235050201416,
    0.8333795666694641,
    0.7894777059555054,
    0.7499422430992126,
    0.7143887877464294,
    0.6818152666091919,
    0.6521140336990356,
    0.6249276399612427,
    0.5999211668968201,
    0.5769594311714172,
    0.555539071559906,
    0.5356942415237427,
    0.517242431640625,
    0.49993276596069336,
]);

/// −ln c.
static LOG: Aligned<[f64; 16]> = Aligned([
    0.0,
    0.06451105569443741,
    0.1252967616523152,
    0.18226607832955616,
    0.23638368386689904,
    0.2877590846181915,
    0.33632794418686573,
    0.38299652790509825,
    0.4275358340370063,
    0.4701194120103129,
    0.5109570209035164,
    0.549983324874116,
    0.5878163365344867,
    0.6241917255953302,
    0.6592435943811252,
    0.6932816576802012,
]);

/// (log1p(u) − u)/u².
const LOG1P: [f64; 8] = [
    -0.49999999999999845,
    0.33333333333332693,
    -0.25000000004204387,
    0.20000000007179441,
    -0.1666664897281737,
    0.14285692552926363,
    -0.12523808457384958,
    0.11135469495878951,
];
