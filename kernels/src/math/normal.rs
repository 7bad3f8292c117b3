//! The tail of the normal distribution, Φ(−a) = e<sup>−a²/2</sup>·m(a) for a ≥ 0, where m is half of Mills'
//! ratio's usual form: a function that falls slowly from 1/2, like 1/(a·√(2π)) in the end.

use crate::coefficients::{MILLS_BOTTOM, MILLS_DOUBLE, MILLS_TOP};
use crate::math::{DoubleWord, polynomial, product, two_sum};
use crate::register::Lane;

/// m(a) as a quotient of two numbers.
///
/// Where the lanes have bits to spare, of two polynomials: all their coefficients are positive, so
/// nothing cancels, but each step of Horner's scheme adds its rounding. Where they have not, of a
/// polynomial in t = (a − 4)/(a + 4), which is from −1 to 1, and a + 4: there the coefficients fall
/// quickly, and only the last three steps round at nearly full size, which is why these carry along what
/// they lost.
#[inline(always)]
pub(crate) fn mills<X: Lane>(a: X) -> (DoubleWord<X>, DoubleWord<X>) {
    if const { !X::CONSTANTS.compensated } {
        let a2 = a * a;
        let top = polynomial(a, a2, MILLS_TOP);
        let bottom = polynomial(a, a2, MILLS_BOTTOM);
        return (DoubleWord::exact(top), DoubleWord::exact(bottom));
    }
    let d = two_sum(a, a.splat(4.0));
    let n = two_sum(a, a.splat(-4.0));
    let t = (n / d).double_word();
    let rest = const { MILLS_DOUBLE.split_at(3).1 };
    let mut sum = DoubleWord::exact(polynomial(t.high, t.high * t.high, rest));
    sum = step(MILLS_DOUBLE[2], t, sum);
    sum = step(MILLS_DOUBLE[1], t, sum);
    sum = step(MILLS_DOUBLE[0], t, sum);
    (sum, d)
}

/// c + t·sum.
#[inline(always)]
fn step<X: Lane>(c: f64, t: DoubleWord<X>, sum: DoubleWord<X>) -> DoubleWord<X> {
    let p = product(t.high, sum.high);
    let s = two_sum(p.high.splat(c), p.high);
    let mut low = s.low_plus(p.low_or_zero());
    if let Some(of_t) = t.low {
        low = of_t.mul_add(sum.high, low);
    }
    if let Some(of_sum) = sum.low {
        low = t.high.mul_add(of_sum, low);
    }
    DoubleWord {
        high: s.high,
        low: Some(low),
    }
}
