//! Sums of two `f64`, the second no more than half an ulp of the first: about 106 bits (Dekker 1971; names and
//! bounds as in Joldes, Muller and Popescu, "Tight and rigorous error bounds for basic building blocks of
//! double-word arithmetic", 2017). Without FMA, which the baseline of x86-64 lacks.

pub(crate) type DoubleDouble = (f64, f64);

/// 2<sup>n</sup>, for `n` from -1022 to 1023.
pub(crate) const fn power_of_two(n: i64) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}

/// `a + b`, exactly.
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> DoubleDouble {
    let sum = a + b;
    let from_b = sum - a;
    (sum, (a - (sum - from_b)) + (b - from_b))
}

/// `a + b`, exactly, for `|a| ≥ |b|`.
#[inline(always)]
pub(crate) fn quick_two_sum(a: f64, b: f64) -> DoubleDouble {
    let sum = a + b;
    (sum, b - (sum - a))
}

#[inline(always)]
fn split(a: f64) -> (f64, f64) {
    let t = 134_217_729.0 * a;
    let high = t - (t - a);
    (high, a - high)
}

/// `a · b`, exactly, if nothing overflows or is subnormal.
#[inline(always)]
pub(crate) fn two_product(a: f64, b: f64) -> DoubleDouble {
    let product = a * b;
    let ((ah, al), (bh, bl)) = (split(a), split(b));
    (product, ((ah * bh - product) + ah * bl + al * bh) + al * bl)
}

/// Within 2^-104 of the sum.
#[inline(always)]
pub(crate) fn add(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let (sum, lost) = two_sum(a.0, b.0);
    let (low, lowest) = two_sum(a.1, b.1);
    let (sum, lost) = quick_two_sum(sum, lost + low);
    quick_two_sum(sum, lost + lowest)
}

/// Within 2^-103 of the product.
#[inline(always)]
pub(crate) fn mul(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let (product, lost) = two_product(a.0, b.0);
    quick_two_sum(product, lost + (a.0 * b.1 + a.1 * b.0))
}

/// Within 2^-103 of the product.
#[inline(always)]
pub(crate) fn times(a: DoubleDouble, b: f64) -> DoubleDouble {
    let (product, lost) = two_product(a.0, b);
    quick_two_sum(product, lost + a.1 * b)
}
