//! What numbers cost: the speed of each operation, and of its derivative, on numbers that are far out, tiny or
//! subnormal, as a part of that on the standard normal distribution, wherever it is below a quarter.
//!
//! ```sh
//! cargo bench --bench inputs                      # all
//! cargo bench --bench inputs -- 'silu(beta=2)'    # some operations
//! ```
//!
//! No criterion: of some thousand places, each wants a ten-thousandth of a second, and what is looked for is a factor
//! of four.

use std::time::{Duration, Instant};

use halfwave::{Backend, Element, Float, Op, backends};

/// In the first cache, with their results.
const LEN: usize = 4096;

/// A part of the speed below which a kind of numbers is named.
const SLOW: f64 = 0.25;

/// Those spread as wide as a badly scaled network's activations are named below this.
const SLOW_AT_8: f64 = 0.5;

trait Number: Float {
    const FAR: &'static [f64];

    /// A subnormal number of either sign.
    fn subnormal(i: usize) -> Self;
}

impl Number for f32 {
    const FAR: &'static [f64] = &[20.0, 60.0, 85.0, 90.0, 102.0, 200.0, 1e10, 3e38];

    fn subnormal(i: usize) -> Self {
        let bits = 1 + (i as u32).wrapping_mul(2039) % 0x7F_FFFF;
        f32::from_bits(bits).copysign(if i.is_multiple_of(2) { 1.0 } else { -1.0 })
    }
}

impl Number for f64 {
    const FAR: &'static [f64] = &[20.0, 80.0, 300.0, 680.0, 700.0, 720.0, 740.0, 800.0, 1e300];

    fn subnormal(i: usize) -> Self {
        let bits = 1 + (i as u64).wrapping_mul(0x10_0000_03D1) % 0xF_FFFF_FFFF_FFFF;
        f64::from_bits(bits).copysign(if i.is_multiple_of(2) { 1.0 } else { -1.0 })
    }
}

/// Standard normal numbers, by Box and Muller's transform of two uniform ones.
fn normal(seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    let mut one = |_| (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    (0..LEN).map(&mut one).collect()
}

/// Kinds of numbers by name, the first to be compared with.
fn kinds<E: Number>() -> Vec<(String, Vec<E>)> {
    let normal = normal(7);
    let times = |factor: f64| normal.iter().map(|x| E::from_f64(factor * x)).collect();
    let one_in_64 = |of: &dyn Fn(usize) -> E| {
        let one = |(i, &x)| if i % 64 == 3 { of(i) } else { E::from_f64(x) };
        normal.iter().enumerate().map(one).collect()
    };
    let mut kinds = vec![
        ("normal".to_owned(), times(1.0)),
        ("·8".to_owned(), times(8.0)),
        ("·1e-10".to_owned(), times(1e-10)),
        ("·1e-20".to_owned(), times(1e-20)),
        ("·1e-30".to_owned(), times(1e-30)),
        ("subnormal".to_owned(), (0..LEN).map(E::subnormal).collect()),
        ("a subnormal in 64".to_owned(), one_in_64(&E::subnormal)),
    ];
    for far in E::FAR {
        for far in [*far, -far] {
            kinds.push((format!("{far:e}"), vec![E::from_f64(far); LEN]));
        }
        let either = |i: usize| E::from_f64(far.copysign(normal[i]));
        kinds.push((format!("±{far:e} in 64"), one_in_64(&either)));
    }
    kinds
}

/// The least of some.
fn time(rounds: usize, mut call: impl FnMut()) -> Duration {
    let mut one = || {
        let began = Instant::now();
        call();
        call();
        began.elapsed() / 2
    };
    (0..rounds).map(|_| one()).min().unwrap_or_default()
}

fn print<E: Number>(op: Op, on: Backend) {
    let dy: Vec<E> = normal(9).into_iter().map(E::from_f64).collect();
    let mut y = dy.clone();
    for backward in [false, true] {
        let mut call = |x: &[E], rounds| {
            time(rounds, || {
                let done = if backward {
                    op.on(on).backward(x, &dy, &mut y)
                } else {
                    op.on(on).apply(x, &mut y)
                };
                done.expect("a float");
            })
            .as_secs_f64()
        };
        let kinds = kinds::<E>();
        let best = call(&kinds[0].1, 100);
        let mut slow = String::new();
        for (name, x) in &kinds[1..] {
            let part = best / call(x, 8);
            if part < SLOW || (name == "·8" && part < SLOW_AT_8) {
                slow += &format!("  {name}: {part:.2}");
            }
        }
        let (dtype, mark) = (<E as Element>::DTYPE, if backward { "'" } else { "" });
        let speed = LEN as f64 / best / 1e9;
        println!(
            "{} {dtype} {op}{mark} {speed:.2} elements/ns{slow}",
            on.name()
        );
    }
}

fn main() {
    // Cargo adds `--bench`.
    let named = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let mut ops: Vec<Op> = named
        .map(|name| name.parse().unwrap_or_else(|error| panic!("{error}")))
        .collect();
    if ops.is_empty() {
        ops = Op::all().to_vec();
    }
    for on in backends() {
        for op in &ops {
            print::<f32>(*op, *on);
            print::<f64>(*op, *on);
        }
    }
}
