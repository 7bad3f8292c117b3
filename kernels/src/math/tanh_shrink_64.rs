//! x − tanh x on `f64`.
//!
//! For a = |x| < ¾ as a³·ρ(a²), where ρ's first term, 1/3, and the products by it carry along what they lost. Beyond, as
//! (a − 1) + 2·σ(−2a), by [`exp_64`](super::exp_64): a − 1 is exact.
//! The numbers are from `docs/fits/tables_64.py`: least squares on Chebyshev nodes, one coefficient rounded after the
//! other.

use crate::math::by_tables::scaled_down;
use crate::math::exp_64::{TWICE, decay};
use crate::math::{polynomial, power_of_2};
use crate::register::{Mask, TableLane};

/// Up to here the polynomial is right.
const LIMIT: f64 = 0.75;

/// From here on tanh is 1.
const SATURATED: f64 = 20.0;

/// Below this, what the rounding of a³·ρ(a²) loses might be subnormal.
const TINY: f64 = power_of_2(-300);

/// Below this, a³/3 is zero.
const VANISHED: f64 = power_of_2(-360);

/// x − tanh x.
#[inline(always)]
pub(crate) fn tanh_shrink_64<X: TableLane>(x: X) -> X {
    let zero = x.splat(0.0);
    let tiny = x.abs().lt(x.splat(TINY));
    let some = tiny.any();
    let inner = if some { tiny.select(zero, x) } else { x };
    let y = tanh_shrink_near_64(inner);
    if !some {
        return y;
    }
    tiny.select(cube_of_tiny(x.abs()).copysign(x), y)
}

/// That for x that is not tiny.
#[inline(always)]
fn tanh_shrink_near_64<X: TableLane>(x: X) -> X {
    let one = x.splat(1.0);
    // −a, and then everything with the opposite sign.
    let minus_a = x.copysign(x.splat(-1.0));
    let (g, t) = decay(x.splat(-SATURATED).max(minus_a), &TWICE).gate();
    let g = g + g;
    let far = g.neg_mul_add(t, (minus_a + one) - g);
    let z = minus_a * minus_a;
    let near = cubed(minus_a, z, polynomial(z, z * z, &RHO));
    x.splat(-LIMIT).lt(minus_a).select(near, far).copysign(x)
}

/// a³·(1/3 + z·rest), where z = a², rounded.
#[inline(always)]
fn cubed<X: TableLane>(a: X, z: X, rest: X) -> X {
    let third = a.splat(THIRD[0]);
    let z_lost = a.neg_mul_add(a, z);
    let rho = z.mul_add(rest, third);
    let rho_low = z.mul_add(rest, third - rho) + a.splat(THIRD[1]);
    let product = z * rho;
    let lost = z.neg_mul_add(rho, product);
    let lost = z_lost.mul_add(rho, z.neg_mul_add(rho_low, lost));
    a.mul_add(product, a.splat(0.0) - a * lost)
}

/// a³/3, by a³·2<sup>990</sup>.
#[inline(always)]
fn cube_of_tiny<X: TableLane>(a: X) -> X {
    let zero = a.splat(0.0);
    let least = a.splat(VANISHED);
    let vanished = a.lt(least);
    let a = least.max(a) * a.splat(power_of_2(330));
    let y = cubed(a, a * a, zero);
    vanished.select(zero, scaled_down(y, a.splat(-990.0)))
}

/// 1/3, in two parts.
const THIRD: [f64; 2] = [0.3333333333333333, 1.850371707708594e-17];

/// (ρ(z) − 1/3)/z.
const RHO: [f64; 13] = [
    -0.13333333333333333,
    0.05396825396825181,
    -0.021869488535917504,
    0.008863235520136393,
    -0.003592127831145241,
    0.0014558318263421346,
    -0.0005900069406459825,
    0.00023901867016268074,
    -9.650457291040493e-05,
    3.8212722032849735e-05,
    -1.3998052034914484e-05,
    4.084130470645498e-06,
    -6.684409182497332e-07,
];
