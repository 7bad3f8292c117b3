//! 16-bit floats in the piecewise-linear operations, by bits, for parameters that put results into the middle between
//! two numbers, beside it, or among the subnormal numbers.

use halfwave_kernels::*;

use crate::case::{Case, isas};
use crate::forward::hold;
use crate::number::{Number, one_in};

/// 2^n.
fn power(n: i32) -> f64 {
    2f64.powi(n)
}

/// No dtype's numbers, middles of `f16` and of `bf16`, numbers beside those, ends of `f32` and beyond, and what is lost
/// in any sum.
fn odd() -> Vec<f64> {
    let middles = [1.0 + power(-11), 1.0 + power(-8), 1.5 + 3.0 * power(-12)];
    let beside = middles.map(|x| x + power(-23));
    let small = [1e-45, 3e-39, power(-126), power(-134), power(-25), 1e-30];
    let large = [65_519.0, 1e5, 1e30, 1e300];
    let plain = [0.0, 0.01, 0.3, 1.0 / 3.0, 0.5, 1.0, 2.0, 255.5];
    let positive = [&middles[..], &beside, &small, &large, &plain].concat();
    positive.iter().flat_map(|x| [*x, -x]).collect()
}

fn cases<E: Number>() -> Vec<Case<E>> {
    let mut cases = Vec::new();
    for p in odd() {
        cases.extend(LeakyRelu::new(p).map(Case::new));
        cases.extend(SoftShrink::new(p).map(Case::new));
        cases.extend(HardShrink::new(p).map(Case::new));
        cases.extend(Shrink::new(-1e5, p).map(Case::new));
        cases.extend(Shrink::new(0.25, p).map(Case::new));
        cases.extend(Threshold::new(p, -p).map(Case::new));
        cases.extend(ThresholdedRelu::new(p).map(Case::new));
        cases.extend(Clip::new(-p, p).map(Case::new));
        cases.extend(ReluN::new(p).map(Case::new));
        cases.extend(HardSigmoid::new(1.0 / 6.0, p).map(Case::new));
        cases.extend(HardSigmoid::new(p, 0.5).map(Case::new));
        cases.extend(HardSigmoid::new(p, -p).map(Case::new));
    }
    for (lower, upper) in [(0.125, 1.0 / 3.0), (-1e300, 1e300), (0.0, power(-149))] {
        cases.extend(Rrelu::new(lower, upper).map(Case::new));
    }
    for (alpha, beta) in [
        (1e30, 1e30),
        (1e-30, 1e30),
        (1e30, -1e30),
        (1e-30, -1e30),
        (1e30, 1e-20),
        (1e-30, 1e-30),
        (power(-99), 0.5 + power(-9)),
        (power(-99), -1e-57),
        (0.2, 0.5),
        (0.3, 0.6),
        (0.25, -1.0),
        (2.0 / 3.0, 1.0 / 3.0),
    ] {
        cases.extend(HardSigmoid::new(alpha, beta).map(Case::new));
    }
    cases.push(Case::new(HardSigmoid::default()));
    cases.push(Case::new(HardSwish));
    cases.push(Case::new(Relu6));
    cases.push(Case::new(ReluSquared));
    cases
}

/// What the oracle says, as each dtype has it.
fn truth<E: Number>(case: &Case<E>, x: &[E]) -> Vec<f64> {
    let of = |(x, want): (&E, f64)| {
        if x.to_f64().is_finite() && want != 0.0 {
            (case.nearest)(x.to_f64()).to_f64()
        } else {
            want
        }
    };
    x.iter().zip(case.wanted(x)).map(of).collect()
}

fn round_right<E: Number>() {
    let step = if cfg!(debug_assertions) {
        127
    } else {
        one_in()
    };
    let x: Vec<E> = (0..=E::LAST).step_by(step).map(E::from_bits).collect();
    let mut y = vec![E::default(); x.len()];
    for case in cases::<E>() {
        let want = truth(&case, &x);
        for isa in isas() {
            (case.map)(isa, &x, &mut y);
            hold(&case.label, isa, &x, &y, &want, Bound::Nearest);
        }
    }
}

#[test]
fn f16_rounds_right_with_odd_parameters() {
    round_right::<f16>();
}

#[test]
fn bf16_rounds_right_with_odd_parameters() {
    round_right::<bf16>();
}
