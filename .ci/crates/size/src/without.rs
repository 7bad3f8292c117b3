//! A program that reads numbers from its arguments and prints them.

fn main() {
    let x: Vec<f32> = std::env::args().skip(1).flat_map(|x| x.parse()).collect();
    println!("{x:?}");
}
