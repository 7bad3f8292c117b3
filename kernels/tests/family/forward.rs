//! `y = f(x)`.

use halfwave_kernels::{Isa, bf16, f16};

use crate::case::{Case, cases, tables};
use crate::number::{Number, one_in};

/// How far a result may be from the true one.
#[derive(Clone, Copy)]
pub enum Bound {
    /// It is the nearest there is, by bits.
    Nearest,
    /// In ulps.
    Ulps(f64),
}

/// The largest error, in ulps. Panics where it is beyond `bound`, or a NaN is not kept.
pub fn hold<E: Number>(label: &str, isa: Isa, x: &[E], y: &[E], want: &[f64], bound: Bound) -> f64 {
    let mut worst = 0.0;
    for ((&x, &y), &want) in x.iter().zip(y).zip(want) {
        let said = || {
            format!(
                "{isa} {label}({:e} = {:#x}) is {:e}, not {want:e}",
                x.to_f64(),
                x.bits(),
                y.to_f64()
            )
        };
        if x.to_f64().is_nan() {
            assert!(y.is_nan_of(x), "{}", said());
            continue;
        }
        let nearest = E::round(want);
        if y.bits() == nearest.bits() && matches!(bound, Bound::Nearest) {
            continue;
        }
        let error = if want == 0.0 || !want.is_finite() || !y.to_f64().is_finite() {
            if y.bits() == nearest.bits() {
                0.0
            } else {
                f64::INFINITY
            }
        } else {
            (y.to_f64() - want).abs() / E::ulp(want)
        };
        let limit = match bound {
            Bound::Nearest => 0.0,
            Bound::Ulps(limit) => limit,
        };
        assert!(error <= limit, "{}: {error} ulps", said());
        worst = error.max(worst);
    }
    worst
}

fn check<E: Number>(case: &Case<E>, x: &[E], bound: Bound) -> f64 {
    let want = case.wanted(x);
    let mut y = vec![E::default(); x.len()];
    let mut worst = 0.0f64;
    for table in tables() {
        (case.map)(table, x, &mut y);
        worst = worst.max(hold(&case.label, table.isa, x, &y, &want, bound));
    }
    worst
}

#[test]
fn every_16_bit_float_is_correctly_rounded() {
    fn test<E: Number>() {
        let all: Vec<E> = (0..=E::LAST).step_by(one_in()).map(E::from_bits).collect();
        for case in cases::<E>() {
            check(&case, &all, Bound::Nearest);
        }
    }
    test::<f16>();
    test::<bf16>();
}

#[test]
fn f32_is_exact_or_within_an_ulp() {
    for case in cases::<f32>() {
        let bound = match case.exact {
            true => Bound::Nearest,
            // A negative `beta`.
            false if case.values.get(1).is_some_and(|&b| b < 0.0) => Bound::Ulps(1.5),
            false => Bound::Ulps(1.0),
        };
        check(&case, &case.inputs(40_000), bound);
    }
}

/// The oracle of an exact operation rounds once in `f64` as well.
#[test]
fn f64_is_exact_where_it_can_be() {
    for case in cases::<f64>().iter().filter(|case| case.exact) {
        check(case, &case.inputs(40_000), Bound::Nearest);
    }
}
