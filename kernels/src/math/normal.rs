//! The tail of the normal distribution, Φ(−a) = e<sup>−a²/2</sup>·m(a) for a ≥ 0, where m is half of Mills'
//! ratio's usual form: a function that falls slowly from 1/2, like 1/(a·√(2π)) in the end.

use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math::{
    MILLS_BOTTOM, MILLS_DOUBLE, MILLS_TOP, Sum, constant, polynomial, product, quotient, two_sum,
};

/// m(a) as a quotient of two numbers.
///
/// Where the lanes have bits to spare, of two polynomials: all their coefficients are positive, so
/// nothing cancels, but each step of Horner's scheme adds its rounding. Where they have not, of a
/// polynomial in t = (a − 4)/(a + 4), which is from −1 to 1, and a + 4: there the coefficients fall
/// quickly, and only the last three steps round at nearly full size, which is why these carry along what
/// they lost.
#[inline(always)]
pub(crate) fn mills<R: Real, L: FloatLanes<R::Lane>>(l: L, a: L::V) -> (Sum<L::V>, Sum<L::V>) {
    if !R::MATH.compensated {
        let a2 = l.mul(a, a);
        let top = polynomial::<R, L>(l, a, a2, MILLS_TOP);
        let bottom = polynomial::<R, L>(l, a, a2, MILLS_BOTTOM);
        return (Sum::exact(top), Sum::exact(bottom));
    }
    let d = two_sum::<R, L>(l, a, constant::<R, L>(l, 4.0));
    let n = two_sum::<R, L>(l, a, constant::<R, L>(l, -4.0));
    let t = quotient::<R, L>(l, n, d).sum::<R, L>(l);
    let rest = const { MILLS_DOUBLE.split_at(3).1 };
    let t2 = l.mul(t.high, t.high);
    let mut sum = Sum::exact(polynomial::<R, L>(l, t.high, t2, rest));
    sum = step::<R, L>(l, sum, t, MILLS_DOUBLE[2]);
    sum = step::<R, L>(l, sum, t, MILLS_DOUBLE[1]);
    sum = step::<R, L>(l, sum, t, MILLS_DOUBLE[0]);
    (sum, d)
}

/// c + t·sum.
#[inline(always)]
fn step<R: Real, L: FloatLanes<R::Lane>>(l: L, sum: Sum<L::V>, t: Sum<L::V>, c: f64) -> Sum<L::V> {
    let c = constant::<R, L>(l, c);
    let p = product::<R, L>(l, t.high, sum.high);
    let s = two_sum::<R, L>(l, c, p.high);
    let mut low = s.low_and::<R, L>(l, p.low_or_zero::<R, L>(l));
    if let Some(of_t) = t.low {
        low = l.mul_add(of_t, sum.high, low);
    }
    if let Some(of_sum) = sum.low {
        low = l.mul_add(t.high, of_sum, low);
    }
    Sum {
        high: s.high,
        low: Some(low),
    }
}
