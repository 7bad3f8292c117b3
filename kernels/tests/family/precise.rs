//! `f64` against arbitrary precision, for the operations that are not exact.
//!
//! `cargo test --release -p halfwave-kernels --test family precise -- --ignored --nocapture` takes
//! 10^7 samples of each; `HALFWAVE_TEST_OP=gelu` chooses.

use std::num::NonZero;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use halfwave_kernels::{Dtype, Form, Isa, TanhShrink};
use halfwave_oracle::Truth;

use crate::case::{Case, cases, defaults, isas};
use crate::number::{Random, one_in};

/// The largest error seen, in ulps, and where.
#[derive(Clone, Copy, Default)]
pub struct Worst {
    ulps: f64,
    at: f64,
}

/// Of the operation, of its derivative, and of that from the output.
pub type All = [Worst; 3];

/// Holds what every instruction set makes of `x` to its bound.
pub fn measure(case: &Case<f64>, x: &[f64], worst: &mut All) {
    let ones = vec![1.0; x.len()];
    let isas = isas();
    let run = |f: &dyn Fn(Isa, &mut [f64])| -> Vec<Vec<f64>> {
        let one = |isa: &Isa| {
            let mut y = vec![0.0; x.len()];
            f(*isa, &mut y);
            y
        };
        isas.iter().map(one).collect()
    };
    let y = run(&|isa, y| (case.map)(isa, x, y));
    let slope = run(&|isa, dx| (case.backward)(isa, x, &ones, dx));
    let mut compare = |form: Form, at: &[f64], got: &[Vec<f64>]| {
        let (which, name) = match form {
            Form::Forward => (0, "value of"),
            Form::Backward => (1, "derivative of"),
            Form::BackwardFromOutput => (2, "derivative from the output of"),
        };
        let bound = (case.bound)(form);
        for (i, &x) in at.iter().enumerate() {
            let truth: Truth = (case.truths[which])(x);
            for (isa, y) in isas.iter().zip(got) {
                if *isa != isas[0] && y[i].to_bits() == got[0][i].to_bits() {
                    continue;
                }
                let error = truth.ulps(y[i]);
                let vanished = y[i] == 0.0 && truth.ulps(0.0) > 0.0 && form == Form::Forward;
                assert!(
                    !vanished || y[i].is_sign_negative() == truth.to_f64().is_sign_negative(),
                    "{isa} {} of {x:e} has lost its sign",
                    case.label
                );
                let absolute = (y[i] - truth.to_f64()).abs();
                assert!(
                    bound.counted(Dtype::F64, x, error, absolute) <= bound.ulps(),
                    "{} {name} {} at {x:e} = {:#x} is {:e}, not {:e}: {error} ulps",
                    isa,
                    case.label,
                    x.to_bits(),
                    y[i],
                    truth.to_f64(),
                );
                // Where the bound is absolute, ulps say nothing.
                if error > worst[which].ulps && !bound.is_absolute_at(x) {
                    worst[which] = Worst { ulps: error, at: x };
                }
            }
        }
    };
    compare(Form::Forward, x, &y);
    compare(Form::Backward, x, &slope);
    if let Some(from_output) = case.from_output.as_ref().filter(|_| case.by_itself) {
        let y = &y[0];
        let dx = run(&|isa, dx| from_output(isa, y, &ones, dx));
        compare(Form::BackwardFromOutput, y, &dx);
    }
}

fn print(case: &Case<f64>, samples: usize, worst: &All) {
    let names = ["", "; derivative ", "; from the output "];
    let said = names
        .iter()
        .zip(worst)
        .map(|(name, worst)| format!("{name}{:.4} ulps, at {:e}", worst.ulps, worst.at));
    let said: String = said.collect();
    println!("{}, {samples} samples: {said}", case.label);
}

pub fn finite(mut x: Vec<f64>) -> Vec<f64> {
    x.retain(|x| x.is_finite());
    x
}

/// One in so many inputs, on an emulated CPU, where many bits take long.
fn step() -> usize {
    1 + one_in() / 20
}

#[test]
fn f64_is_within_its_bound() {
    for case in defaults::<f64>().iter().filter(|case| !case.exact) {
        let x = finite(case.inputs(12_000));
        let x: Vec<f64> = x.into_iter().step_by(step()).collect();
        let mut worst = All::default();
        measure(case, &x, &mut worst);
        print(case, x.len(), &worst);
    }
}

#[test]
fn f64_is_within_its_bound_with_odd_parameters() {
    for case in cases::<f64>().iter().filter(|case| !case.exact) {
        let x = finite(case.inputs(1_000));
        let x: Vec<f64> = x.into_iter().step_by(5 * step()).collect();
        measure(case, &x, &mut All::default());
    }
}

/// Next to 1 and where the cube is next to the least normal number, it was up to 1.75 ulps off.
#[test]
fn tanh_shrink_where_it_was_beyond_its_bound() {
    let case = Case::<f64>::new(TanhShrink);
    let next_to_1 = |i: usize| 0.95 + i as f64 / 120_000.0;
    let cube_next_to_least = |i: usize| 1e-103 * (1.0 + i as f64 / 100.0);
    let both = |i| [next_to_1(i), -next_to_1(i), cube_next_to_least(i)];
    let found = [
        0xbfef_7776_d285_e867,
        0x3fef_f78a_3180_645b,
        0xaab1_acee_4595_93f9,
    ];
    let x = (0..12_000).step_by(one_in()).flat_map(both);
    let x: Vec<f64> = x.chain(found.map(f64::from_bits)).collect();
    measure(&case, &x, &mut All::default());
}

#[test]
#[ignore = "10^7 samples of every operation, each computed in arbitrary precision"]
fn f64_is_within_its_bound_10_000_000_times() {
    const BLOCKS: u64 = 1 << 10;
    const BLOCK: usize = 10_000;
    let only = std::env::var("HALFWAVE_TEST_OP").unwrap_or_default();
    for case in defaults::<f64>().iter().filter(|case| !case.exact) {
        if !case.name.contains(&only) {
            continue;
        }
        let began = Instant::now();
        let all = Mutex::new((0..BLOCKS, 0, All::default()));
        let work = || {
            loop {
                let Some(block) = all.lock().unwrap().0.next() else {
                    return;
                };
                let x = match block {
                    0 => finite(case.inputs(0)),
                    _ => samples(block, BLOCK / one_in()),
                };
                let mut worst = All::default();
                measure(case, &x, &mut worst);
                let (_, samples, all) = &mut *all.lock().unwrap();
                *samples += x.len();
                for (all, worst) in all.iter_mut().zip(worst) {
                    if worst.ulps > all.ulps {
                        *all = worst;
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..thread::available_parallelism().map_or(1, NonZero::get) {
                scope.spawn(work);
            }
            work();
        });
        let (_, samples, worst) = all.into_inner().unwrap();
        print(case, samples, &worst);
        println!("  {:.0} s", began.elapsed().as_secs_f64());
    }
}

/// A quarter over all bit patterns, a quarter from -1000 to 1000, half from -10 to 10.
fn samples(seed: u64, len: usize) -> Vec<f64> {
    let mut random = Random(seed << 32);
    let mut number = |i: usize| match i % 4 {
        0 => f64::from_bits(random.bits()),
        1 => random.within(1000.0),
        _ => random.within(10.0),
    };
    finite((0..len).map(&mut number).collect())
}
