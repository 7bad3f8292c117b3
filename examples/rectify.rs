//! The shortest useful program: `cargo run --release --example rectify`.

use halfwave::{Activation, Relu};

fn main() {
    // The article's array. Into memory you have:
    let x = [-10.0f32, -5.0, 0.0, 5.0, 10.0];
    let mut y = [0.0; 5];
    Relu.apply(&x, &mut y);
    println!("relu({x:?}) = {y:?}");

    // Over itself, on all cores if it is large enough to pay:
    let mut layer: Vec<f32> = (0..1 << 22).map(|i| (i as f32).sin()).collect();
    Relu.par_apply_in_place(&mut layer);

    // Into a new vector; a large one comes on huge pages:
    let active = Relu
        .apply_to_vec(&layer)
        .iter()
        .filter(|&&y| y > 0.0)
        .count();
    println!(
        "{:.1} % of {} units are active",
        100.0 * active as f64 / layer.len() as f64,
        layer.len()
    );
}
