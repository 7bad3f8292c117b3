//! `f64` against exact arithmetic, for the operations that round more than once.

use dashu_ratio::Relaxed;

use crate::case::{defaults, tables};
use crate::number::{Number, Random, one_in};

fn exact(x: f64) -> Relaxed {
    Relaxed::try_from(x).unwrap()
}

/// The true value, for a finite number.
fn truth(name: &str, x: f64) -> Relaxed {
    let one = || exact(1.0);
    match name {
        "hard_sigmoid" if x <= -3.0 => exact(0.0),
        "hard_sigmoid" if x >= 3.0 => one(),
        "hard_sigmoid" => (exact(x) + exact(3.0)) / exact(6.0),
        "hard_swish" if x <= -3.0 => exact(0.0),
        "hard_swish" if x >= 3.0 => exact(x),
        "hard_swish" => exact(x) * (exact(x) + exact(3.0)) / exact(6.0),
        "softsign" => exact(x) / (one() + exact(x.abs())),
        _ => panic!("{name} is not exact, and its true value is not written here"),
    }
}

#[test]
fn f64_is_within_its_bound() {
    let mut random = Random(5);
    let mut x: Vec<f64> = Vec::new();
    for _ in 0..200_000 / one_in() {
        // Anything, and what is near the branches.
        x.push(f64::from_bits(random.bits()));
        x.push(random.within(3.25));
        x.push(random.within(1.0) * 2f64.powi(-((random.bits() % 50) as i32)));
        x.push(random.within(1.0) * 2f64.powi(-((random.bits() % 50) as i32)) - 3.0);
        x.push(-random.within(1.0).abs() - 0.5);
    }
    for case in defaults::<f64>().iter().filter(|case| !case.exact) {
        let mut x = x.clone();
        x.extend(case.inputs(0));
        x.retain(|x| x.is_finite());
        let mut worst = (0.0, 0.0);
        let ys = tables().into_iter().map(|table| {
            let mut y = vec![0.0; x.len()];
            (case.map)(table, &x, &mut y);
            y
        });
        let ys: Vec<Vec<f64>> = ys.collect();
        for (i, &x) in x.iter().enumerate() {
            let want = truth(case.name, x);
            let ulp = f64::ulp(want.to_f64_fast());
            for (table, y) in ys.iter().enumerate() {
                if table > 0 && y[i].to_bits() == ys[0][i].to_bits() {
                    continue;
                }
                let error = ((exact(y[i]) - want.clone()) / exact(ulp))
                    .to_f64_fast()
                    .abs();
                assert!(
                    error <= 1.5,
                    "{} of {x:e} is {:e}: {error} ulps",
                    case.label,
                    y[i]
                );
                if error > worst.0 {
                    worst = (error, x);
                }
            }
        }
        println!("{}: {:.4} ulps, at {:e}", case.label, worst.0, worst.1);
    }
}
