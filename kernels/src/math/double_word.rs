//! Numbers in two words, and quotients of them.

use core::ops::{Add, Div, Mul};

use crate::register::{Lane, Mask};

/// Below, 1 + x is 1 on every dtype.
const TINY: f64 = 1.0 / (1u64 << 60) as f64;

/// x + 2<sup>−60</sup>, for functions that are as at 0 where x is tiny. It is not subnormal, nor is its square; and
/// a sum takes no detour through microcode, as a product with a subnormal number does on Intel's CPUs.
#[inline(always)]
pub(crate) fn lifted<X: Lane>(x: X) -> X {
    x + x.splat(TINY)
}

/// Where x is so near to 0 that what is computed of it may be subnormal. Nowhere on lanes that carry nothing along: there
/// a subnormal number of `f32` is a normal one.
#[inline(always)]
pub(crate) fn is_tiny<X: Lane>(x: X) -> X::Mask {
    let tiny = if const { X::CONSTANTS.compensated } {
        4.0 * TINY
    } else {
        0.0
    };
    x.abs().lt(x.splat(tiny))
}

/// `high + low`, where `low` is what rounding took from `high`. It is `None` where nothing is carried
/// along; which is known when the code is compiled, and costs nothing.
#[derive(Clone, Copy)]
pub(crate) struct DoubleWord<X> {
    pub(crate) high: X,
    pub(crate) low: Option<X>,
}

impl<X: Lane> DoubleWord<X> {
    /// A number that is exact.
    #[inline(always)]
    pub(crate) fn exact(high: X) -> Self {
        Self { high, low: None }
    }

    /// Both words, of which the lower is dropped where nothing is carried along.
    #[inline(always)]
    pub(crate) fn compensated(high: X, low: X) -> Self {
        if const { X::CONSTANTS.compensated } {
            let low = Some(low);
            Self { high, low }
        } else {
            Self::exact(high)
        }
    }

    /// The lower word, plus `x`.
    #[inline(always)]
    pub(crate) fn low_plus(self, x: X) -> X {
        match self.low {
            Some(low) => low + x,
            None => x,
        }
    }

    /// The lower word, or zero.
    #[inline(always)]
    pub(crate) fn low_or_zero(self) -> X {
        match self.low {
            Some(low) => low,
            None => self.high.splat(0.0),
        }
    }

    /// Zero where `beyond`.
    #[inline(always)]
    pub(crate) fn unless(self, beyond: X::Mask) -> Self {
        let zero = self.high.splat(0.0);
        let low = match self.low {
            Some(low) => Some(beyond.select(zero, low)),
            None => None,
        };
        let high = beyond.select(zero, self.high);
        Self { high, low }
    }

    /// The argument of a formula that must not see what is `beyond`, there 0, and that is as at 0 where this is tiny:
    /// then nothing it computes is subnormal, which takes Intel's CPUs a detour through microcode.
    ///
    /// A branch, since it is rare: a selection and a sum that every formula waits for took a tenth of the speed.
    #[inline(always)]
    pub(crate) fn lifted_unless(self, beyond: X::Mask) -> Self {
        if !(beyond.any() | is_tiny(self.high).any()) {
            return self;
        }
        let this = self.unless(beyond);
        // Of zeros, too: they have become tiny ones. The others keep every bit, whoever stands beside them.
        let high = is_tiny(this.high).select(lifted(this.high), this.high);
        Self { high, ..this }
    }

    /// Both words, rounded to one.
    #[inline(always)]
    pub(crate) fn rounded(self) -> X {
        match self.low {
            Some(low) => self.high + low,
            None => self.high,
        }
    }

    /// Times a power of two.
    #[inline(always)]
    pub(crate) fn scaled(self, power: X) -> Self {
        let low = match self.low {
            Some(low) => Some(low * power),
            None => None,
        };
        let high = self.high * power;
        Self { high, low }
    }

    /// 0 − it. So of either zero, +0.
    #[inline(always)]
    pub(crate) fn zero_minus(self) -> Self {
        let zero = self.high.splat(0.0);
        let low = match self.low {
            Some(low) => Some(zero - low),
            None => None,
        };
        Self {
            high: zero - self.high,
            low,
        }
    }

    /// Minus its magnitude.
    #[inline(always)]
    pub(crate) fn minus_abs(self) -> Self {
        let zero = self.high.splat(0.0);
        let low = match self.low {
            Some(low) => Some(zero.lt(self.high).select(zero - low, low)),
            None => None,
        };
        Self {
            high: self.high.copysign(zero.splat(-1.0)),
            low,
        }
    }
}

/// The exact sum of the upper words, and all else that is known in one rounded number.
impl<X: Lane> Add for DoubleWord<X> {
    type Output = Self;
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        let sum = two_sum(self.high, b.high);
        let low = match (self.low, b.low) {
            (Some(of_a), Some(of_b)) => Some(sum.low_plus(of_a + of_b)),
            (Some(low), None) | (None, Some(low)) => Some(sum.low_plus(low)),
            (None, None) => sum.low,
        };
        Self { low, ..sum }
    }
}

/// The product by one word.
impl<X: Lane> Mul<X> for DoubleWord<X> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, a: X) -> Self {
        let p = product(a, self.high);
        let low = match (p.low, self.low) {
            (Some(of_p), Some(low)) => Some(a.mul_add(low, of_p)),
            (None, Some(low)) => Some(a * low),
            (of_p, None) => of_p,
        };
        Self { low, ..p }
    }
}

/// The product, but for that of the lower words.
impl<X: Lane> Mul for DoubleWord<X> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        let p = b * self.high;
        let low = match (p.low, self.low) {
            (Some(of_p), Some(low)) => Some(low.mul_add(b.high, of_p)),
            (None, Some(low)) => Some(low * b.high),
            (of_p, None) => of_p,
        };
        Self { low, ..p }
    }
}

/// `c - a · b` with one rounding, where the product is near `c`. Without FMA by Dekker's splitting
/// (1971), for magnitudes up to 2<sup>996</sup>.
#[inline(always)]
fn residual<X: Lane>(a: X, b: X, c: X) -> X {
    if X::FUSED {
        return a.neg_mul_add(b, c);
    }
    let (a_high, a_low) = halves(a);
    let (b_high, b_low) = halves(b);
    c - a_high * b_high - a_high * b_low - a_low * b_high - a_low * b_low
}

/// A number as the sum of two of half as many bits.
#[inline(always)]
fn halves<X: Lane>(a: X) -> (X, X) {
    let scaled = a * a.splat(X::CONSTANTS.split);
    let high = scaled - (scaled - a);
    (high, a - high)
}

/// `a · b`, exactly.
#[inline(always)]
pub(crate) fn product<X: Lane>(a: X, b: X) -> DoubleWord<X> {
    let high = a * b;
    if const { !X::CONSTANTS.compensated } {
        return DoubleWord::exact(high);
    }
    let low = Some(a.splat(0.0) - residual(a, b, high));
    DoubleWord { high, low }
}

/// `a + b`, exactly (Knuth).
#[inline(always)]
pub(crate) fn two_sum<X: Lane>(a: X, b: X) -> DoubleWord<X> {
    let high = a + b;
    let of_b = high - a;
    DoubleWord::compensated(high, (a - (high - of_b)) + (b - of_b))
}

/// A quotient: `high + rest · reciprocal`, where `reciprocal` is nearly that of the divisor.
#[derive(Clone, Copy)]
pub(crate) struct Quotient<X> {
    pub(crate) high: X,
    pub(crate) rest: Option<X>,
    pub(crate) reciprocal: X,
}

/// One division: of 1 by `d`, from which the quotient is had by a product and put right by its own
/// residual and by what `n` and `d` carry along.
impl<X: Lane> Div for DoubleWord<X> {
    type Output = Quotient<X>;
    #[inline(always)]
    fn div(self, d: Self) -> Quotient<X> {
        let n = self;
        if const { !X::CONSTANTS.compensated } {
            let high = n.rounded() / d.rounded();
            return Quotient {
                high,
                rest: None,
                reciprocal: high,
            };
        }
        let reciprocal = d.high.splat(1.0) / d.high;
        let high = n.high * reciprocal;
        let mut rest = residual(high, d.high, n.high);
        if let Some(low) = n.low {
            rest = rest + low;
        }
        if let Some(low) = d.low {
            rest = high.neg_mul_add(low, rest);
        }
        Quotient {
            high,
            rest: Some(rest),
            reciprocal,
        }
    }
}

/// `1 / d`.
#[inline(always)]
pub(crate) fn reciprocal<X: Lane>(d: DoubleWord<X>) -> Quotient<X> {
    let one = d.high.splat(1.0);
    let high = one / d.high;
    let mut rest = None;
    if const { X::CONSTANTS.compensated } {
        let of_division = residual(high, d.high, one);
        rest = Some(match d.low {
            Some(low) => high.neg_mul_add(low, of_division),
            None => of_division,
        });
    }
    Quotient {
        high,
        rest,
        reciprocal: high,
    }
}

impl<X: Lane> Quotient<X> {
    /// The quotient in one word.
    #[inline(always)]
    pub(crate) fn rounded(self) -> X {
        match self.rest {
            Some(rest) => rest.mul_add(self.reciprocal, self.high),
            None => self.high,
        }
    }

    /// The quotient in two words.
    #[inline(always)]
    pub(crate) fn double_word(self) -> DoubleWord<X> {
        let low = match self.rest {
            Some(rest) => Some(rest * self.reciprocal),
            None => None,
        };
        let high = self.high;
        DoubleWord { high, low }
    }
}
