//! e<sup>x</sup> = 2<sup>n</sup>·e<sup>r</sup> with n the integer nearest to x/ln 2 and |r| ≤ ln(2)/2, where
//! e<sup>r</sup> = 1 + r + r²·q(r).
//!
//! ln 2 is in two parts, the first with so few bits that n times it is exact, and so is its difference
//! from x (Cody & Waite, 1980); the second leaves r with a rounding of an eighth of an ulp of e<sup>r</sup>
//! or less. Another such is that of r + r²·q(r) = p. So e<sup>x</sup> = 2<sup>n</sup>·(1 + p) is known to a
//! quarter of an ulp or so, as long as 1 + p is not rounded: [`Exp`] keeps the parts, and what is
//! wanted is made of them with one rounding, since 2<sup>n</sup>·p is exact.

use crate::math::{DoubleWord, polynomial_of};
use crate::register::{Lane, Mask};

/// `e^x = scale · (1 + p)`, with a power of two.
#[derive(Clone, Copy)]
pub(crate) struct Exp<X> {
    pub(crate) scale: X,
    p: X,
    /// What rounding took from `p`.
    p_low: X,
    /// Whether `p` and `p_low` are with the opposite sign; known when the code is compiled.
    opposite: bool,
}

/// The integer n as a number, and the rest.
struct Reduced<X> {
    n: X,
    exp: Exp<X>,
}

/// The reduction of x, or of −x where `minus`: then everything is done with −r, which is x + n·ln 2, and
/// no instruction is spent on a sign. Where `precise`, `p_low` has also what rounding took from r.
#[inline(always)]
fn reduced<X: Lane>(x: DoubleWord<X>, minus: bool, precise: bool) -> Reduced<X> {
    let shift = x.high.splat(X::CONSTANTS.shift);
    let log2_e = x.high.splat(core::f64::consts::LOG2_E);
    let shifted = add_or_sub(shift, x.high, log2_e, minus);
    let n = shifted - shift;
    let ln2 = x.high.splat(X::CONSTANTS.ln2.0);
    let high = add_or_sub(x.high, n, ln2, !minus);
    let ln2_low = x.high.splat(X::CONSTANTS.ln2.1);
    let (r, r_low) = if const { !X::CONSTANTS.compensated } {
        (x.low_plus(high), None)
    } else if let Some(low) = x.low {
        let rest = add_or_sub(low, n, ln2_low, !minus);
        let r = high + rest;
        (r, Some((high - r) + rest))
    } else {
        let r = add_or_sub(high, n, ln2_low, !minus);
        (r, Some(add_or_sub(high - r, n, ln2_low, !minus)))
    };
    let r2 = r * r;
    let q = polynomial_of(r, r2, X::CONSTANTS.exp, minus);
    let p = add_or_sub(r, q, r2, minus);
    let mut p_low = add_or_sub(r - p, q, r2, minus);
    if let (true, Some(r_low)) = (precise, r_low) {
        p_low = p_low + r_low;
    }
    let exp = Exp {
        scale: shifted.pow2(),
        p,
        p_low,
        opposite: minus,
    };
    Reduced { n, exp }
}

/// c + a·b, or c − a·b where `minus`.
#[inline(always)]
fn add_or_sub<X: Lane>(c: X, a: X, b: X, minus: bool) -> X {
    if minus {
        a.neg_mul_add(b, c)
    } else {
        a.mul_add(b, c)
    }
}

/// e<sup>x</sup> for |x| within the [range](crate::precision::Constants::range). NaN gives NaN, and
/// anything else anything.
#[inline(always)]
pub(crate) fn exp<X: Lane>(x: DoubleWord<X>) -> Exp<X> {
    reduced(x, false, x.low.is_some()).exp
}

/// [`exp`] with all that is known of r.
#[inline(always)]
pub(crate) fn exp_precise<X: Lane>(x: DoubleWord<X>) -> Exp<X> {
    reduced(x, false, true).exp
}

/// e<sup>−x</sup>, for x as in [`exp`].
#[inline(always)]
pub(crate) fn exp_minus<X: Lane>(x: DoubleWord<X>) -> Exp<X> {
    reduced(x, true, x.low.is_some()).exp
}

impl<X: Lane> Exp<X> {
    /// Twice that.
    #[inline(always)]
    pub(crate) fn twice(self) -> Self {
        Self {
            scale: self.scale + self.scale,
            ..self
        }
    }

    /// e<sup>x</sup>.
    #[inline(always)]
    pub(crate) fn value(self) -> DoubleWord<X> {
        let high = self.p_plus(self.scale);
        DoubleWord::compensated(high, self.all_of_p_plus(self.scale - high))
    }

    /// e<sup>x</sup> − 1 for x ≤ 0. Next to 0 that is p, with all its bits; there the whole is not larger
    /// than p, and what rounding took from p counts.
    #[inline(always)]
    pub(crate) fn minus_one(self) -> DoubleWord<X> {
        let base = self.scale - self.scale.splat(1.0);
        let high = self.p_plus(base);
        DoubleWord::compensated(high, self.all_of_p_plus(base - high))
    }

    /// e<sup>x</sup> − 1 for x of either sign: 2<sup>n</sup> − 1 may be rounded, too.
    #[inline(always)]
    pub(crate) fn minus_one_of_any(self) -> DoubleWord<X> {
        let one = self.scale.splat(1.0);
        let base = self.scale - one;
        let high = self.p_plus(base);
        let lost = (self.scale - base) - one;
        DoubleWord::compensated(high, self.all_of_p_plus((base - high) + lost))
    }

    /// e<sup>x</sup> + c for a small positive integer. The lower word has again what 2<sup>n</sup> + c lost:
    /// 2<sup>n</sup> less the whole is exact, and so is c more than that as far as it matters.
    #[inline(always)]
    pub(crate) fn plus(self, c: f64) -> DoubleWord<X> {
        let (high, c) = self.rounded_plus(c);
        DoubleWord::compensated(high, self.all_of_p_plus((self.scale - high) + c))
    }

    /// [`plus`](Exp::plus) for x ≤ 0. There it is c less the whole that is exact, and 2<sup>n</sup> that must not be lost:
    /// next to 2 + 2<sup>−24</sup>, that would be a quarter of an ulp.
    #[inline(always)]
    pub(crate) fn plus_larger(self, c: f64) -> DoubleWord<X> {
        let (high, c) = self.rounded_plus(c);
        DoubleWord::compensated(high, self.all_of_p_plus((c - high) + self.scale))
    }

    /// [`plus`](Exp::plus) without what rounding took from p: an eighth of an ulp, and three
    /// instructions less.
    #[inline(always)]
    pub(crate) fn plus_nearly(self, c: f64) -> DoubleWord<X> {
        let (high, c) = self.rounded_plus(c);
        DoubleWord::compensated(high, self.p_plus((self.scale - high) + c))
    }

    /// e<sup>x</sup> + c rounded, and c.
    #[inline(always)]
    fn rounded_plus(self, c: f64) -> (X, X) {
        let c = self.scale.splat(c);
        (self.p_plus(self.scale + c), c)
    }

    /// 2<sup>n</sup>·p + base.
    #[inline(always)]
    fn p_plus(self, base: X) -> X {
        add_or_sub(base, self.scale, self.p, self.opposite)
    }

    /// 2<sup>n</sup>·p + base with what rounding took from p, where the base is next to −2<sup>n</sup>·p.
    #[inline(always)]
    fn all_of_p_plus(self, base: X) -> X {
        add_or_sub(self.p_plus(base), self.scale, self.p_low, self.opposite)
    }
}

/// e<sup>x</sup> for x ≤ 0 of any magnitude: subnormal where it is.
#[inline(always)]
pub(crate) fn exp_beyond<X: Lane>(x: DoubleWord<X>) -> X {
    exp_times(DoubleWord::exact(x.high.splat(1.0)), x)
}

/// a·e<sup>x</sup> for x of any magnitude, with one rounding before it becomes subnormal. Where e<sup>x</sup> has
/// vanished it is zero even if `a` is infinite.
///
/// 2<sup>n</sup> alone may be no normal number, and a·e<sup>r</sup> none that is finite. So a third of n makes `a` smaller:
/// exactly, or what comes out vanishes. The rest comes last.
#[inline(always)]
pub(crate) fn exp_times<X: Lane>(a: DoubleWord<X>, x: DoubleWord<X>) -> X {
    let zero = x.high.splat(0.0);
    let none = x.high.lt(x.high.splat(-X::CONSTANTS.vanished));
    // Where it has vanished, of a number from which nothing subnormal comes: that takes Intel's CPUs a detour through
    // microcode.
    let mut v = clamped(x);
    v.high = none.select(zero, v.high);
    let Reduced { n, exp } = reduced(v, false, true);
    let one = n.splat(1.0);
    let high = one + exp.p;
    let low = Some((exp.p - (high - one)) + exp.p_low);
    let shift = n.splat(X::CONSTANTS.shift);
    let third = n.mul_add(n.splat(1.0 / 3.0), shift);
    let n_third = third - shift;
    let y = (a.scaled(third.pow2()) * DoubleWord { high, low }).rounded();
    none.select(zero, times_power(y.abs(), n - n_third))
        .copysign(a.high)
}

/// y·2<sup>n</sup> for y ≥ 0, where 2<sup>n/2</sup> is a normal number. For an n ≤ 0 no product is subnormal, which would
/// take Intel's CPUs a detour through microcode.
///
/// Between 2 and 4, numbers have the distance of 2<sup>1−p</sup>, p bits being those of the fraction. So 2 + s, for an s ≤ 2
/// made of the product by a power of two, has as many of them more than 2 as the product has of the smallest subnormal
/// number, rounded once: and those are its bits, up to the last one of the exponent, where s is 2.
#[inline(always)]
pub(crate) fn times_power<X: Lane>(y: X, n: X) -> X {
    let shift = n.splat(X::CONSTANTS.shift);
    let (zero, least) = (n.splat(0.0), n.splat(X::CONSTANTS.least_exponent));
    let half = n.mul_add(n.splat(0.5), shift);
    let (half, rest) = (half.pow2(), (n - (half - shift) + shift).pow2());
    let least_y = n.le(zero).select((least - n + shift).pow2(), zero);
    let normal = least_y.max(y) * half * rest;
    let sum = y.mul_add((n - least + n.splat(1.0) + shift).pow2(), n.splat(2.0));
    let subnormal = sum.and_bits(n.splat(X::CONSTANTS.below_two_leasts));
    y.lt(least_y).select(subnormal, normal)
}

/// `x`, or the last argument whose exponential has neither vanished nor become infinite, where that is
/// passed.
#[inline(always)]
fn clamped<X: Lane>(x: DoubleWord<X>) -> DoubleWord<X> {
    let (zero, last) = (x.high.splat(0.0), x.high.splat(X::CONSTANTS.vanished));
    let gone = last.lt(x.high.abs());
    let high = gone.select(last.copysign(x.high), x.high);
    let low = match x.low {
        Some(low) => Some(gone.select(zero, low)),
        None => None,
    };
    DoubleWord { high, low }
}

/// e<sup>x</sup> − 1 for x ≤ 0 of any magnitude, and something for others.
#[inline(always)]
pub(crate) fn exp_minus_one<X: Lane>(x: DoubleWord<X>) -> DoubleWord<X> {
    exp(down_to_minus_one(x)).minus_one()
}

/// x, or where e<sup>x</sup> − 1 has long arrived at −1 if that is to the right: there, what rounding takes is still a
/// normal number. One that is not takes x86-64 a detour through microcode.
#[inline(always)]
pub(crate) fn down_to_minus_one<X: Lane>(x: DoubleWord<X>) -> DoubleWord<X> {
    let high = x.high.splat(-2.0 * X::CONSTANTS.settled).max(x.high);
    DoubleWord { high, ..x }
}

/// From here on to 0, e<sup>x</sup> − 1 is x on every dtype. What computes with subnormal numbers takes Intel's CPUs a
/// detour through microcode, which made elu of them 60 times as slow.
pub(crate) const LINEAR: f64 = -1.0 / (1u64 << 60) as f64;

/// 1 − e<sup>x</sup> for x ≤ 0 of any magnitude.
#[inline(always)]
pub(crate) fn one_minus_exp<X: Lane>(x: X) -> X {
    x.splat(0.0) - exp_minus_one(DoubleWord::exact(x)).high
}

/// Where x is below the [range](crate::precision::Constants::range).
#[inline(always)]
pub(crate) fn below_range<X: Lane>(x: X) -> X::Mask {
    x.lt(x.splat(-X::CONSTANTS.range))
}

/// a·e<sup>x</sup> for x within the [range](crate::precision::Constants::range), and where it is `beyond`.
#[inline(always)]
pub(crate) fn exp_scaled<X: Lane>(a: X, x: DoubleWord<X>, beyond: X::Mask) -> X {
    let y = (exp(x.lifted_unless(beyond)).value() * a).rounded();
    if !beyond.any() {
        return y;
    }
    beyond.select(exp_times(DoubleWord::exact(a), x), y)
}
