//! e<sup>x</sup> = 2<sup>n</sup>·e<sup>r</sup> with n the integer nearest to x/ln 2 and |r| ≤ ln(2)/2, where
//! e<sup>r</sup> = 1 + r + r²·q(r).
//!
//! ln 2 is in two parts, the first with so few bits that n times it is exact, and so is its difference
//! from x (Cody & Waite, 1980); the second leaves r with a rounding of an eighth of an ulp of e<sup>r</sup>
//! or less. Another such is that of r + r²·q(r) = p. So e<sup>x</sup> = 2<sup>n</sup>·(1 + p) is known to a
//! quarter of an ulp or so, as long as 1 + p is not rounded: [`Exp`] keeps the parts, and what is
//! wanted is made of them with one rounding, since 2<sup>n</sup>·p is exact.

use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math::{Sum, any, constant, polynomial, residual};

/// `e^x = scale · (1 + p)`, with a power of two.
#[derive(Clone, Copy)]
pub(crate) struct Exp<V> {
    pub(crate) scale: V,
    pub(crate) p: V,
    /// What rounding took from `p`.
    pub(crate) p_low: V,
}

/// The integer n, as [`FloatLanes::pow2`] wants it and as a number, and p.
struct Reduced<V> {
    shifted: V,
    n: V,
    p: V,
    p_low: V,
}

#[inline(always)]
fn reduced<R: Real, L: FloatLanes<R::Lane>>(l: L, x: Sum<L::V>) -> Reduced<L::V> {
    let shift = constant::<R, L>(l, R::MATH.shift);
    let log2_e = constant::<R, L>(l, core::f64::consts::LOG2_E);
    let shifted = l.mul_add(x.high, log2_e, shift);
    let n = l.sub(shifted, shift);
    let high = l.neg_mul_add(n, constant::<R, L>(l, R::MATH.ln2.0), x.high);
    let ln2_low = constant::<R, L>(l, R::MATH.ln2.1);
    let r = match x.low {
        Some(low) => l.add(high, l.neg_mul_add(n, ln2_low, low)),
        None => l.neg_mul_add(n, ln2_low, high),
    };
    let r2 = l.mul(r, r);
    let q = polynomial::<R, L>(l, r, r2, R::MATH.exp);
    let p = l.mul_add(q, r2, r);
    let p_low = l.mul_add(q, r2, l.sub(r, p));
    Reduced {
        shifted,
        n,
        p,
        p_low,
    }
}

/// e<sup>x</sup> for |x| within the [range](crate::math::Math::range); anything else gives anything, but
/// NaN NaN.
#[inline(always)]
pub(crate) fn exp<R: Real, L: FloatLanes<R::Lane>>(l: L, x: Sum<L::V>) -> Exp<L::V> {
    let reduced = reduced::<R, L>(l, x);
    Exp {
        scale: l.pow2(reduced.shifted),
        p: reduced.p,
        p_low: reduced.p_low,
    }
}

impl<V: Copy> Exp<V> {
    /// e<sup>x</sup>.
    #[inline(always)]
    pub(crate) fn value<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L) -> Sum<V> {
        self.on::<R, L>(l, self.scale)
    }

    /// e<sup>x</sup> − 1 for x ≤ 0. Next to 0 that is p, with all its bits; there the whole is not larger
    /// than p, and what rounding took from p counts.
    #[inline(always)]
    pub(crate) fn minus_one<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L) -> Sum<V> {
        let sum = self.on::<R, L>(l, l.sub(self.scale, constant::<R, L>(l, 1.0)));
        let low = match sum.low {
            Some(low) => Some(l.mul_add(self.scale, self.p_low, low)),
            None => None,
        };
        Sum {
            high: sum.high,
            low,
        }
    }

    /// 2<sup>n</sup>·p + base.
    #[inline(always)]
    fn on<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L, base: V) -> Sum<V> {
        let high = l.mul_add(self.scale, self.p, base);
        let low = if R::MATH.compensated {
            Some(l.mul_add(self.scale, self.p, l.sub(base, high)))
        } else {
            None
        };
        Sum { high, low }
    }

    /// e<sup>x</sup> + c for a small positive integer. The lower part has again what 2<sup>n</sup> + c lost:
    /// 2<sup>n</sup> less the whole is exact, and so is c more than that as far as it matters.
    #[inline(always)]
    pub(crate) fn plus<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L, c: f64) -> Sum<V> {
        let c = constant::<R, L>(l, c);
        let high = l.mul_add(self.scale, self.p, l.add(self.scale, c));
        let low = if R::MATH.compensated {
            let rest = l.add(l.sub(self.scale, high), c);
            Some(l.mul_add(self.scale, self.p, rest))
        } else {
            None
        };
        Sum { high, low }
    }
}

/// e<sup>x</sup> for x ≤ 0 of any magnitude: subnormal where it is, and rounded as such.
#[inline(always)]
pub(crate) fn exp_beyond<R: Real, L: FloatLanes<R::Lane>>(l: L, x: Sum<L::V>) -> L::V {
    let reduced = clamped::<R, L>(l, x);
    let y = l.add(constant::<R, L>(l, 1.0), reduced.p);
    scaled::<R, L>(l, y, reduced.n)
}

/// a·e<sup>x</sup> for x ≤ 0 of any magnitude, with one rounding before it becomes subnormal. Where
/// e<sup>x</sup> has vanished it is zero even if `a` is infinite.
#[inline(always)]
pub(crate) fn exp_times<R: Real, L: FloatLanes<R::Lane>>(l: L, a: L::V, x: Sum<L::V>) -> L::V {
    let reduced = clamped::<R, L>(l, x);
    let (zero, one) = (constant::<R, L>(l, 0.0), constant::<R, L>(l, 1.0));
    let high = l.add(one, reduced.p);
    let low = l.sub(reduced.p, l.sub(high, one));
    let y = l.mul(a, high);
    let lost = residual::<R, L>(l, a, high, y);
    let y = l.add(y, l.sub(l.mul(a, low), lost));
    let y = scaled::<R, L>(l, y, reduced.n);
    let gone = l.lt(x.high, constant::<R, L>(l, -R::MATH.vanished));
    l.select(gone, l.copysign(zero, a), y)
}

/// [`reduced`], of the last argument whose exponential has vanished where that is passed.
#[inline(always)]
fn clamped<R: Real, L: FloatLanes<R::Lane>>(l: L, x: Sum<L::V>) -> Reduced<L::V> {
    let last = constant::<R, L>(l, -R::MATH.vanished);
    let gone = l.lt(x.high, last);
    let high = l.select(gone, last, x.high);
    let low = match x.low {
        Some(low) => Some(l.select(gone, constant::<R, L>(l, 0.0), low)),
        None => None,
    };
    reduced::<R, L>(l, Sum { high, low })
}

/// y·2<sup>n</sup>, in two steps, since 2<sup>n</sup> alone may be no normal number; the first is exact.
#[inline(always)]
fn scaled<R: Real, L: FloatLanes<R::Lane>>(l: L, y: L::V, n: L::V) -> L::V {
    let shift = constant::<R, L>(l, R::MATH.shift);
    let first = l.mul_add(n, constant::<R, L>(l, 0.5), shift);
    let second = l.add(l.sub(n, l.sub(first, shift)), shift);
    l.mul(l.mul(y, l.pow2(first)), l.pow2(second))
}

/// e<sup>x</sup> − 1 for x ≤ 0 of any magnitude, and something for others.
#[inline(always)]
pub(crate) fn exp_minus_one<R: Real, L: FloatLanes<R::Lane>>(l: L, x: Sum<L::V>) -> Sum<L::V> {
    let high = l.max(constant::<R, L>(l, -R::MATH.range), x.high);
    exp::<R, L>(l, Sum { high, low: x.low }).minus_one::<R, L>(l)
}

/// 1 − e<sup>x</sup> for x ≤ 0 of any magnitude.
#[inline(always)]
pub(crate) fn one_minus_exp<R: Real, L: FloatLanes<R::Lane>>(l: L, x: L::V) -> L::V {
    let y = exp_minus_one::<R, L>(l, Sum::exact(x)).high;
    l.sub(constant::<R, L>(l, 0.0), y)
}

/// a·e<sup>x</sup> for x ≤ 0 of any magnitude, and something for others.
#[inline(always)]
pub(crate) fn exp_scaled<R: Real, L: FloatLanes<R::Lane>>(l: L, a: L::V, x: Sum<L::V>) -> L::V {
    let y = l.mul(a, exp::<R, L>(l, x).value::<R, L>(l).high);
    let beyond = l.lt(x.high, constant::<R, L>(l, -R::MATH.range));
    if !any(l, beyond) {
        return y;
    }
    l.select(beyond, exp_times::<R, L>(l, a, x), y)
}
