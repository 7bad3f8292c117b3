//! Numbers in two parts, and quotients of them.

use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math::constant;

/// `high + low`, where `low` is what rounding took from `high`. It is `None` where nothing is carried
/// along; which is known when the code is compiled, and costs nothing.
#[derive(Clone, Copy)]
pub(crate) struct Sum<V> {
    pub(crate) high: V,
    pub(crate) low: Option<V>,
}

impl<V: Copy> Sum<V> {
    /// A number that is exact.
    #[inline(always)]
    pub(crate) fn exact(high: V) -> Self {
        Self { high, low: None }
    }

    /// The lower part, plus `x`.
    #[inline(always)]
    pub(crate) fn low_and<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L, x: V) -> V {
        match self.low {
            Some(low) => l.add(low, x),
            None => x,
        }
    }

    /// The lower part, or zero.
    #[inline(always)]
    pub(crate) fn low_or_zero<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L) -> V {
        match self.low {
            Some(low) => low,
            None => constant::<R, L>(l, 0.0),
        }
    }

    /// Both parts, rounded.
    #[inline(always)]
    pub(crate) fn rounded<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L) -> V {
        match self.low {
            Some(low) => l.add(self.high, low),
            None => self.high,
        }
    }
}

/// `c - a · b` with one rounding, where the product is near `c`. Without FMA by Dekker's splitting
/// (1971), for magnitudes up to 2<sup>996</sup>.
#[inline(always)]
pub(crate) fn residual<R: Real, L: FloatLanes<R::Lane>>(l: L, a: L::V, b: L::V, c: L::V) -> L::V {
    if L::FUSED {
        return l.neg_mul_add(a, b, c);
    }
    let (a_high, a_low) = halves::<R, L>(l, a);
    let (b_high, b_low) = halves::<R, L>(l, b);
    let rest = l.sub(c, l.mul(a_high, b_high));
    let rest = l.sub(rest, l.mul(a_high, b_low));
    let rest = l.sub(rest, l.mul(a_low, b_high));
    l.sub(rest, l.mul(a_low, b_low))
}

#[inline(always)]
fn halves<R: Real, L: FloatLanes<R::Lane>>(l: L, a: L::V) -> (L::V, L::V) {
    let scaled = l.mul(a, constant::<R, L>(l, R::MATH.split));
    let high = l.sub(scaled, l.sub(scaled, a));
    (high, l.sub(a, high))
}

/// `a · b`.
#[inline(always)]
pub(crate) fn product<R: Real, L: FloatLanes<R::Lane>>(l: L, a: L::V, b: L::V) -> Sum<L::V> {
    let high = l.mul(a, b);
    if !R::MATH.compensated {
        return Sum::exact(high);
    }
    let zero = constant::<R, L>(l, 0.0);
    Sum {
        high,
        low: Some(l.sub(zero, residual::<R, L>(l, a, b, high))),
    }
}

/// `a · b`.
#[inline(always)]
pub(crate) fn product_of_sum<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    a: L::V,
    b: Sum<L::V>,
) -> Sum<L::V> {
    let p = product::<R, L>(l, a, b.high);
    let low = match (p.low, b.low) {
        (Some(of_p), Some(of_b)) => Some(l.mul_add(a, of_b, of_p)),
        (None, Some(of_b)) => Some(l.mul(a, of_b)),
        (low, None) => low,
    };
    Sum { high: p.high, low }
}

/// `a · b`, but for the product of the lower parts.
#[inline(always)]
pub(crate) fn product_of_sums<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    a: Sum<L::V>,
    b: Sum<L::V>,
) -> Sum<L::V> {
    let p = product_of_sum::<R, L>(l, a.high, b);
    let low = match (p.low, a.low) {
        (Some(of_p), Some(of_a)) => Some(l.mul_add(of_a, b.high, of_p)),
        (None, Some(of_a)) => Some(l.mul(of_a, b.high)),
        (low, None) => low,
    };
    Sum { high: p.high, low }
}

/// `a + b`, exactly (Knuth).
#[inline(always)]
pub(crate) fn two_sum<R: Real, L: FloatLanes<R::Lane>>(l: L, a: L::V, b: L::V) -> Sum<L::V> {
    let high = l.add(a, b);
    if !R::MATH.compensated {
        return Sum::exact(high);
    }
    let of_b = l.sub(high, a);
    let low = l.add(l.sub(a, l.sub(high, of_b)), l.sub(b, of_b));
    let low = Some(low);
    Sum { high, low }
}

/// `n / d`: `high + rest · reciprocal`.
#[derive(Clone, Copy)]
pub(crate) struct Quotient<V> {
    pub(crate) high: V,
    pub(crate) rest: Option<V>,
    pub(crate) reciprocal: V,
}

/// One division: of 1 by `d`, from which the quotient is had by a product and put right by its own
/// residual and by what `n` and `d` carry along.
#[inline(always)]
pub(crate) fn quotient<R: Real, L: FloatLanes<R::Lane>>(
    l: L,
    n: Sum<L::V>,
    d: Sum<L::V>,
) -> Quotient<L::V> {
    if !R::MATH.compensated {
        let high = l.div(n.rounded::<R, L>(l), d.rounded::<R, L>(l));
        return Quotient {
            high,
            rest: None,
            reciprocal: high,
        };
    }
    let reciprocal = l.div(constant::<R, L>(l, 1.0), d.high);
    let high = l.mul(n.high, reciprocal);
    let mut rest = residual::<R, L>(l, high, d.high, n.high);
    if let Some(low) = n.low {
        rest = l.add(rest, low);
    }
    if let Some(low) = d.low {
        rest = l.neg_mul_add(high, low, rest);
    }
    Quotient {
        high,
        rest: Some(rest),
        reciprocal,
    }
}

impl<V: Copy> Quotient<V> {
    #[inline(always)]
    pub(crate) fn rounded<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L) -> V {
        match self.rest {
            Some(rest) => l.mul_add(rest, self.reciprocal, self.high),
            None => self.high,
        }
    }

    #[inline(always)]
    pub(crate) fn sum<R: Real, L: FloatLanes<R::Lane, V = V>>(self, l: L) -> Sum<V> {
        let (high, reciprocal) = (self.high, self.reciprocal);
        let low = match self.rest {
            Some(rest) => Some(l.mul(rest, reciprocal)),
            None => None,
        };
        Sum { high, low }
    }
}

/// `1 / d`.
#[inline(always)]
pub(crate) fn reciprocal<R: Real, L: FloatLanes<R::Lane>>(l: L, d: Sum<L::V>) -> Quotient<L::V> {
    let one = constant::<R, L>(l, 1.0);
    let high = l.div(one, d.high);
    let mut rest = None;
    if R::MATH.compensated {
        let of_division = residual::<R, L>(l, high, d.high, one);
        rest = Some(match d.low {
            Some(low) => l.neg_mul_add(high, low, of_division),
            None => of_division,
        });
    }
    Quotient {
        high,
        rest,
        reciprocal: high,
    }
}
