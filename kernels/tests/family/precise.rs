//! `f64` against arbitrary precision, for the operations that are not exact.
//!
//! `cargo test --release -p halfwave-kernels --test family precise -- --ignored --nocapture` takes
//! 10^7 samples of each; `HALFWAVE_TEST_OP=gelu` chooses.

use std::num::NonZero;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use halfwave_kernels::Kernels;
use halfwave_oracle::Truth;

use crate::case::{Case, cases, defaults, tables};
use crate::forward::Bound;
use crate::number::{Random, one_in};

/// Of a result, in ulps.
const FORWARD: f64 = 1.5;
/// Of a derivative.
const BACKWARD: f64 = 4.0;

/// The largest error seen, in ulps, and where.
#[derive(Clone, Copy, Default)]
struct Worst {
    ulps: f64,
    at: f64,
}

/// Of the operation, of its derivative, and of that from the output.
type All = [Worst; 3];

/// Holds what every table makes of `x` to its bound.
fn measure(case: &Case<f64>, x: &[f64], worst: &mut All) {
    let ones = vec![1.0; x.len()];
    let run = |f: &dyn Fn(&'static Kernels, &mut [f64])| -> Vec<Vec<f64>> {
        let tables = tables().into_iter();
        let one = |table| {
            let mut y = vec![0.0; x.len()];
            f(table, &mut y);
            y
        };
        tables.map(one).collect()
    };
    let y = run(&|table, y| (case.map)(table, x, y));
    let slope = run(&|table, dx| (case.backward)(table, x, &ones, dx));
    let derivative = case.slope_bound(BACKWARD);
    let mut compare = |which: usize, name: &str, at: &[f64], got: &[Vec<f64>], bound: Bound| {
        for (i, &x) in at.iter().enumerate() {
            let truth: Truth = (case.truths[which])(x);
            for (table, y) in got.iter().enumerate() {
                if table > 0 && y[i].to_bits() == got[0][i].to_bits() {
                    continue;
                }
                let error = truth.ulps(y[i]);
                let absolute = (y[i] - truth.to_f64()).abs();
                assert!(
                    bound.allows(x, error, absolute, f64::EPSILON / 2.0),
                    "{} {name} {} at {x:e} = {:#x} is {:e}, not {:e}: {error} ulps",
                    tables()[table].isa,
                    case.label,
                    x.to_bits(),
                    y[i],
                    truth.to_f64(),
                );
                // Around a turn, ulps say nothing.
                if error > worst[which].ulps && bound.allows(0.0, error, 0.0, 0.0) {
                    worst[which] = Worst { ulps: error, at: x };
                }
            }
        }
    };
    compare(0, "value of", x, &y, Bound::Ulps(FORWARD));
    compare(1, "derivative of", x, &slope, derivative);
    if let Some(from_output) = case.from_output.as_ref().filter(|_| case.by_itself) {
        let y = &y[0];
        let dx = run(&|table, dx| from_output(table, y, &ones, dx));
        compare(
            2,
            "derivative from the output of",
            y,
            &dx,
            Bound::Ulps(BACKWARD),
        );
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

fn finite(mut x: Vec<f64>) -> Vec<f64> {
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

/// As many over all exponents as from -10 to 10 and from -1000 to 1000.
fn samples(seed: u64, len: usize) -> Vec<f64> {
    let mut random = Random(seed << 32);
    let mut number = |i: usize| match i % 4 {
        0 => f64::from_bits(random.bits()),
        1 => random.within(1000.0),
        _ => random.within(10.0),
    };
    finite((0..len).map(&mut number).collect())
}
