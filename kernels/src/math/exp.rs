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
use crate::math::{Sum, any, constant, polynomial_of, product_of_sum, product_of_sums};

/// `e^x = scale · (1 + p)`, with a power of two.
#[derive(Clone, Copy)]
pub(crate) struct Exp<V> {
    pub(crate) scale: V,
    p: V,
    /// What rounding took from `p`.
    p_low: V,
    /// Whether `p` and `p_low` are with the opposite sign; known when the code is compiled.
    opposite: bool,
}

/// The integer n as a number, and the rest.
struct Reduced<V> {
    n: V,
    exp: Exp<V>,
}

/// Of −x where `minus`: then everything is done with −r, which is x + n·ln 2, and no instruction is spent
/// on a sign. Where `precise`, `p_low` has also what rounding took from r.
#[inline(always)]
fn reduced<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    x: Sum<L::V>,
    minus: bool,
    precise: bool,
) -> Reduced<L::V> {
    let shift = constant::<R, L>(l, R::MATH.shift);
    let log2_e = constant::<R, L>(l, core::f64::consts::LOG2_E);
    let shifted = add_or_sub::<R, L>(l, x.high, log2_e, shift, minus);
    let n = l.sub(shifted, shift);
    let ln2 = constant::<R, L>(l, R::MATH.ln2.0);
    let high = add_or_sub::<R, L>(l, n, ln2, x.high, !minus);
    let ln2_low = constant::<R, L>(l, R::MATH.ln2.1);
    let (r, r_low) = if !R::MATH.compensated {
        (x.low_and::<R, L>(l, high), None)
    } else if let Some(low) = x.low {
        let rest = add_or_sub::<R, L>(l, n, ln2_low, low, !minus);
        let r = l.add(high, rest);
        (r, Some(l.add(l.sub(high, r), rest)))
    } else {
        let r = add_or_sub::<R, L>(l, n, ln2_low, high, !minus);
        let rest = l.sub(high, r);
        (r, Some(add_or_sub::<R, L>(l, n, ln2_low, rest, !minus)))
    };
    let r2 = l.mul(r, r);
    let q = polynomial_of::<R, L>(l, r, r2, R::MATH.exp, minus);
    let p = add_or_sub::<R, L>(l, q, r2, r, minus);
    let mut p_low = add_or_sub::<R, L>(l, q, r2, l.sub(r, p), minus);
    if let (true, Some(r_low)) = (precise, r_low) {
        p_low = l.add(p_low, r_low);
    }
    let exp = Exp {
        scale: l.pow2(shifted),
        p,
        p_low,
        opposite: minus,
    };
    Reduced { n, exp }
}

/// c ± a·b.
#[inline(always)]
fn add_or_sub<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    a: L::V,
    b: L::V,
    c: L::V,
    minus: bool,
) -> L::V {
    if minus {
        l.neg_mul_add(a, b, c)
    } else {
        l.mul_add(a, b, c)
    }
}

/// e<sup>x</sup> for |x| within the [range](crate::math::Math::range); anything else gives anything, but
/// NaN NaN.
#[inline(always)]
pub(crate) fn exp<R: Real, L: FloatLanes<R::Lane>>(l: L, x: Sum<L::V>) -> Exp<L::V> {
    reduced::<R, L>(l, x, false, x.low.is_some()).exp
}

/// The same with all that is known of r.
#[inline(always)]
pub(crate) fn exp_precise<R: Real, L: FloatLanes<R::Lane>>(l: L, x: Sum<L::V>) -> Exp<L::V> {
    reduced::<R, L>(l, x, false, true).exp
}

/// e<sup>−x</sup>, likewise.
#[inline(always)]
pub(crate) fn exp_minus<R: Real, L: FloatLanes<R::Lane>>(l: L, x: Sum<L::V>) -> Exp<L::V> {
    reduced::<R, L>(l, x, true, x.low.is_some()).exp
}

impl<V: Copy> Exp<V> {
    /// Twice that.
    #[inline(always)]
    pub(crate) fn twice<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L) -> Self {
        Self {
            scale: l.add(self.scale, self.scale),
            ..self
        }
    }

    /// e<sup>x</sup>.
    #[inline(always)]
    pub(crate) fn value<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L) -> Sum<V> {
        let high = self.on::<R, L>(l, self.scale);
        let low = if R::MATH.compensated {
            Some(self.low_on::<R, L>(l, l.sub(self.scale, high)))
        } else {
            None
        };
        Sum { high, low }
    }

    /// e<sup>x</sup> − 1 for x ≤ 0. Next to 0 that is p, with all its bits; there the whole is not larger
    /// than p, and what rounding took from p counts.
    #[inline(always)]
    pub(crate) fn minus_one<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L) -> Sum<V> {
        let base = l.sub(self.scale, constant::<R, L>(l, 1.0));
        let high = self.on::<R, L>(l, base);
        let low = if R::MATH.compensated {
            Some(self.low_on::<R, L>(l, l.sub(base, high)))
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
        let high = self.on::<R, L>(l, l.add(self.scale, c));
        let low = if R::MATH.compensated {
            Some(self.low_on::<R, L>(l, l.add(l.sub(self.scale, high), c)))
        } else {
            None
        };
        Sum { high, low }
    }

    /// The same, without what rounding took from p: an eighth of an ulp, and three instructions less.
    #[inline(always)]
    pub(crate) fn plus_nearly<R: Real, L: FloatLanes<R::Lane, V = V>>(
        self,
        l: L,
        c: f64,
    ) -> Sum<V> {
        let c = constant::<R, L>(l, c);
        let high = self.on::<R, L>(l, l.add(self.scale, c));
        let low = if R::MATH.compensated {
            Some(self.on::<R, L>(l, l.add(l.sub(self.scale, high), c)))
        } else {
            None
        };
        Sum { high, low }
    }

    /// 2<sup>n</sup>·p + base.
    #[inline(always)]
    fn on<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L, base: V) -> V {
        add_or_sub::<R, L>(l, self.scale, self.p, base, self.opposite)
    }

    /// The same with all of p, where the base is next to −2<sup>n</sup>·p.
    #[inline(always)]
    fn low_on<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L, base: V) -> V {
        let low = self.on::<R, L>(l, base);
        add_or_sub::<R, L>(l, self.scale, self.p_low, low, self.opposite)
    }
}

/// e<sup>x</sup> for x ≤ 0 of any magnitude: subnormal where it is.
#[inline(always)]
pub(crate) fn exp_beyond<R: Real, L: FloatLanes<R::Lane>>(l: L, x: Sum<L::V>) -> L::V {
    exp_times::<R, L>(l, Sum::exact(constant::<R, L>(l, 1.0)), x)
}

/// a·e<sup>x</sup> for x ≤ 0 of any magnitude, with one rounding before it becomes subnormal. Where
/// e<sup>x</sup> has vanished it is zero even if `a` is infinite.
#[inline(always)]
pub(crate) fn exp_times<R: Real, L: FloatLanes<R::Lane>>(l: L, a: Sum<L::V>, x: Sum<L::V>) -> L::V {
    let Reduced { n, exp } = clamped::<R, L>(l, x);
    let (zero, one) = (constant::<R, L>(l, 0.0), constant::<R, L>(l, 1.0));
    let high = l.add(one, exp.p);
    let low = l.add(l.sub(exp.p, l.sub(high, one)), exp.p_low);
    let low = Some(low);
    let y = product_of_sums::<R, L>(l, a, Sum { high, low }).rounded::<R, L>(l);
    let y = scaled::<R, L>(l, y, n);
    let gone = l.lt(x.high, constant::<R, L>(l, -R::MATH.vanished));
    l.select(gone, l.copysign(zero, a.high), y)
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
    reduced::<R, L>(l, Sum { high, low }, false, true)
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
    let y = exp::<R, L>(l, x).value::<R, L>(l);
    let y = product_of_sum::<R, L>(l, a, y).rounded::<R, L>(l);
    let beyond = l.lt(x.high, constant::<R, L>(l, -R::MATH.range));
    if !any(l, beyond) {
        return y;
    }
    l.select(beyond, exp_times::<R, L>(l, Sum::exact(a), x), y)
}
