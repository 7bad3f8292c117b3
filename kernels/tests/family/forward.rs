//! `y = f(x)`.

use halfwave_kernels::{Bound, Form, Isa, bf16, f16};

use crate::case::{Case, cases, isas};
use crate::number::{Number, one_in};

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
        let absolute = (y.to_f64() - want).abs();
        let allowed = match bound {
            Bound::Nearest => error == 0.0,
            _ => bound.counted(E::DTYPE, x.to_f64(), error, absolute) <= bound.ulps(),
        };
        assert!(allowed, "{}: {error} ulps", said());
        worst = error.max(worst);
    }
    worst
}

/// What vanishes keeps its sign.
pub fn hold_signs<E: Number>(label: &str, isa: Isa, x: &[E], y: &[E], want: &[f64]) {
    for ((x, y), want) in x.iter().zip(y).zip(want) {
        assert!(
            y.to_f64() != 0.0 || y.to_f64().is_sign_negative() == want.is_sign_negative(),
            "{isa} {label}({:e} = {:#x}) is {:?}, not {want:e}",
            x.to_f64(),
            x.bits(),
            y.to_f64()
        );
    }
}

pub fn check<E: Number>(case: &Case<E>, x: &[E], bound: Bound) -> f64 {
    let want = case.wanted(x);
    let mut y = vec![E::default(); x.len()];
    let mut worst = 0.0f64;
    for isa in isas() {
        (case.map)(isa, x, &mut y);
        worst = worst.max(hold(&case.label, isa, x, &y, &want, bound));
        hold_signs(&case.label, isa, x, &y, &want);
    }
    worst
}

/// Holds every result to the nearest number. In a tie, or near one, unless `f64` is exact, arbitrary precision says which that is:
/// x/2 of a subnormal `bf16` may lie on the middle between two, and only the next term of gelu tells.
fn check_nearest<E: Number>(case: &Case<E>, x: &[E]) {
    let of = |(&x, &want): (&E, &f64)| {
        if !case.exact && E::is_by_a_tie(want) {
            (case.nearest)(x.to_f64())
        } else {
            E::round(want)
        }
    };
    let nearest: Vec<f64> = x
        .iter()
        .zip(&case.wanted(x))
        .map(of)
        .map(E::to_f64)
        .collect();
    let mut y = vec![E::default(); x.len()];
    for isa in isas() {
        (case.map)(isa, x, &mut y);
        hold(&case.label, isa, x, &y, &nearest, Bound::Nearest);
    }
}

#[test]
fn every_16_bit_float_is_rounded_as_promised() {
    fn test<E: Number>() {
        let all: Vec<E> = (0..=E::LAST).step_by(one_in()).map(E::from_bits).collect();
        for case in cases::<E>() {
            let bound = case.forward_bound();
            if matches!(bound, Bound::Nearest) {
                check_nearest(&case, &all);
            } else {
                check(&case, &all, bound);
            }
        }
    }
    test::<f16>();
    test::<bf16>();
}

#[test]
fn f32_is_exact_or_within_an_ulp() {
    for case in cases::<f32>() {
        check(&case, &case.inputs(40_000), (case.bound)(Form::Forward));
    }
}

/// The oracle of an exact operation rounds once in `f64` as well.
#[test]
fn f64_is_exact_where_it_can_be() {
    for case in cases::<f64>().iter().filter(|case| case.exact) {
        check(case, &case.inputs(40_000), Bound::Nearest);
    }
}
