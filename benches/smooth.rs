//! Elements per second of the smooth operations on f32, by size and backend, beside a copy.

mod common;

use std::f64::consts::TAU;

use common::{L1, L2, as_bytes, as_bytes_mut, group, input, output};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use halfwave::{
    Celu, Elu, Gelu, GeluTanh, LogSigmoid, Mish, Operation, QuickGelu, Selu, Sigmoid, Silu,
    Softplus, Tanh, TanhShrink, backends, limits,
};

/// Reads as 4 Mi elements: in the last level, or beyond.
const L3: usize = 1 << 22;

/// A number of the normal distribution times 2: how often a vector holds one of the tails decides
/// what they cost. Box and Muller's transform takes two uniform numbers: `i`, and a hash of it.
fn normal(i: i32) -> f32 {
    let uniform = |bits: u32| (f64::from(bits) + 0.5) / f64::from(1 << 24);
    let u = uniform((i + (1 << 23)) as u32);
    let v = uniform((i as u32).wrapping_mul(0x9E37_79B9) >> 8);
    (2.0 * (-2.0 * u.ln()).sqrt() * (TAU * v).cos()) as f32
}

fn one(c: &mut Criterion, name: &str, op: impl Operation<f32>) {
    for len in [L1, L2, L3] {
        let (x, mut y) = (input(len, normal), output::<f32>(len));
        let mut g = group(c, format!("{name}/f32/{len}"), 8 * len);
        g.throughput(Throughput::Elements(len as u64));
        for backend in backends() {
            g.bench_function(backend.name(), |b| {
                b.iter(|| backend.apply(op, &x, &mut y));
            });
        }
        g.bench_function("limit: memcpy", |b| {
            b.iter(|| limits::copy(as_bytes(&x), as_bytes_mut(&mut y)));
        });
    }
}

fn smooth(c: &mut Criterion) {
    one(c, "sigmoid", Sigmoid);
    one(c, "log_sigmoid", LogSigmoid);
    one(c, "tanh", Tanh);
    one(c, "tanh_shrink", TanhShrink);
    one(c, "softplus", Softplus::default());
    one(c, "elu", Elu::default());
    one(c, "celu", Celu::default());
    one(c, "selu", Selu);
    one(c, "silu", Silu::default());
    one(c, "gelu", Gelu);
    one(c, "gelu_tanh", GeluTanh);
    one(c, "quick_gelu", QuickGelu);
    one(c, "mish", Mish);
}

criterion_group!(benches, smooth);
criterion_main!(benches);
