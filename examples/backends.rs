//! What this CPU runs, what is chosen, and how to choose: `cargo run --release --example backends`,
//! then again with `HALFWAVE_ISA=portable` before it.

use halfwave::{Relu, backend, backends};

fn main() {
    let chosen = match backend() {
        Ok(backend) => backend,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    };
    let x = [-1.0f64, f64::NAN, -0.0, 2.5];
    for b in backends() {
        let mut y = [0.0; 4];
        b.apply(Relu, &x, &mut y);
        let mark = if b.isa() == chosen.isa() {
            "chosen"
        } else {
            ""
        };
        println!("{:10} relu({x:?}) = {y:?}  {mark}", b.name());
    }
}
