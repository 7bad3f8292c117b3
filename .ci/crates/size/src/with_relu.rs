//! The same program with one call of halfwave.

use halfwave::{Activation, Relu};

fn main() {
    let x: Vec<f32> = std::env::args().skip(1).flat_map(|x| x.parse()).collect();
    let mut y = vec![0.0; x.len()];
    Relu.apply(&x, &mut y);
    println!("{y:?}");
}
