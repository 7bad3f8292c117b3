//! All 2^32 inputs of `f32`:
//! `cargo test --release -p halfwave-kernels --test family -- --ignored --nocapture`.

use std::time::Instant;

use halfwave_kernels::Form;

use crate::case::{defaults, isas};
use crate::forward::hold;

#[test]
#[ignore = "all 2^32 inputs of every operation; run in release mode"]
fn every_f32() {
    const BLOCK: usize = 1 << 14;
    let only = std::env::var("HALFWAVE_TEST_OP").unwrap_or_default();
    for case in defaults::<f32>() {
        if !case.name.contains(&only) {
            continue;
        }
        let began = Instant::now();
        let bound = (case.bound)(Form::Forward);
        let mut worst = 0.0f64;
        let mut y = vec![0.0; BLOCK];
        for start in (0..=u32::MAX).step_by(BLOCK) {
            let x: Vec<f32> = (start..=start + (BLOCK as u32 - 1))
                .map(f32::from_bits)
                .collect();
            let want = case.wanted(&x);
            for isa in isas() {
                (case.map)(isa, &x, &mut y);
                worst = worst.max(hold(&case.label, isa, &x, &y, &want, bound));
            }
        }
        let said = if case.exact {
            "exact".into()
        } else {
            format!("{worst:.4} ulps")
        };
        println!(
            "{}: {said}, {:.0} s",
            case.label,
            began.elapsed().as_secs_f64()
        );
    }
}
