//! How long each function takes at the first precision, for arguments from -20 to 20:
//! `cargo run --release -p halfwave-oracle --example speed`

use std::hint::black_box;
use std::time::Instant;

use halfwave_kernels::OracleNumber;
use halfwave_oracle::{Big, truth};

type Function = fn(Big) -> Big;

fn main() {
    let functions: [(&str, Function); 9] = [
        ("x", |x| x),
        ("x + x", |x| x.clone() + x),
        ("x · x", |x| x.clone() * x),
        ("1/x", |x| Big::of(1.0) / x),
        ("exp", OracleNumber::exp),
        ("exp_m1", OracleNumber::exp_m1),
        ("ln_1p(|x|)", |x| x.abs().ln_1p()),
        ("tanh", OracleNumber::tanh),
        ("erfc", OracleNumber::erfc),
    ];
    for (name, f) in functions {
        let mut best = f64::INFINITY;
        for _ in 0..10 {
            const CALLS: u32 = 1000;
            let began = Instant::now();
            for i in 0..CALLS {
                let x = 40.0 * (f64::from(i) + 0.5) / f64::from(CALLS) - 20.0;
                black_box(truth(black_box(x), f));
            }
            best = best.min(began.elapsed().as_secs_f64() / f64::from(CALLS));
        }
        println!("{name}: {:.2} µs", best * 1e6);
    }
}
